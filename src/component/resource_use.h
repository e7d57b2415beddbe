// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which resources of a component its imports and exports speak of.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <vector>

#include "base/result.h"
#include "component/type_arena.h"

namespace mayfly::component {

// Those of `candidates` (in order) that the declarations reach in any way. Errors: kLimit.
Result<std::set<TypeId>> resources_in(TypeArena& arena, const DeclarationList& declarations,
                                      std::span<const TypeId> candidates, uint64_t offset);

// Those that are exported as types, by the declarations or by instances among them.
Result<std::set<TypeId>> exported_resources(TypeArena& arena, const DeclarationList& declarations,
                                            std::span<const TypeId> candidates, uint64_t offset);

// Those that the parameters and the result of a function have handles of, resolved.
std::vector<TypeId> resources_of_function(const TypeArena& arena, TypeId func);

// Whether the type speaks of a resource that it does not introduce itself.
Result<bool> refers_to_resource(TypeArena& arena, TypeId type, uint64_t offset);

}  // namespace mayfly::component
