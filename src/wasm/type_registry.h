// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// TypeRegistry gives equal types of different modules the same number.
// wasm-3.0 #type-equivalence: recursion groups are equal when they are equal as wholes, with
// references inside a group by position and references outside it by the referenced type's number.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "wasm/types.h"

namespace mayfly::wasm {

// Numbers a type across all modules that one registry has seen.
enum class TypeId : uint32_t {};

class TypeRegistry {
 public:
  TypeRegistry();
  ~TypeRegistry();
  TypeRegistry(TypeRegistry&&) noexcept;
  TypeRegistry& operator=(TypeRegistry&&) noexcept;

  // The numbers of a module's types, by type index.
  std::vector<TypeId> add(std::span<const SubType> types);

  // Whether a is b or declared, through any number of steps, as a subtype of b.
  bool is_subtype(TypeId a, TypeId b) const;

  // Matching of types of two modules. `ids` are the numbers that add() gave for the module.
  struct Scoped {
    std::span<const TypeId> ids;
  };
  bool matches(const ValType& a, Scoped a_scope, const ValType& b, Scoped b_scope) const;
  bool equal(const ValType& a, Scoped a_scope, const ValType& b, Scoped b_scope) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mayfly::wasm
