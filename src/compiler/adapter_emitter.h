// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Adapters: functions of the Wasm ABI that stand for imports which the guest library or the host
// serves, and their FuncRefs. One object for all of an image.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "compiler/plan_view.h"
#include "image/build_request.h"

namespace mayfly::compiler {

// A relocatable object; empty where no import needs an adapter.
Result<std::vector<uint8_t>> emit_adapters(const PlanView& plan,
                                           const image::BuildOptions& options);

}  // namespace mayfly::compiler
