// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The jail: what this process takes from itself before a program runs (`mayfly run --jail`), so
// that a guest that broke out of its machine and into this process finds nothing more than it was
// given. Files first, while there is one thread; system calls when everything is made.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/options.h"

namespace mayfly::cli {

enum class JailAccess : uint8_t { kRead, kReadWrite };

// A file, or a directory and all below it.
struct JailPath {
  std::string path;
  JailAccess access = JailAccess::kRead;
};

// What a run with these options has to open after it is in its jail.
std::vector<JailPath> jail_paths(const RunOptions& options);

// Nothing outside of `paths` can be opened, made or removed any more, by path. What is open stays.
// Errors: kUnsupported where the kernel has no Landlock of version 3 (Linux 6.2); kHost.
// Threads: this one and those that it starts; call it while it is the only one.
Result<void> jail_files(const std::vector<JailPath>& paths);

// System calls that no run needs fail with EPERM: other programs, other processes, mounts, the
// kernel's configuration; and making sockets, without `network`. All threads. Errors: kHost.
Result<void> jail_calls(bool network);

// Whether a program with these options can make sockets.
bool has_network(const RunOptions& options);

}  // namespace mayfly::cli
