// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Types on one line, as WIT writes them where it can: records and the like, which WIT only knows by
// name, are written out.
#pragma once

#include <string>

#include "component/type_arena.h"

namespace mayfly::component {

// A type refers to others many times over: what is longer ends with "...".
inline constexpr size_t kTypeTextMax = 2000;

// "list<u8>", "record { x: u32, y: option<string> }", "own<resource>".
std::string to_text(const TypeArena& types, ValType type);
// "func(a: u32, b: string) -> result<u32, string>". Precondition: func is a kFunc.
std::string function_text(const TypeArena& types, TypeId func);

}  // namespace mayfly::component
