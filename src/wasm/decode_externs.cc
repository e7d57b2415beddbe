// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Types of functions, tables, memories, globals and tags, as imports and definitions have them
// (wasm-3.0 #binary-externtype, #valid-externtype).
#include "wasm/decoder.h"
#include "wasm/type_encoding.h"

namespace mayfly::wasm {
namespace {

constexpr uint32_t kHasMax = 1;
constexpr uint32_t kShared = 2;
constexpr uint32_t kAddress64 = 4;
constexpr uint32_t kCustomPageSize = 8;

Error unknown_type(uint32_t type_index, uint64_t offset) {
  return invalid_at("unknown type " + std::to_string(type_index), offset);
}

// wasm-3.0 #binary-limits: the numbers are u64 for every address type.
Limits read_limits(ByteCursor& cursor, uint32_t flags) {
  Limits limits;
  limits.min = cursor.u64();
  if ((flags & kHasMax) != 0) limits.max = cursor.u64();
  return limits;
}

Result<void> check_limits(const Limits& limits, uint64_t maximum, const char* text,
                          uint64_t offset) {
  const uint64_t largest = std::max(limits.min, limits.max.value_or(0));
  if (largest > maximum) {
    return invalid_at(std::string(text) + ": " + std::to_string(largest), offset);
  }
  if (limits.max && limits.min > *limits.max) {
    return invalid_at("size minimum must not be greater than maximum: " +
                          std::to_string(limits.min) + " and " + std::to_string(*limits.max),
                      offset);
  }
  return {};
}

Result<void> check_memory(const MemoryType& type, uint64_t offset) {
  const bool is_64 = type.address == AddressType::kI64;
  // A memory may cover the whole address space, but not more.
  const unsigned page_bits = (is_64 ? 64u : 32u) - type.page_size_log2;
  const uint64_t pages_max =
      page_bits == 64 ? UINT64_MAX : (uint64_t{1} << page_bits) - (page_bits == 32 ? 1 : 0);
  const char* text = "memory size must be at most the address space";
  if (type.page_size_log2 == 16) {
    text = is_64 ? "memory size must be at most 2^48 pages"
                 : "memory size must be at most 65536 pages (4GiB)";
  }
  MAYFLY_TRY(check_limits(type.limits, pages_max, text, offset));
  if (type.shared && !type.limits.max) {
    return invalid_at("shared memory must have maximum", offset);
  }
  return {};
}

}  // namespace

Result<uint32_t> Decoder::function_type_index(ByteCursor& cursor) {
  const uint64_t start = cursor.position();
  const uint32_t index = cursor.u32();
  if (cursor.failed()) return cursor.error();
  if (index >= module().types.size()) return unknown_type(index, start);
  if (!context_.is_kind(index, CompositeKind::kFunc)) {
    return invalid_at("type mismatch: non-function type " + std::to_string(index), start);
  }
  return index;
}

Result<ValType> Decoder::val_type(ByteCursor& cursor) {
  const uint64_t start = cursor.position();
  const ValType type = read_val_type(cursor);
  if (cursor.failed()) return cursor.error();
  if (!context_.is_known(type)) return unknown_type(type.ref.heap.type_index, start);
  return type;
}

Result<RefType> Decoder::ref_type(ByteCursor& cursor) {
  const uint64_t start = cursor.position();
  const RefType type = read_ref_type(cursor);
  if (cursor.failed()) return cursor.error();
  if (!context_.is_known(type.heap)) return unknown_type(type.heap.type_index, start);
  return type;
}

Result<TableType> Decoder::table_type(ByteCursor& cursor) {
  TableType type;
  type.element = MAYFLY_TRY(ref_type(cursor));
  const uint64_t start = cursor.position();
  const uint8_t flags = cursor.u8();
  if ((flags & ~(kHasMax | kAddress64)) != 0) cursor.fail("malformed limits flags", start);
  type.address = (flags & kAddress64) != 0 ? AddressType::kI64 : AddressType::kI32;
  type.limits = read_limits(cursor, flags);
  if (cursor.failed()) return cursor.error();
  const bool is_64 = type.address == AddressType::kI64;
  MAYFLY_TRY(check_limits(type.limits, is_64 ? UINT64_MAX : UINT32_MAX,
                          "table size must be at most 2^32-1", start));
  return type;
}

Result<MemoryType> Decoder::memory_type(ByteCursor& cursor) {
  const Features& features = context_.options.features;
  uint32_t allowed = kHasMax | kAddress64;
  if (features.threads) allowed |= kShared;
  if (features.custom_page_sizes) allowed |= kCustomPageSize;
  MemoryType type;
  const uint64_t start = cursor.position();
  const uint8_t flags = cursor.u8();
  if ((flags & ~allowed) != 0) cursor.fail("malformed limits flags", start);
  type.address = (flags & kAddress64) != 0 ? AddressType::kI64 : AddressType::kI32;
  type.shared = (flags & kShared) != 0;
  type.limits = read_limits(cursor, flags);
  if ((flags & kCustomPageSize) != 0) {
    const uint64_t page_size_offset = cursor.position();
    const uint32_t page_size_log2 = cursor.u32();
    if (!cursor.failed() && page_size_log2 != 0 && page_size_log2 != 16) {
      cursor.fail("invalid custom page size", page_size_offset);
    }
    type.page_size_log2 = static_cast<uint8_t>(page_size_log2);
  }
  if (cursor.failed()) return cursor.error();
  MAYFLY_TRY(check_memory(type, start));
  return type;
}

Result<GlobalType> Decoder::global_type(ByteCursor& cursor) {
  GlobalType type;
  type.type = MAYFLY_TRY(val_type(cursor));
  const uint64_t start = cursor.position();
  const uint8_t mutability = cursor.u8();
  if (mutability > 1) cursor.fail("malformed mutability", start);
  if (cursor.failed()) return cursor.error();
  type.is_mutable = mutability == 1;
  return type;
}

Result<TagType> Decoder::tag_type(ByteCursor& cursor) {
  const uint64_t start = cursor.position();
  if (cursor.u8() != 0) cursor.fail("malformed tag attribute", start);
  if (cursor.failed()) return cursor.error();
  const TagType type{MAYFLY_TRY(function_type_index(cursor))};
  if (!context_.results(type.type_index).empty()) {
    return invalid_at("non-empty tag result type", start);
  }
  return type;
}

}  // namespace mayfly::wasm
