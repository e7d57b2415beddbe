// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Structures and arrays (wasm-3.0 #valid-instr-struct, #valid-instr-array).
#include "wasm/validate_function.h"

namespace mayfly::wasm {

// The type, or null after a failure.
const SubType* FunctionValidator::aggregate(uint32_t type_index, CompositeKind kind) {
  if (cursor_.failed()) return nullptr;
  if (type_index >= context_.module.types.size()) {
    fail_index("unknown type", type_index);
    return nullptr;
  }
  if (!context_.is_kind(type_index, kind)) {
    fail_index(kind == CompositeKind::kStruct ? "type mismatch: non-structure type"
                                              : "type mismatch: non-array type",
               type_index);
    return nullptr;
  }
  return &context_.module.types[type_index];
}

const FieldType* FunctionValidator::array_element(uint32_t type_index) {
  const SubType* type = aggregate(type_index, CompositeKind::kArray);
  return type == nullptr ? nullptr : &type->array.element;
}

const FieldType* FunctionValidator::mutable_element(uint32_t type_index) {
  const FieldType* element = array_element(type_index);
  if (element == nullptr || element->is_mutable) return element;
  fail_index("immutable array type", type_index);
  return nullptr;
}

bool FunctionValidator::check_access(const FieldType& field, Access access) {
  const bool is_packed = field.storage.kind == ValKind::kI8 || field.storage.kind == ValKind::kI16;
  if (is_packed == (access == Access::kExtended)) return true;
  fail(is_packed ? "type mismatch: field is packed" : "type mismatch: field is unpacked");
  return false;
}

PackedType FunctionValidator::unpacked_type(const FieldType& field) const {
  return context_.pack(unpacked(field.storage));
}

// Whether bytes can initialise it.
bool FunctionValidator::is_plain(const FieldType& element) const {
  return !element.storage.is_ref();
}

void FunctionValidator::struct_new() {
  const uint32_t type_index = cursor_.u32();
  if (aggregate(type_index, CompositeKind::kStruct) == nullptr) return;
  pop_list(context_.params(type_index));
  push(context_.pack_defined(type_index, false));
}

void FunctionValidator::struct_new_default() {
  const uint32_t type_index = cursor_.u32();
  if (aggregate(type_index, CompositeKind::kStruct) == nullptr) return;
  if (!context_.shapes[type_index].is_defaultable) {
    return fail_index("type mismatch: field type is not defaultable in type", type_index);
  }
  push(context_.pack_defined(type_index, false));
}

void FunctionValidator::struct_get(Access access) {
  const uint32_t type_index = cursor_.u32();
  const uint32_t field_index = cursor_.u32();
  const SubType* type = aggregate(type_index, CompositeKind::kStruct);
  if (type == nullptr) return;
  if (field_index >= type->fields.fields.size()) return fail_index("unknown field", field_index);
  const FieldType& field = type->fields.fields[field_index];
  if (!check_access(field, access)) return;
  pop(context_.pack_defined(type_index, true));
  push(unpacked_type(field));
}

void FunctionValidator::struct_set() {
  const uint32_t type_index = cursor_.u32();
  const uint32_t field_index = cursor_.u32();
  const SubType* type = aggregate(type_index, CompositeKind::kStruct);
  if (type == nullptr) return;
  if (field_index >= type->fields.fields.size()) return fail_index("unknown field", field_index);
  const FieldType& field = type->fields.fields[field_index];
  if (!field.is_mutable) return fail_index("immutable field", field_index);
  pop(unpacked_type(field));
  pop(context_.pack_defined(type_index, true));
}

void FunctionValidator::array_new() {
  const uint32_t type_index = cursor_.u32();
  const FieldType* element = array_element(type_index);
  if (element == nullptr) return;
  pop(packed::kI32);
  pop(unpacked_type(*element));
  push(context_.pack_defined(type_index, false));
}

void FunctionValidator::array_new_default() {
  const uint32_t type_index = cursor_.u32();
  if (array_element(type_index) == nullptr) return;
  if (!context_.shapes[type_index].is_defaultable) {
    return fail_index("type mismatch: element type is not defaultable in type", type_index);
  }
  pop(packed::kI32);
  push(context_.pack_defined(type_index, false));
}

void FunctionValidator::array_new_fixed() {
  const uint32_t type_index = cursor_.u32();
  const uint32_t count = cursor_.u32();
  const FieldType* element = array_element(type_index);
  if (element == nullptr) return;
  pop_many(unpacked_type(*element), count);
  push(context_.pack_defined(type_index, false));
}

void FunctionValidator::array_new_data() {
  const uint32_t type_index = cursor_.u32();
  const uint32_t data_index = cursor_.u32();
  const FieldType* element = array_element(type_index);
  if (element == nullptr) return;
  if (!is_plain(*element)) return fail("array type is not numeric or vector");
  if (!check_data_index(data_index)) return;
  pop(packed::kI32);
  pop(packed::kI32);
  push(context_.pack_defined(type_index, false));
}

void FunctionValidator::array_new_elem() {
  const uint32_t type_index = cursor_.u32();
  const uint32_t element_index = cursor_.u32();
  const FieldType* type = array_element(type_index);
  const ElementSegment* segment = element(element_index);
  if (type == nullptr || segment == nullptr) return;
  if (!context_.matches(context_.pack_ref(segment->type), context_.pack(type->storage))) {
    return fail_index("type mismatch: array of another type than element segment", element_index);
  }
  pop(packed::kI32);
  pop(packed::kI32);
  push(context_.pack_defined(type_index, false));
}

void FunctionValidator::array_get(Access access) {
  const uint32_t type_index = cursor_.u32();
  const FieldType* element = array_element(type_index);
  if (element == nullptr || !check_access(*element, access)) return;
  pop(packed::kI32);
  pop(context_.pack_defined(type_index, true));
  push(unpacked_type(*element));
}

void FunctionValidator::array_set() {
  const uint32_t type_index = cursor_.u32();
  const FieldType* element = mutable_element(type_index);
  if (element == nullptr) return;
  pop(unpacked_type(*element));
  pop(packed::kI32);
  pop(context_.pack_defined(type_index, true));
}

void FunctionValidator::array_len() {
  pop(PackedType::ref(true, HeapKind::kArray));
  push(packed::kI32);
}

void FunctionValidator::array_fill() {
  const uint32_t type_index = cursor_.u32();
  const FieldType* element = mutable_element(type_index);
  if (element == nullptr) return;
  pop(packed::kI32);
  pop(unpacked_type(*element));
  pop(packed::kI32);
  pop(context_.pack_defined(type_index, true));
}

void FunctionValidator::array_copy() {
  const uint32_t to_index = cursor_.u32();
  const uint32_t from_index = cursor_.u32();
  const FieldType* to = mutable_element(to_index);
  const FieldType* from = array_element(from_index);
  if (to == nullptr || from == nullptr) return;
  if (!context_.matches(context_.pack(from->storage), context_.pack(to->storage))) {
    return fail("array types do not match");
  }
  pop(packed::kI32);
  pop(packed::kI32);
  pop(context_.pack_defined(from_index, true));
  pop(packed::kI32);
  pop(context_.pack_defined(to_index, true));
}

void FunctionValidator::array_init_data() {
  const uint32_t type_index = cursor_.u32();
  const uint32_t data_index = cursor_.u32();
  const FieldType* element = mutable_element(type_index);
  if (element == nullptr) return;
  if (!is_plain(*element)) return fail("array type is not numeric or vector");
  if (!check_data_index(data_index)) return;
  pop_many(packed::kI32, 3);
  pop(context_.pack_defined(type_index, true));
}

void FunctionValidator::array_init_elem() {
  const uint32_t type_index = cursor_.u32();
  const uint32_t element_index = cursor_.u32();
  const FieldType* type = mutable_element(type_index);
  const ElementSegment* segment = element(element_index);
  if (type == nullptr || segment == nullptr) return;
  if (!context_.matches(context_.pack_ref(segment->type), context_.pack(type->storage))) {
    return fail_index("type mismatch: array of another type than element segment", element_index);
  }
  pop_many(packed::kI32, 3);
  pop(context_.pack_defined(type_index, true));
}

}  // namespace mayfly::wasm
