// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One plan for a whole test script: its modules are instantiated statically in the script's
// order, so everything about names, types and validity is known before anything runs.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "image/build_request.h"
#include "runtime/plan_builder.h"
#include "runtime/wast_script.h"

namespace mayfly::runtime {

// What is known of a command before the script runs.
struct PlannedCommand {
  enum class Verdict : uint8_t { kRun, kPassed, kFailed, kSkipped };
  Verdict verdict = Verdict::kRun;
  std::string reason;  // kFailed, kSkipped
  uint32_t step = 0;   // kRun: the instance that it makes or acts on
};

struct WastPlan {
  image::BuildRequest request;
  std::optional<uint32_t> spectest;      // its step, which no command runs
  std::vector<PlannedCommand> commands;  // one per command of the script
};

// The bytes of a file next to the script.
using ModuleReader = std::function<Result<std::vector<uint8_t>>(const std::string& filename)>;

// `refused` are module names with the reason why they cannot be compiled: their commands fail.
WastPlan plan_wast(const WastScript& script, const image::BuildOptions& options,
                   const ModuleReader& read, const std::map<std::string, std::string>& refused);

}  // namespace mayfly::runtime
