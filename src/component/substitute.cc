// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A memoized walk. Recursion is bounded by the depth of types.
#include "component/substitute.h"

#include <utility>

namespace mayfly::component {
namespace {

// Types made here count as derived ones for as long as this lives.
class Deriving {
 public:
  explicit Deriving(TypeArena& arena) : arena_(arena) { arena_.set_deriving(true); }
  Deriving(const Deriving&) = delete;
  Deriving& operator=(const Deriving&) = delete;
  ~Deriving() { arena_.set_deriving(false); }

 private:
  TypeArena& arena_;
};

bool is_same(const DeclarationList& a, const DeclarationList& b) {
  for (size_t i = 0; i < a.size(); ++i) {
    if (a.items()[i].type.code != b.items()[i].type.code) return false;
  }
  return true;
}

}  // namespace

void Substitution::map(TypeId from, TypeId to) {
  mapping_.emplace(from, to);
  const auto key = static_cast<uint32_t>(from);
  keys_.include({key, key});
}

bool Substitution::is_touched(TypeId type) const {
  const auto names = arena_.names(type);
  return !names.empty() && !keys_.empty() && names.first <= keys_.last && keys_.first <= names.last;
}

Result<TypeId> Substitution::apply(TypeId type) {
  if (!is_touched(type)) return type;
  if (const auto found = mapping_.find(type); found != mapping_.end()) return found->second;
  if (const auto found = done_.find(type); found != done_.end()) return found->second;
  MAYFLY_TRY(arena_.step(1, offset_));
  const Deriving deriving(arena_);
  const TypeId result = MAYFLY_TRY(rebuild(type));
  done_.emplace(type, result);
  return result;
}

Result<TypeId> Substitution::rebuild(TypeId type) {
  if (arena_.is_named(type)) {
    const TypeId target = arena_.named_target(type);
    const TypeId replaced = MAYFLY_TRY(apply(target));
    arena_.set_deriving(true);
    return replaced == target ? Result<TypeId>(type) : arena_.add_named(replaced, offset_);
  }
  switch (arena_.kind(type)) {
    case TypeKind::kResource:
      return type;
    case TypeKind::kInstance:
      return rebuild_instance(type);
    case TypeKind::kComponent:
      return rebuild_component(type);
    default:
      return rebuild_members(type);
  }
}

Result<ValType> Substitution::apply(ValType type) {
  if (!type.is_node()) return type;
  return ValType::of(MAYFLY_TRY(apply(type.type())));
}

Result<TypeId> Substitution::rebuild_members(TypeId type) {
  const auto old = arena_.members(type);
  std::vector<Member> members(old.begin(), old.end());
  const TypeKind kind = arena_.kind(type);
  const uint32_t extra = arena_.extra(type);
  MAYFLY_TRY(arena_.step(members.size(), offset_));
  bool changed = false;
  for (Member& member : members) {
    const ValType replaced = MAYFLY_TRY(apply(member.type));
    changed = changed || replaced != member.type;
    member.type = replaced;
  }
  if (!changed) return type;
  arena_.set_deriving(true);
  return arena_.add(kind, std::move(members), extra, offset_);
}

Result<EntityType> Substitution::apply(EntityType type) {
  if (type.sort == Sort::kCoreModule) return type;
  if (type.sort == Sort::kValue) {
    return EntityType{Sort::kValue, MAYFLY_TRY(apply(type.value())).bits()};
  }
  return EntityType::of(type.sort, MAYFLY_TRY(apply(type.type())));
}

Result<DeclarationList> Substitution::apply(const DeclarationList& declarations) {
  MAYFLY_TRY(arena_.step(declarations.size(), offset_));
  std::vector<Declaration> items = declarations.items();
  for (Declaration& item : items) item.type = MAYFLY_TRY(apply(item.type));
  return DeclarationList(std::move(items));
}

Result<TypeId> Substitution::rebuild_instance(TypeId type) {
  const InstanceType& old = arena_.instance(type);
  InstanceType instance{MAYFLY_TRY(apply(old.exports)), old.bound};
  if (is_same(instance.exports, old.exports)) return type;
  arena_.set_deriving(true);
  return arena_.add_instance(std::move(instance), offset_);
}

Result<TypeId> Substitution::rebuild_component(TypeId type) {
  const ComponentType& old = arena_.component(type);
  ComponentType component{MAYFLY_TRY(apply(old.imports)), MAYFLY_TRY(apply(old.exports)),
                          old.bound_imports, old.bound_exports};
  if (is_same(component.imports, old.imports) && is_same(component.exports, old.exports)) {
    return type;
  }
  arena_.set_deriving(true);
  return arena_.add_component(std::move(component), offset_);
}

}  // namespace mayfly::component
