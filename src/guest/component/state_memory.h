// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// StateMemory: the state memory with every access checked against its size of this moment, and
// the arrays of chunks in it (guest_abi/component.h). Nothing that lies in it is believed: what
// these functions never write ends the call.
#pragma once

#include <cstdint>

#include "guest/component/trap.h"
#include "guest_abi/component.h"
#include "guest_abi/instance.h"

extern "C" uint64_t mayfly_memory_grow(mayfly::guest_abi::MemoryInfo* memory, uint64_t delta_pages);

namespace mayfly::guest {

class StateMemory {
 public:
  explicit StateMemory(guest_abi::MemoryInfo* info) : info_(*info) {}

  // The place of a T at an offset, which holds until the memory is somebody else's turn.
  template <typename T>
  T& at(uint64_t offset) const {
    if (offset % alignof(T) != 0 || info_.bytes < sizeof(T) || offset > info_.bytes - sizeof(T)) {
      component_trap(guest_abi::ComponentTrap::kDamagedState);
    }
    // SAFETY: the compiler and the linker put the memory at its address, and bytes of it are there;
    // the T is wholly inside, and aligned as a memory's address is.
    return *reinterpret_cast<T*>(info_.address + offset);
  }

  guest_abi::ComponentState& state() const { return at<guest_abi::ComponentState>(0); }
  guest_abi::HandleTable& table(uint32_t number) const {
    return at<guest_abi::HandleTable>(guest_abi::kHandleTables +
                                      uint64_t{number} * sizeof(guest_abi::HandleTable));
  }

  // Zeros at the end of what is used; they stay where they are. Returns their offset.
  uint32_t new_chunk(uint64_t bytes) const;
  // The guest's virtual address of byte 0.
  uint64_t address() const { return info_.address; }

  // Item `index` of a list. Precondition: it has been pushed.
  template <typename T>
  T& item(const guest_abi::ChunkList& list, uint32_t index) const {
    if (index > guest_abi::kHandlesMax) component_trap(guest_abi::ComponentTrap::kDamagedState);
    const Place place = place_of(index);
    const uint32_t chunk = list.chunks[place.chunk];
    if (chunk == 0) component_trap(guest_abi::ComponentTrap::kDamagedState);
    return at<T>(chunk + uint64_t{place.slot} * sizeof(T));
  }

  // One more item at the end of a list, as the memory has it there.
  template <typename T>
  T& push(guest_abi::ChunkList& list) const {
    const uint32_t index = list.count;
    if (index > guest_abi::kHandlesMax) component_trap(guest_abi::ComponentTrap::kTableFull);
    const Place place = place_of(index);
    if (list.chunks[place.chunk] == 0) {
      list.chunks[place.chunk] = new_chunk(sizeof(T) << (place.chunk + guest_abi::kFirstChunkLog2));
    }
    T& pushed = item<T>(list, index);
    list.count = index + 1;
    return pushed;
  }

 private:
  struct Place {
    uint32_t chunk;
    uint32_t slot;
  };
  static Place place_of(uint32_t index) {
    const uint32_t shifted = index + (1U << guest_abi::kFirstChunkLog2);
    const auto bit = 31U - static_cast<uint32_t>(__builtin_clz(shifted));
    return {bit - guest_abi::kFirstChunkLog2, shifted - (1U << bit)};
  }

  guest_abi::MemoryInfo& info_;
};

}  // namespace mayfly::guest
