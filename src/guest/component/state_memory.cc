// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Chunks are never given back: a list keeps the room that it once needed.
#include "guest/component/state_memory.h"

namespace mayfly::guest {

// The new chunk is zeros: no chunk was there before, and memory.grow adds zeros.
uint32_t StateMemory::new_chunk(uint64_t bytes) const {
  constexpr uint64_t kBytesMax = UINT32_MAX;
  guest_abi::ComponentState& words = state();
  const uint32_t chunk = words.next_chunk;
  const uint64_t end = chunk + bytes;
  if (chunk < guest_abi::kHandleTables || end > kBytesMax) {
    component_trap(guest_abi::ComponentTrap::kTableFull);
  }
  if (end > info_.bytes) {
    const uint64_t page_bytes = uint64_t{1} << info_.page_size_log2;
    const uint64_t pages = (end - info_.bytes + page_bytes - 1) >> info_.page_size_log2;
    if (mayfly_memory_grow(&info_, pages) == ~uint64_t{0}) {
      component_trap(guest_abi::ComponentTrap::kTableFull);
    }
  }
  words.next_chunk = static_cast<uint32_t>(end);
  return chunk;
}

}  // namespace mayfly::guest
