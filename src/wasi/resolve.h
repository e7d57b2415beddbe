// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Resolver: opens a path of the guest beneath a directory, and never outside it: not by "..", not
// by an absolute path or link, not while another process moves what lies on the way.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/fd.h"

namespace mayfly::wasi {

enum class ResolveMethod : uint8_t {
  kOpenat2,  // the kernel's own: openat2 with RESOLVE_BENEATH and RESOLVE_NO_MAGICLINKS
  kWalk,     // one component at a time, each without following links
};

enum class FollowLast : uint8_t { kNo, kYes };

struct OpenHow {
  int flags = 0;  // of open(), without O_NOFOLLOW; O_CLOEXEC is added
  mode_t mode = 0;
  FollowLast follow_last = FollowLast::kNo;
};

// error is an errno value, 0 for success. EPERM: the path leads out of the directory.
struct Opened {
  Fd fd;
  int error = 0;
};

// The directory that holds the last component of a path, for the calls that take both. name has
// no slash but perhaps one at its end, and is never followed by them.
struct Parent {
  int directory = -1;  // the caller's own, or opened
  Fd opened;
  std::string name;
  int error = 0;
};

class Resolver {
 public:
  explicit Resolver(ResolveMethod method) : method_(method) {}
  // kOpenat2 where this kernel has it and lets this process use it.
  static ResolveMethod best_method();

  Opened open(int directory, const std::string& path, const OpenHow& how) const;
  Parent parent(int directory, std::string_view path) const;

 private:
  ResolveMethod method_;
};

}  // namespace mayfly::wasi
