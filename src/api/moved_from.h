// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a handle answers that has nothing behind it any more.
#pragma once

#include <string>
#include <string_view>

#include "mayfly/result.h"

namespace mayfly::api {

inline Error moved_from(std::string_view what) {
  return Error{ErrorKind::kState, "the " + std::string(what) + " was moved from", 0};
}

}  // namespace mayfly::api
