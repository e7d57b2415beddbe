// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Types as the text format writes them.
#include "wasm/types.h"

#include <string_view>

namespace mayfly::wasm {
namespace {

std::string_view heap_name(HeapKind kind) {
  switch (kind) {
    case HeapKind::kAny:
      return "any";
    case HeapKind::kEq:
      return "eq";
    case HeapKind::kI31:
      return "i31";
    case HeapKind::kStruct:
      return "struct";
    case HeapKind::kArray:
      return "array";
    case HeapKind::kNone:
      return "none";
    case HeapKind::kFunc:
      return "func";
    case HeapKind::kNoFunc:
      return "nofunc";
    case HeapKind::kExtern:
      return "extern";
    case HeapKind::kNoExtern:
      return "noextern";
    case HeapKind::kExn:
      return "exn";
    case HeapKind::kNoExn:
      return "noexn";
    case HeapKind::kConcrete:
      return "type";
    case HeapKind::kBottom:
      return "bottom";
  }
  return "?";
}

// The one word for (ref null kind), where there is one.
std::string_view short_ref_name(HeapKind kind) {
  switch (kind) {
    case HeapKind::kAny:
      return "anyref";
    case HeapKind::kEq:
      return "eqref";
    case HeapKind::kI31:
      return "i31ref";
    case HeapKind::kStruct:
      return "structref";
    case HeapKind::kArray:
      return "arrayref";
    case HeapKind::kNone:
      return "nullref";
    case HeapKind::kFunc:
      return "funcref";
    case HeapKind::kNoFunc:
      return "nullfuncref";
    case HeapKind::kExtern:
      return "externref";
    case HeapKind::kNoExtern:
      return "nullexternref";
    case HeapKind::kExn:
      return "exnref";
    case HeapKind::kNoExn:
      return "nullexnref";
    case HeapKind::kConcrete:
    case HeapKind::kBottom:
      return "";
  }
  return "";
}

std::string ref_text(const RefType& ref) {
  const std::string_view word = ref.nullable ? short_ref_name(ref.heap.kind) : "";
  if (!word.empty()) return std::string(word);
  std::string text = ref.nullable ? "(ref null " : "(ref ";
  text += ref.heap.kind == HeapKind::kConcrete ? std::to_string(ref.heap.type_index)
                                               : heap_name(ref.heap.kind);
  return text + ")";
}

std::string list_text(const std::vector<ValType>& types) {
  std::string text = "(";
  for (const ValType& type : types) {
    if (text.size() > 1) text += ", ";
    text += to_string(type);
  }
  return text + ")";
}

std::string limits_text(AddressType address, const Limits& limits) {
  std::string text = address == AddressType::kI64 ? "i64 " : "";
  text += std::to_string(limits.min);
  if (limits.max) text += " " + std::to_string(*limits.max);
  return text;
}

}  // namespace

std::string to_string(ValType type) {
  switch (type.kind) {
    case ValKind::kI32:
      return "i32";
    case ValKind::kI64:
      return "i64";
    case ValKind::kF32:
      return "f32";
    case ValKind::kF64:
      return "f64";
    case ValKind::kV128:
      return "v128";
    case ValKind::kI8:
      return "i8";
    case ValKind::kI16:
      return "i16";
    case ValKind::kBottom:
      return "bottom";
    case ValKind::kRef:
      return ref_text(type.ref);
  }
  return "?";
}

std::string to_string(const FuncType& type) {
  return list_text(type.params) + " -> " + list_text(type.results);
}

std::string to_string(const MemoryType& type) {
  std::string text = limits_text(type.address, type.limits);
  if (type.shared) text += " shared";
  if (type.page_size_log2 != 16) {
    text += " (pagesize " + std::to_string(uint64_t{1} << type.page_size_log2) + ")";
  }
  return text;
}

std::string to_string(const TableType& type) {
  return limits_text(type.address, type.limits) + " " + ref_text(type.element);
}

std::string to_string(const GlobalType& type) {
  const std::string text = to_string(type.type);
  return type.is_mutable ? "(mut " + text + ")" : text;
}

}  // namespace mayfly::wasm
