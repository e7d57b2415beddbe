// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a file that the user named to an image: a module is compiled, an image or a snapshot opened.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "cli/options.h"
#include "image/image.h"
#include "runtime/snapshot.h"
#include "runtime/snapshot_file.h"

namespace mayfly::cli {

enum class FileKind : uint8_t { kModule, kComponent, kImage, kSnapshot, kOther };
// By the first eight bytes.
FileKind file_kind(std::span<const uint8_t> bytes);

// A file that the user named, at its start. A module that came through a pipe is a copy that can be
// read at any place; of other streams only the first bytes are read.
struct Input {
  FileKind kind = FileKind::kOther;  // not kOther, and kComponent only where it is taken
  Fd file;
};
// Errors, which name the file: kInvalid, kUnsupported (a component), kLimit, kHost.
enum class Components : uint8_t { kRefused, kTaken };
Result<Input> open_input(const std::string& file, Components components = Components::kRefused);
// All of a module or component, from where its descriptor is. Errors name the file: kLimit, kHost.
Result<std::vector<uint8_t>> read_module(const std::string& file, const Fd& module);

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

// kCompiled: by this installation's compiler, now or for an entry of the user's own cache.
enum class Origin : uint8_t { kCompiled, kImageFile };

struct Program {
  std::unique_ptr<image::Image> image;
  Origin origin = Origin::kCompiled;
  // Of a program that starts from a snapshot; else null.
  runtime::SnapshotFilePtr file = nullptr;
  runtime::SnapshotPtr snapshot = nullptr;
};

// Errors: kInvalid (neither module nor image, or a broken one), kLink, kUnsupported, kHost.
Result<Program> load_program(const std::string& file, const CompileOptions& options,
                             const CacheUse& cache, Timings& timings);

// The image as a file, not yet opened; for `mayfly compile`.
Result<Fd> compile_module_file(const std::string& file, const CompileOptions& options,
                               Timings& timings);

}  // namespace mayfly::cli
