// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What to do about an import that nothing provides: most come from a module that was built for
// another host, and the names of its imports say for which.
#pragma once

#include <string>
#include <string_view>

namespace mayfly::runtime {

// Why there is no such thing, and what would help; without a line break. For names that
// find_guest_function() does not know; what the names hold is made printable.
std::string import_advice(std::string_view module, std::string_view name);

}  // namespace mayfly::runtime
