// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What passing values from and to the host has in common. The host is one more component instance:
// its strings are UTF-8, its memory is the transfer memory, with addresses of 32 bits.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "component/abi_layout.h"
#include "component/type_arena.h"

namespace mayfly::component {

// How many flat values there may be before all is passed in memory, and the word of messages.
enum class ValueRole : uint8_t { kArgument, kResult };

constexpr uint32_t flat_max(ValueRole role) {
  return role == ValueRole::kArgument ? kMaxFlatParams : kMaxFlatResults;
}

// Core values as the bits of integers, those of i32 and f32 extended with zeros. So joined types
// of variants need no conversion.
class FlatValues {
 public:
  // Precondition: fewer than kMaxFlatParams + 1 have been pushed; there is room for a pointer to
  // the results behind the parameters.
  void push(uint64_t bits) { values_.at(size_++) = bits; }
  std::span<const uint64_t> values() const { return std::span(values_).first(size_); }
  uint32_t size() const { return size_; }

 private:
  std::array<uint64_t, kMaxFlatParams + 1> values_{};
  uint32_t size_ = 0;
};

// How values lie as the fields of one tuple, and what they are as flat values.
Layout tuple_layout(const TypeArena& types, std::span<const ValType> fields);
Layout tuple_layout(const TypeArena& types, std::span<const Member> fields);

inline const Layout& layout_of(const TypeArena& types, ValType type) {
  return types.layouts(type).of(PtrWidth::k32);
}

// The cases of a variant, enum, option or result.
size_t case_count(const TypeArena& types, TypeId type);

}  // namespace mayfly::component
