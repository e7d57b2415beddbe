// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How Wasm types are written in Mayfly's own formats (docs/formats/image.md, "Types").
// Reading checks every byte; what it cannot read fails the ByteReader.
#pragma once

#include "base/byte_writer.h"
#include "wasm/types.h"

namespace mayfly::image {

void write_type(ByteWriter& to, const wasm::ValType& type);
void write_type(ByteWriter& to, const wasm::FuncType& type);
void write_type(ByteWriter& to, const wasm::MemoryType& type);
void write_type(ByteWriter& to, const wasm::TableType& type);
void write_type(ByteWriter& to, const wasm::GlobalType& type);

wasm::ValType read_val_type(ByteReader& from);
wasm::FuncType read_func_type(ByteReader& from);
wasm::MemoryType read_memory_type(ByteReader& from);
wasm::TableType read_table_type(ByteReader& from);
wasm::GlobalType read_global_type(ByteReader& from);

// Reads a byte that is an enumerator of E, whose last one is `last`.
template <typename E>
E read_enum(ByteReader& from, E last) {
  const uint8_t value = from.u8();
  if (value > static_cast<uint8_t>(last)) from.fail();
  return from.ok() ? static_cast<E>(value) : E{};
}

}  // namespace mayfly::image
