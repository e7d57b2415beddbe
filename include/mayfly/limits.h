// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Limits: how much of the host one sandbox may take. Going past one is an Error with the numbers
// when it is the host's request, and the guest's own end or failed operation when it is the
// guest's.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace mayfly {

struct Limits {
  // All linear memories and tables of the sandbox together, in bytes. Range: 65,536 to 2^46.
  // Growing past it fails as memory.grow does. Cost: address space is reserved, not memory.
  uint64_t memory_bytes_max = uint64_t{4} << 30;
  // Entries of all tables together. Range: from 0. Growing past it fails as table.grow does.
  uint64_t table_entries_max = uint64_t{10'000'000};
  // The guest's stack, in bytes. Range: 65,536 to 268,435,456. Overflow is a trap.
  // Cost: address space; memory when touched.
  uint64_t stack_bytes = uint64_t{8} << 20;
  // Modules linked into one program. Range: from 1. Passing it is an error of prepare().
  uint32_t instances_max = 1000;
  // Calls inside calls: the guest calls a host function that calls the guest, and so on.
  // Range: from 1 (none inside another) to 1,000. Cost: stack of host and guest.
  uint32_t call_depth_max = 16;
  // Calls of host functions by one call of the sandbox. Range: from 0. Passing it is a trap.
  uint64_t host_calls_max = UINT64_MAX;
  // Open files, directories and sockets at once, the standard streams included. Range: from 3.
  // Opening past it fails in the guest. Cost: one descriptor of the host each.
  uint32_t open_handles_max = 4096;
  // How long one call may take, host functions included, and the whole start of the sandbox.
  // Range: over 0. nullopt: no end. Cost: one timer for all sandboxes.
  std::optional<std::chrono::nanoseconds> deadline = {};
};

}  // namespace mayfly
