// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whether the types of a component are those that C++ types of the embedder stand for.
#pragma once

#include "component/type_arena.h"
#include "mayfly/component_type.h"

namespace mayfly::component {

// Precondition: func is a kFunc. Names of parameters do not count.
bool has_signature(const TypeArena& types, TypeId func, const ComponentSignature& signature);

}  // namespace mayfly::component
