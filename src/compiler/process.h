// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What mayfly-compiler takes from itself before it reads a byte of input: the network, other
// programs, files, core dumps, memory and time past its limits.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/result.h"

namespace mayfly::compiler {

// A lower limit that the process has already stays.
struct ProcessLimits {
  uint64_t memory_bytes_max = 0;         // of address space; 0: no limit
  std::chrono::seconds cpu_time_max{0};  // of all threads together; 0: no limit
};

// Descriptors from `first_unused` on are closed. Call it while the process has one thread.
// Errors: kHost, when a rule that every kernel has is refused. File access is taken away where
// the kernel has Landlock; where it has not, seccomp's rules are all there is.
Result<void> restrict_process(const ProcessLimits& limits, unsigned first_unused);

// The most memory that this process has had at once.
uint64_t peak_memory_bytes();

}  // namespace mayfly::compiler
