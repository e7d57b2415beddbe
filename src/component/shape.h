// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whether the types of a component are those that C++ types of the embedder stand for.
#pragma once

#include <functional>

#include "component/type_arena.h"
#include "mayfly/component_type.h"

namespace mayfly::component {

// Whether a resource, by its resolved type, is the one that a shape of a handle means.
using IsResource = std::function<bool(TypeId resource, const ComponentShape& shape)>;

// Precondition: func is a kFunc. Names of parameters do not count. Without is_resource no handle
// has a shape.
bool has_signature(const TypeArena& types, TypeId func, const ComponentSignature& signature,
                   const IsResource& is_resource = {});

}  // namespace mayfly::component
