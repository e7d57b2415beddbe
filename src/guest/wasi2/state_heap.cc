// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One list of free blocks for each size. A block is never split nor joined: programs ask for the
// same sizes again.
#include "guest/wasi2/state_heap.h"

namespace mayfly::guest {

using guest_abi::ComponentTrap;

StateHeap::FreeLists& StateHeap::lists() const {
  if (memory_.state().heap == 0) {
    const uint32_t place = memory_.new_chunk(sizeof(FreeLists));
    memory_.state().heap = place;
  }
  return memory_.at<FreeLists>(memory_.state().heap);
}

StateHeap::Header& StateHeap::header(uint32_t block) const {
  if (block < sizeof(Header)) component_trap(ComponentTrap::kDamagedState);
  Header& found = memory_.at<Header>(block - uint32_t{sizeof(Header)});
  if (found.mark != kUsed || found.size_log2 < kSmallestLog2 ||
      found.size_log2 >= kSmallestLog2 + kSizes) {
    component_trap(ComponentTrap::kDamagedState);
  }
  return found;
}

uint32_t StateHeap::allocate(uint64_t bytes) const {
  if (bytes > (uint64_t{1} << (kSmallestLog2 + kSizes - 1)) - sizeof(Header)) {
    component_trap(ComponentTrap::kTableFull);
  }
  uint32_t size_log2 = kSmallestLog2;
  while ((uint64_t{1} << size_log2) < bytes + sizeof(Header)) ++size_log2;
  const uint32_t size = uint32_t{1} << size_log2;
  uint32_t block = lists().first[size_log2 - kSmallestLog2];
  if (block != 0) {
    const auto& freed = memory_.at<Header>(block - uint32_t{sizeof(Header)});
    if (freed.size_log2 != size_log2) component_trap(ComponentTrap::kDamagedState);
    lists().first[size_log2 - kSmallestLog2] = freed.mark;
  } else {
    block = memory_.new_chunk(size) + uint32_t{sizeof(Header)};
  }
  memory_.at<Header>(block - uint32_t{sizeof(Header)}) = {size_log2, kUsed};
  __builtin_memset(this->bytes(block, size - sizeof(Header)), 0, size - sizeof(Header));
  return block;
}

void StateHeap::release(uint32_t block) const {
  if (block == 0) return;
  Header& freed = header(block);
  uint32_t& first = lists().first[freed.size_log2 - kSmallestLog2];
  freed.mark = first;
  first = block;
}

uint32_t StateHeap::room(uint32_t block) const {
  return (uint32_t{1} << header(block).size_log2) - uint32_t{sizeof(Header)};
}

uint8_t* StateHeap::bytes(uint32_t block, uint64_t size) const {
  const uint32_t has = room(block);
  if (size > has) component_trap(ComponentTrap::kDamagedState);
  memory_.at<uint8_t>(block + uint64_t{has} - 1);  // all of it is there
  return &memory_.at<uint8_t>(block);
}

uint32_t StateHeap::grow(uint32_t block, uint64_t kept, uint64_t bytes) const {
  if (block != 0 && bytes <= room(block)) return block;
  const uint32_t larger = allocate(bytes);
  if (block != 0) {
    __builtin_memcpy(this->bytes(larger, kept), this->bytes(block, kept), kept);
    release(block);
  }
  return larger;
}

uint64_t StateHeap::address(uint32_t block) const {
  header(block);
  return memory_.address() + block;
}

}  // namespace mayfly::guest
