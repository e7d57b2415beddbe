// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// SeedSource: a new secret for each start, reset and fork of a guest, from the kernel's random
// numbers, some ahead, so that most resets make no system call for it. A guest that never goes
// back pays for few: each seed is 40 bytes of the kernel's generator.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>

#include "base/result.h"

namespace mayfly::runtime {

// Threads: one at a time.
class SeedSource {
 public:
  struct Seed {
    uint8_t bytes[32];
    uint64_t generation;
  };
  // None is given out twice, in this process or in one forked from it. Errors: kHost.
  Result<Seed> next();

 private:
  static constexpr size_t kFirst = 2;  // creation, and the restore right after it
  static constexpr size_t kAhead = 16;
  std::array<Seed, kAhead> seeds_{};
  size_t next_ = 0;
  size_t end_ = 0;  // of those that are filled
  pid_t pid_ = 0;
};

}  // namespace mayfly::runtime
