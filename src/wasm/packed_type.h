// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// PackedType: a value type in 32 bits, so that the operand stack is small and equality is one
// compare. A defined type is named by its TypeId, not by its index, so equal types are equal bits.
//
//   bits 0-3 ValKind | 4 nullable | 5-8 HeapKind | 9-31 TypeId
#pragma once

#include <cstdint>

#include "wasm/type_registry.h"
#include "wasm/types.h"

namespace mayfly::wasm {

// The most types that a module may have, whatever its DecodeLimits say.
inline constexpr uint32_t kPackedTypeIds = uint32_t{1} << 23;

struct PackedType {
  uint32_t bits = 0;

  static constexpr PackedType of(ValKind kind) { return {static_cast<uint32_t>(kind)}; }
  static constexpr PackedType ref(bool nullable, HeapKind heap, TypeId id = TypeId{0}) {
    return {static_cast<uint32_t>(ValKind::kRef) | (nullable ? 0x10u : 0u) |
            static_cast<uint32_t>(heap) << 5 | static_cast<uint32_t>(id) << 9};
  }
  constexpr ValKind kind() const { return static_cast<ValKind>(bits & 0xF); }
  constexpr bool is_ref() const { return kind() == ValKind::kRef; }
  constexpr bool is_bottom() const { return kind() == ValKind::kBottom; }
  constexpr bool is_nullable() const { return (bits & 0x10) != 0; }
  constexpr HeapKind heap() const { return static_cast<HeapKind>((bits >> 5) & 0xF); }
  constexpr TypeId id() const { return static_cast<TypeId>(bits >> 9); }

  // wasm-3.0 #defaultable-types
  constexpr bool is_defaultable() const { return !is_ref() || is_nullable(); }
  constexpr PackedType as_nullable() const { return {bits | 0x10u}; }
  constexpr PackedType as_non_null() const { return {bits & ~0x10u}; }
  constexpr bool operator==(const PackedType&) const = default;
};

namespace packed {
inline constexpr PackedType kI32 = PackedType::of(ValKind::kI32);
inline constexpr PackedType kI64 = PackedType::of(ValKind::kI64);
inline constexpr PackedType kF32 = PackedType::of(ValKind::kF32);
inline constexpr PackedType kF64 = PackedType::of(ValKind::kF64);
inline constexpr PackedType kV128 = PackedType::of(ValKind::kV128);
inline constexpr PackedType kBottom = PackedType::of(ValKind::kBottom);
inline constexpr PackedType kBottomRef = PackedType::ref(false, HeapKind::kBottom);
}  // namespace packed

}  // namespace mayfly::wasm
