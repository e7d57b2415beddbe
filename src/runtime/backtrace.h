// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Walks a stopped guest's stack with the image's unwind table. The stack is the guest's to write:
// the walk is bounded, goes one way, and reads through checks only, so a wrong stack gives a wrong
// backtrace and nothing else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "image/image.h"
#include "runtime/call_outcome.h"
#include "vmm/vm.h"

namespace mayfly::runtime {

inline constexpr size_t kBacktraceFramesMax = 64;

// Where a walk starts.
struct StackPosition {
  uint64_t rip = 0;
  uint64_t rsp = 0;
  uint64_t rbp = 0;
};

// Innermost first, at most kBacktraceFramesMax; empty when rip is no code of the image.
std::vector<Frame> backtrace(const StackPosition& position, const image::Image& image,
                             const vmm::Vm& vm);

}  // namespace mayfly::runtime
