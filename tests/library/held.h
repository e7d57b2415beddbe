// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Held: what this process holds of its host, for tests of what stays behind.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace mayfly {

struct Held {
  uint64_t resident_bytes = 0;
  size_t descriptors = 0;
  size_t threads = 0;

  static Held now() {
    const auto count = [](const char* folder) {
      return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(folder),
                                               std::filesystem::directory_iterator()));
    };
    Held held;
    uint64_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages >> pages;
    held.resident_bytes = pages * 4096;
    held.descriptors = count("/proc/self/fd");
    held.threads = count("/proc/self/task");
    return held;
  }
};

}  // namespace mayfly
