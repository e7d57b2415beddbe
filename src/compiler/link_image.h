// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// link_image: the objects of a plan's instances, the guest library and adapters become one image.
//
//   PlanView::create -> WindowPlan::place_memories -> compile_module per module and placement
//   -> link_image
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "compiler/compile_module.h"
#include "compiler/plan_view.h"
#include "compiler/window_plan.h"
#include "image/build_request.h"

namespace mayfly::compiler {

struct LinkRequest {
  const PlanView& plan;
  WindowPlan windows;  // memories are placed, tables not yet
  const image::BuildOptions& options;
  std::span<const std::string> module_names;
  // One per step; steps of one module with the same placements may share one.
  std::vector<const CompiledModule*> compiled;
};

// The image as docs/formats/image.md has it. The same request gives the same bytes.
// Errors: kLink, kLimit, kUnsupported.
// Threads: one at a time in a process (LLD).
Result<std::vector<uint8_t>> link_image(LinkRequest request);

}  // namespace mayfly::compiler
