// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs a test script: plan, one image for all of it, one VM, command by command.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
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
  uint64_t skipped = 0;
  std::map<std::string, uint64_t> skips;  // how many for each reason
  std::vector<std::string> failures;      // "FILE:LINE: what"
  std::chrono::nanoseconds plan_time{};
  std::chrono::nanoseconds build_time{};
  std::chrono::nanoseconds run_time{};
};

struct WastOptions {
  image::BuildOptions build;
  // kSave also writes each script's image to images_folder, as NAME.image; kUse takes it from there
  // and compiles nothing: for machines on which compiling takes too long.
  enum class Images : uint8_t { kBuild, kSave, kUse };
  Images images = Images::kBuild;
  std::string images_folder;
};

// Threads: any number at once. Errors: kInvalid when the script cannot be read; kHost.
Result<WastReport> run_wast(const std::string& path, vmm::Host& host, const WastOptions& options);

}  // namespace mayfly::runtime
