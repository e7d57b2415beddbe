// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The type section: recursion groups, supertypes, and the packed shapes that the validator uses
// (wasm-3.0 #binary-types, #valid-rectype).
#include <algorithm>

#include "wasm/decoder.h"
#include "wasm/type_encoding.h"

namespace mayfly::wasm {
namespace {

constexpr uint8_t kRecGroup = 0x4E;
constexpr uint8_t kSubFinal = 0x4F;
constexpr uint8_t kSub = 0x50;
constexpr uint8_t kArrayForm = 0x5E;
constexpr uint8_t kStructForm = 0x5F;
constexpr uint8_t kFuncForm = 0x60;

Error unknown_type(uint32_t type_index, uint64_t offset) {
  return invalid_at("unknown type " + std::to_string(type_index), offset);
}

Result<void> check_reference(const ValType& type, uint32_t group_end, uint64_t offset) {
  if (!type.is_ref() || type.ref.heap.kind != HeapKind::kConcrete) return {};
  if (type.ref.heap.type_index >= group_end) {
    return unknown_type(type.ref.heap.type_index, offset);
  }
  return {};
}

}  // namespace

Result<void> Decoder::type_section(ByteCursor& cursor) {
  const uint32_t groups = MAYFLY_TRY(count(cursor, "types", 0, limits().types_max));
  for (uint32_t i = 0; i < groups; ++i) MAYFLY_TRY(rec_group(cursor));
  return {};
}

Result<void> Decoder::rec_group(ByteCursor& cursor) {
  const auto first = static_cast<uint32_t>(module().types.size());
  uint32_t size = 1;
  if (cursor.peek() == kRecGroup) {
    const uint64_t start = cursor.position();
    cursor.u8();
    const uint32_t types_max = std::min(limits().types_max, kPackedTypeIds);
    size = MAYFLY_TRY(count(cursor, "types", first, types_max));
    if (size > limits().rec_group_types_max) {
      return limit_at("too many types in a recursion group", size, limits().rec_group_types_max,
                      start);
    }
  } else if (first >= std::min(limits().types_max, kPackedTypeIds)) {
    return limit_at("too many types", uint64_t{first} + 1, limits().types_max, cursor.position());
  }
  std::vector<uint64_t> offsets;
  for (uint32_t i = 0; i < size; ++i) {
    offsets.push_back(cursor.position());
    MAYFLY_TRY(sub_type(cursor, first + size));
    module().types.back().rec_group_first = first;
    module().types.back().rec_group_size = size;
  }
  if (size == 0) return {};
  context_.interner.add_group(module().types, first, size, context_.type_ids);
  for (uint32_t i = 0; i < size; ++i) add_shape(module().types[first + i]);
  for (uint32_t i = 0; i < size; ++i) MAYFLY_TRY(check_supertype(first + i, offsets[i]));
  return {};
}

Result<void> Decoder::sub_type(ByteCursor& cursor, uint32_t group_end) {
  SubType type;
  const uint8_t form = cursor.peek();
  if (form == kSub || form == kSubFinal) {
    cursor.u8();
    type.is_final = form == kSubFinal;
    const uint64_t start = cursor.position();
    const uint32_t supertypes = cursor.u32();
    if (supertypes > 1) {
      return invalid_at("sub type with " + std::to_string(supertypes) + " supertypes", start);
    }
    if (supertypes == 1) type.supertype = cursor.u32();
    if (cursor.failed()) return cursor.error();
    if (supertypes == 1 && type.supertype >= module().types.size()) {
      return unknown_type(type.supertype, start);
    }
  }
  MAYFLY_TRY(composite_type(cursor, group_end, type));
  module().types.push_back(std::move(type));
  return {};
}

Result<void> Decoder::composite_type(ByteCursor& cursor, uint32_t group_end, SubType& type) {
  const uint64_t start = cursor.position();
  const uint8_t form = cursor.u8();
  if (cursor.failed()) return cursor.error();
  if (form == kFuncForm) {
    type.kind = CompositeKind::kFunc;
    return func_type(cursor, group_end, type.func);
  }
  if (form == kArrayForm) {
    type.kind = CompositeKind::kArray;
    type.array.element = MAYFLY_TRY(field_type(cursor, group_end));
    return {};
  }
  if (form != kStructForm) {
    // A type is also a negative s33, which may be too long a one.
    const bool is_long = (form & 0x80) != 0;
    return invalid_at(is_long ? "integer representation too long" : "malformed type form", start);
  }
  type.kind = CompositeKind::kStruct;
  const uint32_t fields = MAYFLY_TRY(count(cursor, "fields", 0, limits().struct_fields_max));
  for (uint32_t i = 0; i < fields; ++i) {
    type.fields.fields.push_back(MAYFLY_TRY(field_type(cursor, group_end)));
  }
  return {};
}

Result<void> Decoder::func_type(ByteCursor& cursor, uint32_t group_end, FuncType& type) {
  type.params =
      MAYFLY_TRY(val_types(cursor, group_end, limits().function_params_max, "parameters"));
  type.results = MAYFLY_TRY(val_types(cursor, group_end, limits().function_results_max, "results"));
  return {};
}

Result<std::vector<ValType>> Decoder::val_types(ByteCursor& cursor, uint32_t group_end,
                                                uint32_t maximum, std::string_view what) {
  const uint32_t size = MAYFLY_TRY(count(cursor, what, 0, maximum));
  std::vector<ValType> types;
  types.reserve(size);
  for (uint32_t i = 0; i < size; ++i) {
    const uint64_t start = cursor.position();
    const ValType type = read_val_type(cursor);
    if (cursor.failed()) return cursor.error();
    MAYFLY_TRY(check_reference(type, group_end, start));
    types.push_back(type);
  }
  return types;
}

Result<FieldType> Decoder::field_type(ByteCursor& cursor, uint32_t group_end) {
  const uint64_t start = cursor.position();
  FieldType field;
  field.storage = read_storage_type(cursor);
  const uint64_t mutability_offset = cursor.position();
  const uint8_t mutability = cursor.u8();
  if (mutability > 1) cursor.fail("malformed mutability", mutability_offset);
  if (cursor.failed()) return cursor.error();
  field.is_mutable = mutability == 1;
  MAYFLY_TRY(check_reference(field.storage, group_end, start));
  return field;
}

void Decoder::add_shape(const SubType& type) {
  ModuleContext::Shape shape;
  shape.first = context_.packed_types.size();
  const auto add_param = [&](const ValType& param) {
    const PackedType packed = context_.pack(unpacked(param));
    shape.is_defaultable = shape.is_defaultable && packed.is_defaultable();
    context_.packed_types.push_back(packed);
    ++shape.params;
  };
  switch (type.kind) {
    case CompositeKind::kFunc:
      for (const ValType& param : type.func.params) add_param(param);
      for (const ValType& result : type.func.results) {
        context_.packed_types.push_back(context_.pack(result));
        ++shape.results;
      }
      break;
    case CompositeKind::kStruct:
      for (const FieldType& field : type.fields.fields) add_param(field.storage);
      break;
    case CompositeKind::kArray:
      add_param(type.array.element.storage);
      break;
  }
  context_.shapes.push_back(shape);
}

bool Decoder::field_matches(const FieldType& sub, const FieldType& super) const {
  if (sub.is_mutable != super.is_mutable) return false;
  const PackedType sub_type = context_.pack(sub.storage);
  const PackedType super_type = context_.pack(super.storage);
  return sub.is_mutable ? sub_type == super_type : context_.matches(sub_type, super_type);
}

bool Decoder::matches_supertype(const SubType& sub, const SubType& super) const {
  if (super.is_final || sub.kind != super.kind) return false;
  switch (sub.kind) {
    case CompositeKind::kFunc: {
      const auto sub_index = static_cast<uint32_t>(&sub - context_.module.types.data());
      const uint32_t super_index = sub.supertype;
      return context_.matches(context_.params(super_index), context_.params(sub_index)) &&
             context_.matches(context_.results(sub_index), context_.results(super_index));
    }
    case CompositeKind::kArray:
      return field_matches(sub.array.element, super.array.element);
    case CompositeKind::kStruct:
      break;
  }
  const auto& sub_fields = sub.fields.fields;
  const auto& super_fields = super.fields.fields;
  if (sub_fields.size() < super_fields.size()) return false;
  for (size_t i = 0; i < super_fields.size(); ++i) {
    if (!field_matches(sub_fields[i], super_fields[i])) return false;
  }
  return true;
}

Result<void> Decoder::check_supertype(uint32_t type_index, uint64_t offset) {
  const SubType& type = module().types[type_index];
  if (type.supertype == kNoIndex) return {};
  if (!matches_supertype(type, module().types[type.supertype])) {
    return invalid_at("sub type " + std::to_string(type_index) + " does not match super type " +
                          std::to_string(type.supertype),
                      offset);
  }
  const uint32_t depth = context_.interner.depth(context_.type_ids[type_index]);
  if (depth > limits().subtype_depth_max) {
    return limit_at("sub type chain too deep", depth, limits().subtype_depth_max, offset);
  }
  return {};
}

}  // namespace mayfly::wasm
