// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// References, casts, i31 and conversions between any and extern.
#include "wasm/type_encoding.h"
#include "wasm/validate_function.h"

namespace mayfly::wasm {

std::optional<PackedType> FunctionValidator::read_ref(bool is_nullable) {
  const HeapType heap = read_heap_type(cursor_);
  if (cursor_.failed()) return std::nullopt;
  if (!context_.is_known(heap)) {
    fail_index("unknown type", heap.type_index);
    return std::nullopt;
  }
  return context_.pack_ref({is_nullable, heap});
}

PackedType FunctionValidator::top_of_type(PackedType type) const {
  const CompositeKind concrete =
      type.heap() == HeapKind::kConcrete ? context_.interner.kind(type.id()) : CompositeKind::kFunc;
  return PackedType::ref(true, top_of(type.heap(), concrete));
}

void FunctionValidator::ref_null() {
  if (const auto type = read_ref(true)) push(*type);
}

void FunctionValidator::ref_is_null() {
  pop_ref();
  push(packed::kI32);
}

// A constant expression declares what it refers to; a body refers to what is declared.
void FunctionValidator::ref_func() {
  const uint32_t index = cursor_.u32();
  if (cursor_.failed()) return;
  if (index >= context_.module.functions.size()) return fail_index("unknown function", index);
  Function& function = context_.module.functions[index];
  if (is_const_) function.is_declared_ref = true;
  if (!function.is_declared_ref) return fail_index("undeclared function reference", index);
  push(context_.pack_defined(function.type_index, false));
}

void FunctionValidator::ref_eq() {
  pop(PackedType::ref(true, HeapKind::kEq));
  pop(PackedType::ref(true, HeapKind::kEq));
  push(packed::kI32);
}

void FunctionValidator::ref_as_non_null() { push(pop_ref().as_non_null()); }

void FunctionValidator::ref_test(bool is_nullable) {
  const auto type = read_ref(is_nullable);
  if (!type) return;
  pop(top_of_type(*type));
  push(packed::kI32);
}

void FunctionValidator::ref_cast(bool is_nullable) {
  const auto type = read_ref(is_nullable);
  if (!type) return;
  pop(top_of_type(*type));
  push(*type);
}

void FunctionValidator::ref_i31() {
  pop(packed::kI32);
  push(PackedType::ref(false, HeapKind::kI31));
}

void FunctionValidator::i31_get() {
  pop(PackedType::ref(true, HeapKind::kI31));
  push(packed::kI32);
}

void FunctionValidator::convert(HeapKind from, HeapKind to) {
  const PackedType found = pop(PackedType::ref(true, from));
  push(PackedType::ref(found.is_ref() && found.is_nullable(), to));
}

}  // namespace mayfly::wasm
