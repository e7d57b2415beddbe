// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Types as bytes. A value type is its ValKind; a reference adds nullability and heap type.
#include "image/type_codec.h"

namespace mayfly::image {
namespace {

void write_ref(ByteWriter& to, const wasm::RefType& type) {
  to.u8(type.nullable ? 1 : 0);
  to.u8(static_cast<uint8_t>(type.heap.kind));
  to.u32(type.heap.type_index);
}

bool read_flag(ByteReader& from) {
  const uint8_t value = from.u8();
  if (value > 1) from.fail();
  return value == 1;
}

wasm::RefType read_ref(ByteReader& from) {
  wasm::RefType type;
  type.nullable = read_flag(from);
  type.heap.kind = read_enum(from, wasm::HeapKind::kConcrete);
  type.heap.type_index = from.u32();
  const bool concrete = type.heap.kind == wasm::HeapKind::kConcrete;
  if (concrete == (type.heap.type_index == wasm::kNoIndex)) from.fail();
  return type;
}

void write_limits(ByteWriter& to, const wasm::Limits& limits) {
  to.u64(limits.min);
  to.u8(limits.max.has_value() ? 1 : 0);
  to.u64(limits.max.value_or(0));
}

wasm::Limits read_limits(ByteReader& from) {
  wasm::Limits limits;
  limits.min = from.u64();
  const bool has_max = read_flag(from);
  const uint64_t max = from.u64();
  if (has_max) {
    limits.max = max;
    if (max < limits.min) from.fail();
  }
  return limits;
}

std::vector<wasm::ValType> read_val_types(ByteReader& from) {
  std::vector<wasm::ValType> types(from.count(1));
  for (wasm::ValType& type : types) type = read_val_type(from);
  return types;
}

}  // namespace

void write_type(ByteWriter& to, const wasm::ValType& type) {
  to.u8(static_cast<uint8_t>(type.kind));
  if (type.is_ref()) write_ref(to, type.ref);
}

void write_type(ByteWriter& to, const wasm::FuncType& type) {
  to.u32(static_cast<uint32_t>(type.params.size()));
  for (const wasm::ValType& param : type.params) write_type(to, param);
  to.u32(static_cast<uint32_t>(type.results.size()));
  for (const wasm::ValType& result : type.results) write_type(to, result);
}

void write_type(ByteWriter& to, const wasm::MemoryType& type) {
  to.u8(static_cast<uint8_t>(type.address));
  write_limits(to, type.limits);
  to.u8(type.shared ? 1 : 0);
  to.u8(type.page_size_log2);
}

void write_type(ByteWriter& to, const wasm::TableType& type) {
  to.u8(static_cast<uint8_t>(type.address));
  write_limits(to, type.limits);
  write_ref(to, type.element);
}

void write_type(ByteWriter& to, const wasm::GlobalType& type) {
  write_type(to, type.type);
  to.u8(type.is_mutable ? 1 : 0);
}

wasm::ValType read_val_type(ByteReader& from) {
  wasm::ValType type;
  type.kind = read_enum(from, wasm::ValKind::kRef);
  if (type.is_ref()) type.ref = read_ref(from);
  return type;
}

wasm::FuncType read_func_type(ByteReader& from) {
  wasm::FuncType type;
  type.params = read_val_types(from);
  type.results = read_val_types(from);
  return type;
}

wasm::MemoryType read_memory_type(ByteReader& from) {
  wasm::MemoryType type;
  type.address = read_enum(from, wasm::AddressType::kI64);
  type.limits = read_limits(from);
  type.shared = read_flag(from);
  type.page_size_log2 = from.u8();
  if (type.page_size_log2 != 16 && type.page_size_log2 != 0) from.fail();
  return type;
}

wasm::TableType read_table_type(ByteReader& from) {
  wasm::TableType type;
  type.address = read_enum(from, wasm::AddressType::kI64);
  type.limits = read_limits(from);
  type.element = read_ref(from);
  return type;
}

wasm::GlobalType read_global_type(ByteReader& from) {
  wasm::GlobalType type;
  type.type = read_val_type(from);
  type.is_mutable = read_flag(from);
  return type;
}

}  // namespace mayfly::image
