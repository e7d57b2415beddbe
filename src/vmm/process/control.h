// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Control: the memory through which the host and the child of the process driver take turns.
// Freestanding. The guest lives in the child, so the host reads every field as a claim.
//
//   host                                child
//   writes the mappings, starts it  ->  maps, locks itself in, reports kReady
//   command, turn = kChild          ->  runs the guest
//   reads the report                <-  report, turn = kHost
//
// Who waits polls for its turn, if there is a spin time, and then says that it sleeps before it
// does: the other wakes it only then.
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmm/weakness.h"

namespace mayfly::vmm::process {

// Above every guest address (layout.h kHighWindowsEnd) and below where the kernel puts stacks.
inline constexpr uint64_t kControlAddress = 0x7080'0000'0000;
inline constexpr uint64_t kControlHeaderBytes = 4096;

inline constexpr uint32_t kTurnHost = 0;
inline constexpr uint32_t kTurnChild = 1;

// kNest: a call inside the one that waits at a port, which kResume goes on with afterwards.
enum class Command : uint32_t { kEnter = 1, kResume = 2, kNest = 3 };

enum class Report : uint32_t {
  kReady = 1,        // after start: all is mapped, the filter is on
  kPort = 2,         // the guest asks for port `port`
  kFault = 3,        // vector, error_code, address, rip, rsp, rbp
  kInterrupted = 4,  // the host's signal ended the call; rip, rsp, rbp
  kFailed = 5,       // while starting: failed_step and failed_errno
};

// kAll breaks W^X: only a test that removes that defence uses it.
enum class Access : uint32_t { kRead = 1, kReadExecute = 2, kReadWrite = 3, kAll = 4 };

struct ChildMapping {
  uint64_t address;
  uint64_t bytes;
  uint64_t file_offset;
  int32_t file;  // descriptor, inherited under the same number
  Access access;
};
static_assert(sizeof(ChildMapping) == 32);

struct Control {
  uint32_t turn;  // the futex word
  Command command;
  uint64_t thunk;
  uint64_t function;

  Report report;
  uint32_t port;
  uint32_t vector;
  uint32_t failed_step;
  uint64_t error_code;
  uint64_t address;
  uint64_t rip;
  uint64_t rsp;
  uint64_t rbp;
  int32_t failed_errno;
  uint32_t mapping_count;
  Weakness weakness;    // read before the guest runs
  uint64_t spin_ticks;  // how long the child polls for the turn after this one, in ticks of the
                        // processor's counter; 0: not
  // Each is 1 while its side sleeps, or is about to: in a line of its own.
  alignas(128) uint32_t host_sleeps;
  alignas(128) uint32_t child_sleeps;
  // ChildMapping[mapping_count] follows at kControlHeaderBytes.
};
static_assert(sizeof(Control) <= kControlHeaderBytes);

}  // namespace mayfly::vmm::process
