// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ModuleContext: what the decoder knows while it reads a module, the C of the spec's rules.
// The validator of functions reads it; only the decoder of sections adds to it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "wasm/module.h"
#include "wasm/packed_type.h"
#include "wasm/type_interner.h"

namespace mayfly::wasm {

struct ModuleContext {
  ModuleContext(std::span<const uint8_t> module_bytes, const DecodeOptions& decode_options)
      : bytes(module_bytes), options(decode_options) {}

  // The types of one entry of the type index space, side by side in packed_types:
  // parameters then results of a function, the unpacked fields of a structure, or the one
  // element of an array, which both count as parameters.
  struct Shape {
    size_t first = 0;
    uint32_t params = 0;
    uint32_t results = 0;
    bool is_defaultable = true;  // every field, or the element
  };

  std::span<const PackedType> params(uint32_t type_index) const {
    const Shape& shape = shapes[type_index];
    return {packed_types.data() + shape.first, shape.params};
  }
  std::span<const PackedType> results(uint32_t type_index) const {
    const Shape& shape = shapes[type_index];
    return {packed_types.data() + shape.first + shape.params, shape.results};
  }

  // Preconditions: the type's index is known, its TypeId assigned.
  PackedType pack(const ValType& type) const;
  PackedType pack_ref(const RefType& ref) const { return pack(ValType::of(ref)); }
  PackedType pack_defined(uint32_t type_index, bool nullable) const {
    return PackedType::ref(nullable, HeapKind::kConcrete, type_ids[type_index]);
  }
  bool is_known(const HeapType& heap) const {
    return heap.kind != HeapKind::kConcrete || heap.type_index < module.types.size();
  }
  bool is_known(const ValType& type) const { return !type.is_ref() || is_known(type.ref.heap); }
  bool is_kind(uint32_t type_index, CompositeKind kind) const {
    return type_index < module.types.size() && module.types[type_index].kind == kind;
  }

  // wasm-3.0 #match-valtype
  bool matches(PackedType a, PackedType b) const { return a == b || matches_unequal(a, b); }
  bool matches(std::span<const PackedType> a, std::span<const PackedType> b) const;
  std::string text(PackedType type) const;

  std::span<const uint8_t> bytes;
  DecodeOptions options;
  Module module;
  TypeInterner interner;
  std::vector<TypeId> type_ids;  // by type index
  std::vector<Shape> shapes;     // by type index
  std::vector<PackedType> packed_types;
  std::optional<uint32_t> data_count;

 private:
  bool matches_unequal(PackedType a, PackedType b) const;
};

// i8 and i16 are i32 on the stack.
ValType unpacked(const ValType& storage);

}  // namespace mayfly::wasm
