// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Says how two value types differ, for people.
#pragma once

#include <string>
#include <string_view>

#include "component/type_arena.h"

namespace mayfly::component {

// "u32", "record", "none".
std::string_view describe(const TypeArena& arena, ValType type);

// The first difference of two types that are not equal, with the way to it: "expected u32, found
// string in element 1 of tuple in field `x` of record".
std::string difference(const TypeArena& arena, ValType actual, ValType expected);

}  // namespace mayfly::component
