// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// CHECK(condition, values...): our own bugs end the process, in release builds too.
// Bad input is never a CHECK: it is a Result.
#pragma once

#include <sstream>
#include <string>

namespace mayfly::base {

[[noreturn]] void check_failed(const char* condition, const char* file, int line,
                               const std::string& values);

template <typename... Values>
[[noreturn]] void check_failed_with(const char* condition, const char* file, int line,
                                    const Values&... values) {
  std::ostringstream text;
  ((text << ' ' << values), ...);
  check_failed(condition, file, line, text.str());
}

}  // namespace mayfly::base

#define CHECK(condition, ...)                                                 \
  do {                                                                        \
    if (!(condition)) [[unlikely]]                                            \
      ::mayfly::base::check_failed_with(#condition, __FILE__,                 \
                                        __LINE__ __VA_OPT__(, ) __VA_ARGS__); \
  } while (false)
