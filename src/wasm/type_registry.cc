// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// TypeRegistry over a TypeInterner, and matching between the types of two modules.
#include "wasm/type_registry.h"

#include "base/check.h"
#include "wasm/type_interner.h"

namespace mayfly::wasm {

struct TypeRegistry::State {
  TypeInterner interner;
};

TypeRegistry::TypeRegistry() : state_(std::make_unique<State>()) {}
TypeRegistry::~TypeRegistry() = default;
TypeRegistry::TypeRegistry(TypeRegistry&&) noexcept = default;
TypeRegistry& TypeRegistry::operator=(TypeRegistry&&) noexcept = default;

std::vector<TypeId> TypeRegistry::add(std::span<const SubType> types) {
  std::vector<TypeId> ids;
  while (ids.size() < types.size()) {
    const auto first = static_cast<uint32_t>(ids.size());
    const uint32_t size = types[first].rec_group_size;
    CHECK(types[first].rec_group_first == first && size > 0, first, size);
    state_->interner.add_group(types, first, size, ids);
  }
  return ids;
}

bool TypeRegistry::is_subtype(TypeId a, TypeId b) const {
  return state_->interner.is_subtype(a, b);
}

namespace {

TypeId id_of(const HeapType& heap, TypeRegistry::Scoped scope) {
  return heap.kind == HeapKind::kConcrete ? scope.ids[heap.type_index] : TypeId{0};
}

}  // namespace

bool TypeRegistry::matches(const ValType& a, Scoped a_scope, const ValType& b,
                           Scoped b_scope) const {
  if (a.kind == ValKind::kBottom) return true;
  if (!a.is_ref() || !b.is_ref()) return a.kind == b.kind;
  if (a.ref.nullable && !b.ref.nullable) return false;
  return state_->interner.heap_matches(a.ref.heap.kind, id_of(a.ref.heap, a_scope), b.ref.heap.kind,
                                       id_of(b.ref.heap, b_scope));
}

bool TypeRegistry::equal(const ValType& a, Scoped a_scope, const ValType& b, Scoped b_scope) const {
  if (!a.is_ref() || !b.is_ref()) return a.kind == b.kind;
  return a.ref.nullable == b.ref.nullable && a.ref.heap.kind == b.ref.heap.kind &&
         id_of(a.ref.heap, a_scope) == id_of(b.ref.heap, b_scope);
}

}  // namespace mayfly::wasm
