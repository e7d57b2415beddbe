// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The end of a process that found a bug in itself.
#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace mayfly::base {

void check_failed(const char* condition, const char* file, int line, const std::string& values) {
  std::fprintf(stderr, "%s:%d: CHECK failed: %s%s\n", file, line, condition, values.c_str());
  std::abort();
}

}  // namespace mayfly::base
