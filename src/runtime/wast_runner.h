// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs a test script: plan, one image for all of it, one VM, command by command.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "image/build_request.h"
#include "vmm/vm.h"

namespace mayfly::runtime {

struct WastReport {
  // Assertions; other commands count only when they fail.
  uint64_t passed = 0;
  uint64_t failed = 0;
  uint64_t skipped = 0;               // modules in the text format
  std::vector<std::string> failures;  // "FILE:LINE: what"
  std::chrono::nanoseconds plan_time{};
  std::chrono::nanoseconds build_time{};
  std::chrono::nanoseconds run_time{};
};

// Threads: any number at once. Errors: kInvalid when the script cannot be read; kHost.
Result<WastReport> run_wast(const std::string& path, vmm::Host& host,
                            const image::BuildOptions& options);

}  // namespace mayfly::runtime
