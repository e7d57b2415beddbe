// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// MAYFLY_TRY and helpers that make an Error, for Mayfly's own code.
// The type itself is public: include/mayfly/result.h.
#pragma once

#include <cerrno>
#include <string>
#include <utility>

#include "mayfly/result.h"  // IWYU pragma: export

// The value of a Result, or returns its Error from the enclosing function.
// Do not nest it in its own argument.
#define MAYFLY_TRY(expression)                       \
  __extension__({                                    \
    auto mayfly_try_result = (expression);           \
    if (!mayfly_try_result.has_value()) [[unlikely]] \
      return std::move(mayfly_try_result).error();   \
    *std::move(mayfly_try_result);                   \
  })

namespace mayfly {

inline Error invalid(std::string message) {
  return Error{ErrorKind::kInvalid, std::move(message), 0};
}
inline Error unsupported(std::string message) {
  return Error{ErrorKind::kUnsupported, std::move(message), 0};
}
inline Error limit(std::string message) { return Error{ErrorKind::kLimit, std::move(message), 0}; }
inline Error link_error(std::string message) {
  return Error{ErrorKind::kLink, std::move(message), 0};
}

// A refused system call. Reads errno first, so call it on the line after the call.
Error host_error(std::string what);

// Puts what the caller was doing in front: "FILE: section 10 ends at ...".
Error with_context(std::string context, Error error);

}  // namespace mayfly
