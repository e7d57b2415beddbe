// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Two walks with a list of what is left to do; types whose names lie elsewhere are not entered.
#include "component/resource_use.h"

#include <algorithm>
#include <unordered_set>
#include <vector>

namespace mayfly::component {
namespace {

class Walk {
 public:
  Walk(TypeArena& arena, std::span<const TypeId> candidates, uint64_t offset)
      : arena_(arena), candidates_(candidates), offset_(offset) {}

  Result<std::set<TypeId>> reach(const DeclarationList& declarations) {
    add(declarations);
    while (!left_.empty()) {
      const TypeId type = left_.back();
      left_.pop_back();
      MAYFLY_TRY(arena_.step(1, offset_));
      enter(arena_.resolve(type));
    }
    return std::move(found_);
  }

  Result<std::set<TypeId>> exported(const DeclarationList& declarations) {
    std::vector<const DeclarationList*> left = {&declarations};
    while (!left.empty()) {
      const DeclarationList& list = *left.back();
      left.pop_back();
      MAYFLY_TRY(arena_.step(list.size(), offset_));
      for (const Declaration& item : list.items()) {
        if (item.type.sort == Sort::kType) {
          note(arena_.resolve(item.type.type()));
        } else if (item.type.sort == Sort::kInstance && is_of_interest(item.type.type()) &&
                   seen_.insert(item.type.type()).second) {
          left.push_back(&arena_.instance(item.type.type()).exports);
        }
      }
    }
    return std::move(found_);
  }

 private:
  bool is_of_interest(TypeId type) const {
    const auto names = arena_.names(type);
    return !candidates_.empty() && !names.empty() &&
           names.first <= static_cast<uint32_t>(candidates_.back()) &&
           static_cast<uint32_t>(candidates_.front()) <= names.last;
  }
  void add(TypeId type) {
    if (is_of_interest(type) && seen_.insert(type).second) left_.push_back(type);
  }
  void add(const DeclarationList& declarations) {
    for (const Declaration& item : declarations.items()) {
      if (item.type.sort == Sort::kCoreModule) continue;
      if (item.type.sort != Sort::kValue) {
        add(item.type.type());
      } else if (item.type.value().is_node()) {
        add(item.type.value().type());
      }
    }
  }
  void enter(TypeId type) {
    switch (arena_.kind(type)) {
      case TypeKind::kResource:
        return note(type);
      case TypeKind::kInstance:
        return add(arena_.instance(type).exports);
      case TypeKind::kComponent:
        add(arena_.component(type).imports);
        return add(arena_.component(type).exports);
      default:
        for (const Member& member : arena_.members(type)) {
          if (member.type.is_node()) add(member.type.type());
        }
    }
  }
  void note(TypeId resource) {
    if (std::ranges::binary_search(candidates_, resource)) found_.insert(resource);
  }

  TypeArena& arena_;
  std::span<const TypeId> candidates_;
  uint64_t offset_;
  std::vector<TypeId> left_;
  std::unordered_set<TypeId> seen_;
  std::set<TypeId> found_;
};

// A resource that a type introduces occurs only within that type, so what is reached and bound by
// nothing that is reached is free.
class FreeResources {
 public:
  FreeResources(TypeArena& arena, uint64_t offset) : arena_(arena), offset_(offset) {}

  Result<bool> any(TypeId type) {
    add(type);
    while (!left_.empty()) {
      const TypeId next = left_.back();
      left_.pop_back();
      MAYFLY_TRY(arena_.step(1, offset_));
      enter(next);
    }
    return std::ranges::any_of(reached_,
                               [&](TypeId resource) { return !bound_.contains(resource); });
  }

 private:
  void add(TypeId type) {
    const TypeId resolved = arena_.resolve(type);
    if (arena_.has_resource(resolved) && seen_.insert(resolved).second) left_.push_back(resolved);
  }
  void add(const DeclarationList& declarations) {
    for (const Declaration& item : declarations.items()) {
      if (item.type.sort == Sort::kCoreModule) continue;
      if (item.type.sort != Sort::kValue) {
        add(item.type.type());
      } else if (item.type.value().is_node()) {
        add(item.type.value().type());
      }
    }
  }
  void enter(TypeId type) {
    switch (arena_.kind(type)) {
      case TypeKind::kResource:
        reached_.push_back(type);
        return;
      case TypeKind::kInstance: {
        const InstanceType& instance = arena_.instance(type);
        bound_.insert(instance.bound.begin(), instance.bound.end());
        return add(instance.exports);
      }
      case TypeKind::kComponent: {
        const ComponentType& component = arena_.component(type);
        bound_.insert(component.bound_imports.begin(), component.bound_imports.end());
        bound_.insert(component.bound_exports.begin(), component.bound_exports.end());
        add(component.imports);
        return add(component.exports);
      }
      default:
        for (const Member& member : arena_.members(type)) {
          if (member.type.is_node()) add(member.type.type());
        }
    }
  }

  TypeArena& arena_;
  uint64_t offset_;
  std::vector<TypeId> left_;
  std::vector<TypeId> reached_;
  std::unordered_set<TypeId> seen_;
  std::unordered_set<TypeId> bound_;
};

}  // namespace

Result<std::set<TypeId>> resources_in(TypeArena& arena, const DeclarationList& declarations,
                                      std::span<const TypeId> candidates, uint64_t offset) {
  return Walk(arena, candidates, offset).reach(declarations);
}

Result<bool> refers_to_resource(TypeArena& arena, TypeId type, uint64_t offset) {
  if (!arena.has_resource(type)) return false;
  return FreeResources(arena, offset).any(type);
}

Result<std::set<TypeId>> exported_resources(TypeArena& arena, const DeclarationList& declarations,
                                            std::span<const TypeId> candidates, uint64_t offset) {
  return Walk(arena, candidates, offset).exported(declarations);
}

std::vector<TypeId> resources_of_function(const TypeArena& arena, TypeId func) {
  std::set<TypeId> found;
  std::set<TypeId> seen;
  std::vector<TypeId> left;
  const auto add = [&](ValType type) {
    if (!type.exists() || type.is_prim() || !arena.has_resource(type.type())) return;
    if (seen.insert(arena.canonical(type.type())).second) left.push_back(type.type());
  };
  for (const Member& param : arena.params(func)) add(param.type);
  add(arena.result(func));
  while (!left.empty()) {
    const TypeId type = left.back();
    left.pop_back();
    const TypeKind kind = arena.kind(type);
    if (kind == TypeKind::kOwn || kind == TypeKind::kBorrow) {
      found.insert(arena.resolve(arena.resource(arena.resolve(type))));
      continue;
    }
    for (const Member& member : arena.members(type)) add(member.type);
  }
  return {found.begin(), found.end()};
}

}  // namespace mayfly::component
