// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// CanonicalABI.md #alignment, #element-size, #flattening, with the names of definitions.py.
#include "component/abi_layout.h"

#include <algorithm>

#include "base/check.h"

namespace mayfly::component {
namespace {

constexpr uint64_t kSizeMax = uint64_t{1} << 62;

uint64_t ptr_size(PtrWidth width) { return width == PtrWidth::k32 ? 4 : 8; }
Flat ptr_type(PtrWidth width) { return width == PtrWidth::k32 ? Flat::kI32 : Flat::kI64; }

Layout scalar(uint32_t size, Flat flat) {
  Layout layout{.size = size, .alignment = size, .flat = {}};
  layout.flat.push(flat);
  return layout;
}

uint64_t max_case_alignment(std::span<const Layout> cases) {
  uint64_t alignment = 1;
  for (const Layout& layout : cases) alignment = std::max<uint64_t>(alignment, layout.alignment);
  return alignment;
}

Flat join_flat(Flat a, Flat b) {
  if (a == b) return a;
  const auto is_32 = [](Flat flat) { return flat == Flat::kI32 || flat == Flat::kF32; };
  return is_32(a) && is_32(b) ? Flat::kI32 : Flat::kI64;
}

}  // namespace

void FlatList::append(const FlatList& other) {
  for (const Flat value : other.values()) push(value);
  if (other.is_more()) size_ = kMaxFlatParams + 1;
}

void FlatList::join(const FlatList& other, uint32_t first) {
  const auto values = other.values();
  for (uint32_t i = 0; i < values.size(); ++i) {
    const uint32_t at = first + i;
    if (at < size_ && at < kMaxFlatParams) {
      values_[at] = join_flat(values_[at], values[i]);
    } else {
      push(values[i]);
    }
  }
  if (other.is_more()) size_ = kMaxFlatParams + 1;
}

Layout prim_layout(Prim prim, PtrWidth width) {
  switch (prim) {
    case Prim::kBool:
    case Prim::kS8:
    case Prim::kU8:
      return scalar(1, Flat::kI32);
    case Prim::kS16:
    case Prim::kU16:
      return scalar(2, Flat::kI32);
    case Prim::kS32:
    case Prim::kU32:
    case Prim::kChar:
      return scalar(4, Flat::kI32);
    case Prim::kS64:
    case Prim::kU64:
      return scalar(8, Flat::kI64);
    case Prim::kF32:
      return scalar(4, Flat::kF32);
    case Prim::kF64:
      return scalar(8, Flat::kF64);
    case Prim::kString:
      return list_layout(width);
    case Prim::kErrorContext:
      return handle_layout();
  }
  return {};
}

Layout handle_layout() { return scalar(4, Flat::kI32); }

Layout list_layout(PtrWidth width) {
  Layout layout;
  layout.size = 2 * ptr_size(width);
  layout.alignment = static_cast<uint32_t>(ptr_size(width));
  layout.flat.push(ptr_type(width));
  layout.flat.push(ptr_type(width));
  return layout;
}

Layout record_layout(std::span<const Layout> fields) {
  Layout layout;
  for (const Layout& field : fields) {
    layout.size = std::min(kSizeMax, align_to(layout.size, field.alignment) + field.size);
    layout.alignment = std::max(layout.alignment, field.alignment);
    layout.flat.append(field.flat);
  }
  layout.size = align_to(layout.size, layout.alignment);
  return layout;
}

uint32_t discriminant_bytes(size_t cases) {
  CHECK(cases > 0);
  if (cases <= 0x100) return 1;
  return cases <= 0x10000 ? 2 : 4;
}

uint64_t payload_offset(std::span<const Layout> cases) {
  return align_to(discriminant_bytes(cases.size()), max_case_alignment(cases));
}

Layout variant_layout(std::span<const Layout> cases) {
  Layout layout;
  layout.alignment = static_cast<uint32_t>(
      std::max<uint64_t>(discriminant_bytes(cases.size()), max_case_alignment(cases)));
  uint64_t payload = 0;
  for (const Layout& one : cases) payload = std::max(payload, one.size);
  layout.payload_offset = static_cast<uint32_t>(payload_offset(cases));
  layout.size = std::min(kSizeMax, align_to(layout.payload_offset + payload, layout.alignment));
  layout.flat.push(Flat::kI32);
  for (const Layout& one : cases) layout.flat.join(one.flat, 1);
  return layout;
}

Layout flags_layout(size_t labels) {
  if (labels <= 8) return scalar(1, Flat::kI32);
  return scalar(labels <= 16 ? 2 : 4, Flat::kI32);
}

Layout fixed_list_layout(const Layout& element, uint32_t length) {
  Layout layout;
  layout.size = std::min(kSizeMax, std::min(kSizeMax >> 32, element.size) * length);
  layout.alignment = element.alignment;
  // Each element adds at least one value, so this ends soon.
  for (uint32_t i = 0; i < length && !layout.flat.is_more(); ++i) layout.flat.append(element.flat);
  return layout;
}

std::vector<uint64_t> field_offsets(std::span<const Layout> fields) {
  std::vector<uint64_t> offsets;
  uint64_t size = 0;
  for (const Layout& field : fields) {
    size = align_to(size, field.alignment);
    offsets.push_back(size);
    size += field.size;
  }
  return offsets;
}

}  // namespace mayfly::component
