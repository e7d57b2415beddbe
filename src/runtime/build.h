// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// build_image: runs mayfly-compiler as a child, so that this process never loads LLVM and a
// crash, a loop or a flood of memory in the compiler is an Error here.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "base/fd.h"
#include "base/result.h"
#include "image/build_request.h"

namespace mayfly::runtime {

struct BuildEnvironment {
  // Path of mayfly-compiler. Empty: $MAYFLY_COMPILER, else the file of that name next to the
  // running program.
  std::string compiler;
  // The child is killed past it. Range: over 0.
  std::chrono::milliseconds time_max{std::chrono::minutes(10)};
  // Of the child's address space. 0: no limit.
  uint64_t memory_bytes_max = uint64_t{8} << 30;
  // Called on the calling thread about every 100 ms while the child runs, with the time since the
  // start. May be empty.
  std::function<void(std::chrono::milliseconds)> progress;
};

// The program that build_image starts. Errors: kHost.
Result<std::string> compiler_path(const BuildEnvironment& environment);

struct Built {
  Fd image;  // a sealed memfd; not yet checked: Image::open does that
  image::BuildReply reply;
};

// Errors: what the compiler answered (kInvalid, kUnsupported, kLimit, kLink), kTimeout past
// time_max, kHost when it could not be started or ended by a signal.
// Threads: any number at once.
Result<Built> build_image(const image::BuildRequest& request,
                          const BuildEnvironment& environment = {});

}  // namespace mayfly::runtime
