// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Limits: how much of the host one sandbox may take. Going past one is an Error with the numbers
// when it is the host's request, and the guest's own end or failed operation when it is the
// guest's. What is out of its range, or cannot be met by the program as it starts, is an Error of
// Linker::instantiate().
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace mayfly {

struct Limits {
  // All linear memories and tables of the sandbox together, in bytes. Range: 65,536 to 2^46.
  // Growing past it fails as memory.grow does. Cost: address space is reserved, not memory.
  uint64_t memory_bytes_max = uint64_t{4} << 30;
  // Entries of all tables together. Range: from 0. Growing past it fails as table.grow does; a
  // table grows by pages, and may use all of its last one, of 512 entries.
  uint64_t table_entries_max = uint64_t{10'000'000};
  // The guest's stack, in bytes. Range: 65,536 to 268,435,456. Overflow is a trap.
  // Cost: address space; memory when touched.
  uint64_t stack_bytes = uint64_t{8} << 20;
  // Modules linked into one program. Range: from 1. Passing it is an error of prepare().
  uint32_t instances_max = 1000;
  // Calls inside calls: the guest calls a host function that calls the guest, and so on.
  // Range: from 1 (none inside another) to 1,000. Cost: stack of host and guest.
  uint32_t call_depth_max = 16;
  // Calls of host functions by one call of the sandbox. Range: from 0. Passing it ends the call
  // (CallOutcome::Kind::kLimit).
  uint64_t host_calls_max = UINT64_MAX;
  // Open files, directories and sockets at once, the standard streams included. Range: from 3.
  // Opening past it fails in the guest. Cost: one descriptor of the host each.
  uint32_t open_handles_max = 4096;
  // Resources of the host that the component has at once, as linker.define_resource() makes them.
  // Range: from 0. Giving it more ends the call. Cost: about 150 bytes each, and the resource.
  uint64_t host_resources_max = 1'000'000;
  // Memory of the host that the values of one call by a component, or of one answer, may take, in
  // bytes. Range: from 0. A component says it many times over by pointing to it many times; passing
  // it ends the call. Cost: that memory, until the values go.
  uint64_t lifted_bytes_max = uint64_t{1} << 30;
  // Bytes that one call writes to streams, files and sockets of the host. Range: from 0. The write
  // that would pass it is not done, and ends the call (kLimit).
  uint64_t output_bytes_max = UINT64_MAX;
  // Bytes that the guest may add to files of its directories, by writes and larger sizes, since the
  // sandbox was made, reset or restored; what it writes over or removes again counts, too. Range:
  // from 0. Past it the guest's write fails with EDQUOT.
  uint64_t file_bytes_max = UINT64_MAX;
  // How long one call may take, host functions included, and the whole start of the sandbox.
  // Range: over 0. nullopt: no end. Cost: one timer for all sandboxes.
  std::optional<std::chrono::nanoseconds> deadline = {};
  // The processor's time that one call may take: of the guest, and of host functions on the calling
  // thread. Range: over 0. nullopt: no end. Ends the call (kLimit), about 1 ms late.
  // Cost: one timer for all sandboxes, and three system calls for each call.
  std::optional<std::chrono::nanoseconds> cpu_time_max = {};
  // Units of fuel (docs/fuel.md) that one call may use, and the whole start of the sandbox. The
  // same on each machine and driver. Range: 1 to 2^63 - 1. nullopt: no end. Ends the call (kFuel).
  // Needs EngineOptions::count_fuel. Cost: none but that option's.
  std::optional<uint64_t> fuel = {};
};

}  // namespace mayfly
