// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The canonical ABI's view of a value type: size and alignment in memory, and the core values that
// it is passed as (CanonicalABI.md #alignment, #element-size, #flattening).
// Pure functions: from the layouts of a type's parts to its own.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "component/types.h"

namespace mayfly::component {

// CanonicalABI.md #flattening
inline constexpr uint32_t kMaxFlatParams = 16;
inline constexpr uint32_t kMaxFlatAsyncParams = 4;
inline constexpr uint32_t kMaxFlatResults = 1;

// The width of a pointer: the address type of the memory that values lie in.
enum class PtrWidth : uint8_t { k32, k64 };

enum class Flat : uint8_t { kI32, kI64, kF32, kF64 };

// Up to kMaxFlatParams core values, or "more": then a value is passed in memory.
class FlatList {
 public:
  uint32_t size() const { return size_; }  // kMaxFlatParams + 1 stands for more
  bool is_more() const { return size_ > kMaxFlatParams; }
  // The first size() values; all that is known when is_more().
  std::span<const Flat> values() const {
    return {values_.data(), is_more() ? kMaxFlatParams : size_};
  }
  void push(Flat value) {
    if (size_ < kMaxFlatParams) values_[size_] = value;
    if (size_ <= kMaxFlatParams) ++size_;
  }
  void append(const FlatList& other);
  // The case `other` of a variant lies over this list, which begins after the discriminant.
  void join(const FlatList& other, uint32_t first);

 private:
  std::array<Flat, kMaxFlatParams> values_{};
  uint8_t size_ = 0;
};

// For one width of pointers. The size is at most Limits::value_bytes_max in a valid type; until
// that is checked it is exact up to 2^62 and saturates there.
struct Layout {
  uint64_t size = 0;
  uint32_t alignment = 1;
  uint32_t payload_offset = 0;  // of a variant: where payloads begin
  FlatList flat;
};

struct Layouts {
  Layout ptr32;
  Layout ptr64;
  const Layout& of(PtrWidth width) const { return width == PtrWidth::k32 ? ptr32 : ptr64; }
};

Layout prim_layout(Prim prim, PtrWidth width);
Layout record_layout(std::span<const Layout> fields);  // tuples too
// One entry for each case; a case without payload is a Layout of size 0.
Layout variant_layout(std::span<const Layout> cases);
Layout flags_layout(size_t labels);
Layout handle_layout();  // own, borrow, stream, future, error-context
Layout list_layout(PtrWidth width);
Layout fixed_list_layout(const Layout& element, uint32_t length);

// Where a record's fields begin, in the order of the fields.
std::vector<uint64_t> field_offsets(std::span<const Layout> fields);
// The bytes of a variant's discriminant: 1, 2 or 4.
uint32_t discriminant_bytes(size_t cases);
// Where a variant's payload begins.
uint64_t payload_offset(std::span<const Layout> cases);

constexpr uint64_t align_to(uint64_t offset, uint64_t alignment) {
  return (offset + alignment - 1) / alignment * alignment;
}

}  // namespace mayfly::component
