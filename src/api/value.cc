// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The text of values and types.
#include "mayfly/value.h"

#include <utility>

#include "base/result.h"
#include "runtime/value.h"

namespace mayfly {
namespace {

std::string list(const std::vector<ValueKind>& kinds) {
  std::string text = "(";
  for (const ValueKind kind : kinds) {
    if (text.size() > 1) text += ", ";
    text += to_string(kind);
  }
  return text + ")";
}

}  // namespace

std::string_view to_string(ValueKind kind) {
  switch (kind) {
    case ValueKind::kI32:
      return "i32";
    case ValueKind::kI64:
      return "i64";
    case ValueKind::kF32:
      return "f32";
    case ValueKind::kF64:
      return "f64";
    case ValueKind::kV128:
      return "v128";
    case ValueKind::kFuncref:
      return "funcref";
    case ValueKind::kExternref:
      return "externref";
    case ValueKind::kOtherRef:
      return "ref";
  }
  return "?";
}

std::string to_string(const FunctionType& type) {
  return list(type.params) + " -> " + list(type.results);
}

std::string to_string(const Value& value) {
  const guest_abi::Slot slot{value.slot().low, value.slot().high};
  switch (value.kind()) {
    case ValueKind::kI32:
      return to_string(runtime::Value{wasm::kI32, slot});
    case ValueKind::kI64:
      return to_string(runtime::Value{wasm::kI64, slot});
    case ValueKind::kF32:
      return to_string(runtime::Value{wasm::kF32, slot});
    case ValueKind::kF64:
      return to_string(runtime::Value{wasm::kF64, slot});
    case ValueKind::kV128:
      return to_string(runtime::Value{wasm::kV128, slot});
    case ValueKind::kFuncref:
      return to_string(runtime::Value{wasm::kFuncref, slot});
    case ValueKind::kExternref:
      return to_string(runtime::Value{wasm::kExternref, slot});
    case ValueKind::kOtherRef:
      break;
  }
  return value.is_null() ? "null" : "ref";
}

Error Value::wrong_kind(ValueKind wanted) const {
  return invalid("the value is " + std::string(to_string(kind_)) + ", not " +
                 std::string(to_string(wanted)));
}

}  // namespace mayfly
