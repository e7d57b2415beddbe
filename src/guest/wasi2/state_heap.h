// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// StateHeap: blocks of any size in the state memory, for what an object has no room for. A block is
// named by its offset; sizes are powers of two, and what is released is used again for its size.
//
// Invariant: what a block's header says is looked at before it is used; a damaged one ends the
// call.
#pragma once

#include <cstdint>

#include "guest/component/state_memory.h"

namespace mayfly::guest {

class StateHeap {
 public:
  explicit StateHeap(const StateMemory& memory) : memory_(memory) {}

  // A block with room for at least so many bytes, which begin as zeros. Never 0.
  uint32_t allocate(uint64_t bytes) const;
  // 0: there is nothing to release.
  void release(uint32_t block) const;
  uint32_t room(uint32_t block) const;
  // The block's first bytes, which it has room for; valid until the memory is somebody else's turn.
  uint8_t* bytes(uint32_t block, uint64_t size) const;
  // The same with its bytes kept, and room for more. 0: a new one.
  uint32_t grow(uint32_t block, uint64_t kept, uint64_t bytes) const;
  // The guest's virtual address of a block's bytes, for ports.
  uint64_t address(uint32_t block) const;

  template <typename T>
  uint32_t create(const T& value) const {
    const uint32_t block = allocate(sizeof(T));
    at<T>(block) = value;
    return block;
  }
  template <typename T>
  T& at(uint32_t block) const {
    bytes(block, sizeof(T));
    return memory_.at<T>(block);
  }

 private:
  static constexpr uint32_t kSmallestLog2 = 5;
  static constexpr uint32_t kSizes = 24;
  static constexpr uint32_t kUsed = 0x4B53'4544;

  struct Header {
    uint32_t size_log2;  // with the header
    uint32_t mark;       // kUsed; of a free block: the one that was freed before it
  };
  struct FreeLists {
    uint32_t first[kSizes];
  };

  FreeLists& lists() const;
  Header& header(uint32_t block) const;

  StateMemory memory_;
};

}  // namespace mayfly::guest
