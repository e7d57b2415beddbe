// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Substitution: types with other types in place of some of their names and resources. This is what
// instantiation does to the types of exports (Explainer.md #type-checking).
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "component/type_arena.h"

namespace mayfly::component {

class Substitution {
 public:
  Substitution(TypeArena& arena, uint64_t offset) : arena_(arena), offset_(offset) {}
  Substitution(const Substitution&) = delete;
  Substitution& operator=(const Substitution&) = delete;

  // Puts `to` in the place of `from`, a name or a resource; the first mapping of a key stays.
  void map(TypeId from, TypeId to);
  bool contains(TypeId from) const { return mapping_.contains(from); }
  bool empty() const { return mapping_.empty(); }

  // What nothing changes in is the same node. Errors: kLimit.
  Result<TypeId> apply(TypeId type);
  Result<EntityType> apply(EntityType type);
  Result<DeclarationList> apply(const DeclarationList& declarations);

 private:
  Result<ValType> apply(ValType type);
  Result<TypeId> rebuild(TypeId type);
  Result<TypeId> rebuild_members(TypeId type);
  Result<TypeId> rebuild_instance(TypeId type);
  Result<TypeId> rebuild_component(TypeId type);
  bool is_touched(TypeId type) const;

  TypeArena& arena_;
  uint64_t offset_;
  TypeArena::NameRange keys_;
  std::unordered_map<TypeId, TypeId> mapping_;
  std::unordered_map<TypeId, TypeId> done_;
};

}  // namespace mayfly::component
