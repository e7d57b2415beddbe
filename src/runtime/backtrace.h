// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Walks a stopped guest's stack with the image's unwind table. The stack is the guest's to write:
// the walk is bounded, goes one way, and reads through checks only, so a wrong stack gives a wrong
// backtrace and nothing else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
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

// What the walk knows of the code: Image::find_location and Image::find_unwind.
struct CodeMap {
  std::function<std::optional<image::Location>(uint64_t address)> find_location;
  std::function<std::optional<image::UnwindRow>(uint64_t address)> find_unwind;
};
// The image outlives the map.
CodeMap code_map_of(const image::Image& image);

// Innermost first, at most kBacktraceFramesMax; empty when rip is no code of the image.
std::vector<Frame> backtrace(const StackPosition& position, const CodeMap& code, const vmm::Vm& vm);

}  // namespace mayfly::runtime
