// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Transfer: the transfer memory as WASI 0.2's functions use it. Arguments with contents of their
// own (strings, lists) lie in it already, lifted by an adapter; results are put there for an
// adapter to lower. What is allocated is gone when the call is over.
//
// Every access is checked, although only adapters have written there: a wrong address ends the
// call.
#pragma once

#include <cstdint>

#include "guest/component/functions.h"
#include "guest/component/trap.h"
#include "guest/wasi/linear_memory.h"

namespace mayfly::guest {

// A string or a list<u8> in the transfer memory.
struct TransferBytes {
  uint32_t address = 0;
  uint32_t size = 0;
};

class Transfer {
 public:
  explicit Transfer(guest_abi::MemoryInfo* memory) : memory_(memory) {}

  guest_abi::MemoryInfo* memory() const { return memory_; }
  LinearMemory linear() const { return LinearMemory(memory_); }

  // With whatever was there before, of this guest's own.
  uint32_t reserve(uint64_t bytes, uint32_t alignment) const {
    if (bytes > UINT32_MAX) component_trap(guest_abi::ComponentTrap::kListTooLong);
    return mayfly_component_transfer_realloc(memory_, 0, 0, alignment,
                                             static_cast<uint32_t>(bytes));
  }
  // Zeroed.
  uint32_t allocate(uint64_t bytes, uint32_t alignment) const {
    const uint32_t address = reserve(bytes, alignment);
    __builtin_memset(at(address, bytes), 0, bytes);
    return address;
  }
  // For the result of a function that returns it in memory.
  template <typename T>
  uint32_t allocate(const T& value) const {
    const uint32_t address = reserve(sizeof value, alignof(T));
    store(address, value);
    return address;
  }

  // A text that ends in a NUL, without it.
  TransferBytes put(const char* text) const {
    uint32_t size = 0;
    while (text[size] != 0) ++size;
    const uint32_t bytes = reserve(size, 1);
    __builtin_memcpy(at(bytes, size), text, size);
    return {bytes, size};
  }

  uint8_t* at(uint32_t address, uint64_t bytes) const {
    const LinearMemory memory = linear();
    if (!memory.contains(address, bytes)) {
      component_trap(guest_abi::ComponentTrap::kListOutOfBounds);
    }
    return memory.at(address);
  }
  template <typename T>
  T load(uint32_t address) const {
    T value;
    __builtin_memcpy(&value, at(address, sizeof value), sizeof value);
    return value;
  }
  template <typename T>
  void store(uint32_t address, const T& value) const {
    __builtin_memcpy(at(address, sizeof value), &value, sizeof value);
  }

 private:
  guest_abi::MemoryInfo* memory_;
};

}  // namespace mayfly::guest
