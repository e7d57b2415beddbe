// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Subtyping (Explainer.md #type-checking): instances may export more, components may export more
// and import less; all else must be equal in structure.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "component/core_types.h"
#include "component/substitute.h"
#include "component/type_arena.h"

namespace mayfly::component {

class SubtypeChecker {
 public:
  SubtypeChecker(TypeArena& arena, const CoreTypes& core) : arena_(arena), core_(core) {}

  // Errors: kInvalid with what differs, kLimit; with the offset.
  Result<void> check(EntityType actual, EntityType expected, uint64_t offset);

  // Checks `actual` against all of `expected`, whose resources `bound` (in order) stand for what
  // `actual` has in their place. Then puts into `mapping` what stands for what: these resources,
  // and actual names for expected ones. `missing` is what is said before a name that actual lacks.
  Result<void> check_open(const DeclarationList& actual, const DeclarationList& expected,
                          std::span<const TypeId> bound, Substitution& mapping,
                          std::string_view missing, uint64_t offset);

 private:
  using Pairs = std::set<std::pair<TypeId, TypeId>>;
  struct Bindings {
    std::vector<std::pair<TypeId, TypeId>> resources;  // expected, actual
    std::vector<std::pair<TypeId, TypeId>> names;
    Pairs seen;
  };

  Result<void> entity(EntityType actual, EntityType expected);
  Result<void> type(TypeId actual, TypeId expected);
  Result<void> func(TypeId actual, TypeId expected);
  Result<void> instance(TypeId actual, TypeId expected);
  Result<void> component(TypeId actual, TypeId expected);
  Result<Bindings> declarations(const DeclarationList& actual, const DeclarationList& expected,
                                std::span<const TypeId> bound, std::string_view missing);
  Result<void> bind(const DeclarationList& actual, const DeclarationList& expected,
                    std::span<const TypeId> bound, Bindings& bindings);
  void bind_type(TypeId actual, TypeId expected, std::span<const TypeId> bound, Bindings& bindings);

  TypeArena& arena_;
  const CoreTypes& core_;
  uint64_t offset_ = 0;
  Pairs proven_;  // instance and component types: actual is a subtype of expected
};

}  // namespace mayfly::component
