// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// select, locals with their initialisation, and globals.
#include "wasm/type_encoding.h"
#include "wasm/validate_function.h"

namespace mayfly::wasm {

void FunctionValidator::select() {
  pop(packed::kI32);
  const PackedType second = pop_any();
  const PackedType first = pop_any();
  if (first.is_ref() || second.is_ref()) {
    return fail("type mismatch: instruction requires numeric or vector type but stack has [" +
                context_.text(first.is_ref() ? first : second) + "]");
  }
  if (first != second && !first.is_bottom() && !second.is_bottom()) {
    return fail_operand(first, second);
  }
  push(first.is_bottom() ? second : first);
}

void FunctionValidator::select_t() {
  const uint32_t count = cursor_.u32();
  if (count != 1) return fail_index("invalid result arity: select of", count);
  const ValType type = read_val_type(cursor_);
  if (cursor_.failed()) return;
  if (!context_.is_known(type)) return fail_index("unknown type", type.ref.heap.type_index);
  const PackedType packed = context_.pack(type);
  pop(packed::kI32);
  pop(packed);
  pop(packed);
  push(packed);
}

bool FunctionValidator::is_initialized(uint32_t index) const {
  if (index < params_.size()) return true;
  return index < initialized_in_.size() && initialized_in_[index] == body_number_;
}

// The array grows to the highest local ever set, and is never cleared: an entry of another body
// has another number.
void FunctionValidator::mark_initialized(uint32_t index) {
  if (is_initialized(index)) return;
  if (index >= initialized_in_.size()) initialized_in_.resize(size_t{index} + 1, 0);
  initialized_in_[index] = body_number_;
  initialized_.push_back(index);
}

void FunctionValidator::reset_initialized(uint32_t height) {
  while (initialized_.size() > height) {
    initialized_in_[initialized_.back()] = 0;
    initialized_.pop_back();
  }
}

void FunctionValidator::global_get() {
  const uint32_t index = cursor_.u32();
  if (index >= context_.module.globals.size()) return fail_index("unknown global", index);
  const GlobalType& type = context_.module.globals[index].type;
  if (is_const_ && type.is_mutable) {
    return fail_index("constant expression required, not mutable global", index);
  }
  push(context_.pack(type.type));
}

void FunctionValidator::global_set() {
  const uint32_t index = cursor_.u32();
  if (index >= context_.module.globals.size()) return fail_index("unknown global", index);
  const GlobalType& type = context_.module.globals[index].type;
  if (!type.is_mutable) return fail_index("immutable global", index);
  pop(context_.pack(type.type));
}

}  // namespace mayfly::wasm
