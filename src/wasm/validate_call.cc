// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Calls and tail calls, direct, through tables and through references.
#include "wasm/validate_function.h"

namespace mayfly::wasm {

bool FunctionValidator::is_func_type(uint32_t type_index) {
  if (type_index >= context_.module.types.size()) {
    fail_index("unknown type", type_index);
    return false;
  }
  if (!context_.is_kind(type_index, CompositeKind::kFunc)) {
    fail_index("type mismatch: non-function type", type_index);
    return false;
  }
  return true;
}

void FunctionValidator::finish_call(CallKind kind, uint32_t type_index) {
  pop_list(context_.params(type_index));
  if (kind == CallKind::kCall) return push_list(context_.results(type_index));
  if (!matches(context_.results(type_index), results_of(frames_.front()))) {
    return fail("type mismatch: tail call's results are not those of the function");
  }
  set_unreachable();
}

void FunctionValidator::call(CallKind kind) {
  const uint32_t function_index = cursor_.u32();
  if (function_index >= context_.module.functions.size()) {
    return fail_index("unknown function", function_index);
  }
  finish_call(kind, context_.module.functions[function_index].type_index);
}

void FunctionValidator::call_indirect(CallKind kind) {
  const uint32_t type_index = cursor_.u32();
  const TableType* type = table(cursor_.u32());
  if (type == nullptr || !is_func_type(type_index)) return;
  if (!context_.matches(context_.pack_ref(type->element), PackedType::ref(true, HeapKind::kFunc))) {
    return fail("type mismatch: call through a table of " +
                context_.text(context_.pack_ref(type->element)));
  }
  pop(type->address == AddressType::kI64 ? packed::kI64 : packed::kI32);
  finish_call(kind, type_index);
}

void FunctionValidator::call_ref(CallKind kind) {
  const uint32_t type_index = cursor_.u32();
  if (!is_func_type(type_index)) return;
  pop(context_.pack_defined(type_index, true));
  finish_call(kind, type_index);
}

}  // namespace mayfly::wasm
