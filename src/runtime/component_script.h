// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs a test script of components: one image for all of its instances, one VM.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "image/build_request.h"
#include "runtime/wast_plan.h"
#include "runtime/wast_script.h"
#include "vmm/vm.h"

namespace mayfly::runtime {

// Whether the script has a component: then it has no core module that runs.
bool is_component_script(const WastScript& script, const ModuleReader& read);

// What became of each command: kPassed, kFailed or kSkipped. Errors: kHost.
Result<std::vector<PlannedCommand>> run_component_script(const WastScript& script,
                                                         const image::BuildOptions& options,
                                                         const ModuleReader& read, vmm::Host& host);

}  // namespace mayfly::runtime
