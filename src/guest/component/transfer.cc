// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The realloc of the host's side: the transfer memory is a stack, whose top is its first word.
// Who makes a call puts the top back, so nothing is ever freed here.
#include "guest/component/functions.h"
#include "guest/component/state_memory.h"
#include "guest/component/trap.h"

using mayfly::guest::component_trap;
using mayfly::guest::StateMemory;
using mayfly::guest_abi::ComponentTrap;

extern "C" void* memmove(void* to, const void* from, size_t size);

extern "C" {

uint32_t mayfly_component_transfer_realloc(MemoryInfo* memory, uint32_t old, uint32_t old_size,
                                           uint32_t alignment, uint32_t size) {
  constexpr uint64_t kPageBytes = 65536;
  const StateMemory transfer(memory);
  auto& top = transfer.at<uint32_t>(0);
  const bool is_last = old_size > 0 && uint64_t{old} + old_size == top;
  const uint64_t begin =
      is_last ? old : (uint64_t{top} + alignment - 1) & ~(uint64_t{alignment} - 1);
  const uint64_t end = begin + size;
  if (end > UINT32_MAX) component_trap(ComponentTrap::kReallocOutOfBounds);
  if (end > memory->bytes) {
    const uint64_t pages = (end - memory->bytes + kPageBytes - 1) / kPageBytes;
    if (mayfly_memory_grow(memory, pages) == UINT64_MAX) {
      component_trap(ComponentTrap::kReallocOutOfBounds);
    }
  }
  if (!is_last && old_size > 0) {
    const uint32_t kept = old_size < size ? old_size : size;
    if (uint64_t{old} + kept > memory->bytes) component_trap(ComponentTrap::kReallocOutOfBounds);
    if (kept > 0) {
      memmove(&transfer.at<uint8_t>(begin), &transfer.at<uint8_t>(old), kept);
    }
  }
  transfer.at<uint32_t>(0) = static_cast<uint32_t>(end);
  return static_cast<uint32_t>(begin);
}

}  // extern "C"
