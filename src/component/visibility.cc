// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A walk that stops where a type has a name. Recursion is bounded by the depth of types.
#include "component/visibility.h"

namespace mayfly::component {
namespace {

class Walk {
 public:
  using Set = std::unordered_set<TypeId>;
  Walk(TypeArena& arena, const Set& named, uint64_t offset)
      : arena_(arena), named_(named), offset_(offset) {}

  // All that the type refers to has a name; whether it has one itself does not matter.
  Result<bool> parts_are_named(TypeId type) {
    const TypeId resolved = arena_.resolve(type);
    if (!done_parts_.insert(resolved).second) return true;
    MAYFLY_TRY(arena_.step(1, offset_));
    switch (arena_.kind(resolved)) {
      case TypeKind::kResource:
      case TypeKind::kComponent:
        return true;
      case TypeKind::kInstance:
        return instance_is_named(resolved);
      default:
        return members_are_named(resolved);
    }
  }

  Result<bool> value_is_named(ValType type) {
    if (!type.is_node()) return true;
    const TypeId id = type.type();
    if (is_named(id) || !done_values_.insert(id).second) return true;
    MAYFLY_TRY(arena_.step(1, offset_));
    switch (arena_.kind(id)) {
      case TypeKind::kRecord:
      case TypeKind::kVariant:
      case TypeKind::kEnum:
      case TypeKind::kFlags:
      case TypeKind::kResource:
        return false;
      default:
        return members_are_named(arena_.resolve(id));
    }
  }

  // The types that an instance type exports are named for what follows in it.
  Result<bool> instance_is_named(TypeId type) {
    for (const Declaration& item : arena_.instance(type).exports.items()) {
      if (!MAYFLY_TRY(entity_is_named(item.type))) return false;
    }
    return true;
  }

  const Set& own() const { return own_; }

 private:
  Result<bool> entity_is_named(EntityType type) {
    MAYFLY_TRY(arena_.step(1, offset_));
    switch (type.sort) {
      case Sort::kCoreModule:
      case Sort::kComponent:
        return true;
      case Sort::kValue:
        return value_is_named(type.value());
      case Sort::kFunc:
      case Sort::kInstance:
        return parts_are_named(type.type());
      case Sort::kType: {
        const bool named = MAYFLY_TRY(parts_are_named(type.type()));
        own_.insert(type.type());
        return named;
      }
    }
    return true;
  }

  Result<bool> members_are_named(TypeId resolved) {
    MAYFLY_TRY(arena_.step(arena_.members(resolved).size(), offset_));
    // No type is made here, so the span stays.
    for (const Member& member : arena_.members(resolved)) {
      if (!MAYFLY_TRY(value_is_named(member.type))) return false;
    }
    return true;
  }

  bool is_named(TypeId type) const { return named_.contains(type) || own_.contains(type); }

  TypeArena& arena_;
  const Set& named_;
  uint64_t offset_;
  Set own_;
  Set done_parts_;
  Set done_values_;
};

}  // namespace

Result<bool> Visibility::admit(TypeArena& arena, EntityType type, Direction direction,
                               uint64_t offset) {
  Walk walk(arena, direction == Direction::kImport ? importable_ : exportable_, offset);
  bool admitted = true;
  switch (type.sort) {
    case Sort::kCoreModule:
    case Sort::kComponent:
      return true;
    case Sort::kValue:
      return walk.value_is_named(type.value());
    case Sort::kFunc:
    case Sort::kType:
      admitted = MAYFLY_TRY(walk.parts_are_named(type.type()));
      break;
    case Sort::kInstance:
      admitted = MAYFLY_TRY(walk.parts_are_named(type.type()));
      if (direction == Direction::kImport) {
        importable_.insert(walk.own().begin(), walk.own().end());
      }
      exportable_.insert(walk.own().begin(), walk.own().end());
      break;
  }
  if (!admitted || type.sort != Sort::kType) return admitted;
  if (direction == Direction::kImport) importable_.insert(type.type());
  exportable_.insert(type.type());
  return true;
}

}  // namespace mayfly::component
