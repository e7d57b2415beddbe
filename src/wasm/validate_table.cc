// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Table instructions.
#include "wasm/validate_function.h"

namespace mayfly::wasm {
namespace {

PackedType address_of(const TableType& type) {
  return type.address == AddressType::kI64 ? packed::kI64 : packed::kI32;
}

}  // namespace

const TableType* FunctionValidator::table(uint32_t table_index) {
  if (cursor_.failed()) return nullptr;
  if (table_index >= context_.module.tables.size()) {
    fail_index("unknown table", table_index);
    return nullptr;
  }
  return &context_.module.tables[table_index].type;
}

const ElementSegment* FunctionValidator::element(uint32_t element_index) {
  if (cursor_.failed()) return nullptr;
  if (element_index >= context_.module.elements.size()) {
    fail_index("unknown elem segment", element_index);
    return nullptr;
  }
  return &context_.module.elements[element_index];
}

void FunctionValidator::table_get() {
  const TableType* type = table(cursor_.u32());
  if (type == nullptr) return;
  pop(address_of(*type));
  push(context_.pack_ref(type->element));
}

void FunctionValidator::table_set() {
  const TableType* type = table(cursor_.u32());
  if (type == nullptr) return;
  pop(context_.pack_ref(type->element));
  pop(address_of(*type));
}

void FunctionValidator::table_size() {
  const TableType* type = table(cursor_.u32());
  if (type != nullptr) push(address_of(*type));
}

void FunctionValidator::table_grow() {
  const TableType* type = table(cursor_.u32());
  if (type == nullptr) return;
  pop(address_of(*type));
  pop(context_.pack_ref(type->element));
  push(address_of(*type));
}

void FunctionValidator::table_fill() {
  const TableType* type = table(cursor_.u32());
  if (type == nullptr) return;
  pop(address_of(*type));
  pop(context_.pack_ref(type->element));
  pop(address_of(*type));
}

void FunctionValidator::table_copy() {
  const TableType* to = table(cursor_.u32());
  const TableType* from = table(cursor_.u32());
  if (to == nullptr || from == nullptr) return;
  const PackedType from_element = context_.pack_ref(from->element);
  const PackedType to_element = context_.pack_ref(to->element);
  if (!context_.matches(from_element, to_element)) {
    return fail("type mismatch: table of " + context_.text(from_element) + " copied to table of " +
                context_.text(to_element));
  }
  const bool is_32 = to->address == AddressType::kI32 || from->address == AddressType::kI32;
  pop(is_32 ? packed::kI32 : packed::kI64);
  pop(address_of(*from));
  pop(address_of(*to));
}

void FunctionValidator::table_init() {
  const uint32_t element_index = cursor_.u32();
  const TableType* to = table(cursor_.u32());
  const ElementSegment* from = element(element_index);
  if (to == nullptr || from == nullptr) return;
  const PackedType from_type = context_.pack_ref(from->type);
  const PackedType to_type = context_.pack_ref(to->element);
  if (!context_.matches(from_type, to_type)) {
    return fail("type mismatch: segment of " + context_.text(from_type) + " for table of " +
                context_.text(to_type));
  }
  pop(packed::kI32);
  pop(packed::kI32);
  pop(address_of(*to));
}

void FunctionValidator::elem_drop() { element(cursor_.u32()); }

}  // namespace mayfly::wasm
