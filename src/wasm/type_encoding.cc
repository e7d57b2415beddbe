// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// wasm-3.0 #binary-types. Abstract types are one byte, the negative half of a one-byte s33;
// no longer form of the same number is a type.
#include "wasm/type_encoding.h"

#include <optional>

namespace mayfly::wasm {
namespace {

constexpr uint8_t kNullableRef = 0x63;
constexpr uint8_t kNonNullRef = 0x64;
constexpr uint8_t kEmptyBlock = 0x40;

std::optional<HeapKind> abstract_heap_kind(uint8_t byte) {
  switch (byte) {
    case 0x69:
      return HeapKind::kExn;
    case 0x6A:
      return HeapKind::kArray;
    case 0x6B:
      return HeapKind::kStruct;
    case 0x6C:
      return HeapKind::kI31;
    case 0x6D:
      return HeapKind::kEq;
    case 0x6E:
      return HeapKind::kAny;
    case 0x6F:
      return HeapKind::kExtern;
    case 0x70:
      return HeapKind::kFunc;
    case 0x71:
      return HeapKind::kNone;
    case 0x72:
      return HeapKind::kNoExtern;
    case 0x73:
      return HeapKind::kNoFunc;
    case 0x74:
      return HeapKind::kNoExn;
    default:
      return std::nullopt;
  }
}

std::optional<ValKind> number_kind(uint8_t byte) {
  switch (byte) {
    case 0x7F:
      return ValKind::kI32;
    case 0x7E:
      return ValKind::kI64;
    case 0x7D:
      return ValKind::kF32;
    case 0x7C:
      return ValKind::kF64;
    case 0x7B:
      return ValKind::kV128;
    default:
      return std::nullopt;
  }
}

}  // namespace

HeapType read_heap_type(ByteCursor& cursor) {
  const uint64_t start = cursor.position();
  const uint8_t byte = cursor.peek();
  if (const auto kind = abstract_heap_kind(byte)) {
    cursor.u8();
    return {*kind, kNoIndex};
  }
  const bool is_one_byte_negative = (byte & 0xC0) == 0x40;
  const int64_t index = is_one_byte_negative ? -1 : cursor.s33();
  if (index < 0) {
    cursor.fail("malformed heap type", start);
    return {};
  }
  return {HeapKind::kConcrete, static_cast<uint32_t>(index)};
}

bool is_ref_type_ahead(const ByteCursor& cursor) {
  const uint8_t byte = cursor.peek();
  return byte == kNullableRef || byte == kNonNullRef || abstract_heap_kind(byte).has_value();
}

RefType read_ref_type(ByteCursor& cursor) {
  const uint64_t start = cursor.position();
  const uint8_t byte = cursor.u8();
  if (byte == kNullableRef) return {true, read_heap_type(cursor)};
  if (byte == kNonNullRef) return {false, read_heap_type(cursor)};
  if (const auto kind = abstract_heap_kind(byte)) return {true, {*kind, kNoIndex}};
  cursor.fail("malformed reference type", start);
  return {};
}

ValType read_val_type(ByteCursor& cursor) {
  if (const auto kind = number_kind(cursor.peek())) {
    cursor.u8();
    return ValType::of(*kind);
  }
  if (is_ref_type_ahead(cursor)) return ValType::of(read_ref_type(cursor));
  const uint64_t start = cursor.position();
  cursor.u8();
  cursor.fail("malformed value type", start);
  return {};
}

ValType read_storage_type(ByteCursor& cursor) {
  constexpr uint8_t kI8Byte = 0x78;
  constexpr uint8_t kI16Byte = 0x77;
  const uint8_t byte = cursor.peek();
  if (byte != kI8Byte && byte != kI16Byte) return read_val_type(cursor);
  cursor.u8();
  return ValType::of(byte == kI8Byte ? ValKind::kI8 : ValKind::kI16);
}

BlockType read_block_type(ByteCursor& cursor) {
  const uint64_t start = cursor.position();
  const uint8_t byte = cursor.peek();
  if (byte == kEmptyBlock) {
    cursor.u8();
    return {};
  }
  if ((byte & 0xC0) == 0x40) {
    return {BlockType::Kind::kValue, read_val_type(cursor), 0};
  }
  const int64_t index = cursor.s33();
  if (index < 0) cursor.fail("malformed block type", start);
  return {BlockType::Kind::kTypeIndex, {}, static_cast<uint32_t>(index)};
}

}  // namespace mayfly::wasm
