// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// LinearMemory: the caller's memory 0 with every access checked against its size of this moment.
// A pointer of the caller is an offset; what is not wholly inside is Errno::kFault.
#pragma once

#include <cstdint>

#include "guest_abi/instance.h"
#include "guest_abi/wasi.h"
#include "guest_abi/wasi_ports.h"

namespace mayfly::guest {

class LinearMemory {
 public:
  // info is null for an instance without a memory: then no range is inside.
  explicit LinearMemory(const guest_abi::MemoryInfo* info)
      : address_(info != nullptr ? info->address : 0), bytes_(info != nullptr ? info->bytes : 0) {}

  bool contains(uint32_t offset, uint64_t bytes) const {
    return bytes <= bytes_ && offset <= bytes_ - bytes;
  }
  template <typename T>
  bool contains_array(uint32_t offset, uint32_t count) const {
    return contains(offset, uint64_t{count} * sizeof(T));
  }

  // Precondition of the rest: contains().
  uint8_t* at(uint32_t offset) const {
    // SAFETY: the compiler and the linker put the memory at address_, and bytes_ of it are there.
    return reinterpret_cast<uint8_t*>(address_ + offset);
  }
  guest_abi::WasiRange range(uint32_t offset, uint32_t bytes) const {
    return {address_ + offset, bytes};
  }
  template <typename T>
  T load(uint32_t offset) const {
    T value;
    __builtin_memcpy(&value, at(offset), sizeof value);
    return value;
  }
  template <typename T>
  void store(uint32_t offset, const T& value) const {
    __builtin_memcpy(at(offset), &value, sizeof value);
  }

 private:
  uint64_t address_;
  uint64_t bytes_;
};

// What a WASI function returns.
constexpr uint32_t answer(guest_abi::wasi::Errno error) { return static_cast<uint32_t>(error); }

}  // namespace mayfly::guest
