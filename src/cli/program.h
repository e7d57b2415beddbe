// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a file that the user named to an image: a module is compiled, an image is opened.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "cli/options.h"
#include "image/image.h"

namespace mayfly::cli {

// How long each phase took, in order, for --timings.
class Timings {
 public:
  Timings() : started_(std::chrono::steady_clock::now()), last_(started_) {}
  // The time since the last mark belongs to `phase`.
  void mark(std::string_view phase);
  void add(std::string_view phase, std::chrono::nanoseconds time) {
    phases_.emplace_back(phase, time);
  }
  // "timings: decode 0.31 ms, compile 20.10 ms, ..., total 31.90 ms\n"
  std::string line() const;

 private:
  std::chrono::steady_clock::time_point started_;
  std::chrono::steady_clock::time_point last_;
  std::vector<std::pair<std::string, std::chrono::nanoseconds>> phases_;
};

enum class Origin : uint8_t { kCompiledNow, kImageFile };

struct Program {
  std::unique_ptr<image::Image> image;
  Origin origin = Origin::kCompiledNow;
};

// Errors: kInvalid (neither module nor image, or a broken one), kLink, kUnsupported, kHost.
Result<Program> load_program(const std::string& file, const CompileOptions& options,
                             Timings& timings);

// The image as a file, not yet opened; for `mayfly compile`.
Result<Fd> compile_module_file(const std::string& file, const CompileOptions& options,
                               Timings& timings);

enum class FileKind : uint8_t { kModule, kComponent, kImage, kOther };
// By the first bytes.
FileKind file_kind(std::span<const uint8_t> bytes);

}  // namespace mayfly::cli
