// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Element and data segments, and the constant expressions of the module's fields
// (wasm-3.0 #binary-elemsec, #binary-datasec).
#include "wasm/decoder.h"
#include "wasm/type_encoding.h"

namespace mayfly::wasm {
namespace {

// Bits of an element segment's flags.
constexpr uint32_t kNotActive = 1;
constexpr uint32_t kExplicit = 2;  // a table index if active, declarative if not
constexpr uint32_t kExpressions = 4;

PackedType address_type(AddressType address) {
  return address == AddressType::kI64 ? packed::kI64 : packed::kI32;
}

Error unknown(std::string_view what, uint32_t index, uint64_t offset) {
  return invalid_at("unknown " + std::string(what) + " " + std::to_string(index), offset);
}

}  // namespace

Result<ConstExpr> Decoder::const_expr(ByteCursor& cursor, PackedType expected) {
  const uint64_t start = cursor.position();
  MAYFLY_TRY(validator_.validate_const(cursor, expected));
  return ConstExpr{{start, cursor.position() - start}};
}

Result<void> Decoder::element_section(ByteCursor& cursor) {
  const uint32_t size =
      MAYFLY_TRY(count(cursor, "element segments", 0, limits().element_segments_max));
  for (uint32_t i = 0; i < size; ++i) {
    module().elements.push_back(MAYFLY_TRY(element_segment(cursor)));
  }
  return {};
}

Result<ElementSegment> Decoder::element_segment(ByteCursor& cursor) {
  ElementSegment segment;
  const uint64_t start = cursor.position();
  const uint32_t flags = cursor.u32();
  if (flags > (kNotActive | kExplicit | kExpressions)) {
    cursor.fail("malformed elements segment kind", start);
  }
  if (cursor.failed()) return cursor.error();
  if ((flags & kNotActive) == 0) {
    segment.mode = SegmentMode::kActive;
    MAYFLY_TRY(element_table(cursor, (flags & kExplicit) != 0, segment));
  } else {
    segment.mode = (flags & kExplicit) != 0 ? SegmentMode::kDeclarative : SegmentMode::kPassive;
  }
  MAYFLY_TRY(element_type(cursor, flags, segment));
  if (segment.mode == SegmentMode::kActive) {
    const PackedType element = context_.pack_ref(segment.type);
    const PackedType table = context_.pack_ref(module().tables[segment.table_index].type.element);
    if (!context_.matches(element, table)) {
      return invalid_at("type mismatch: segment of " + context_.text(element) + " for table of " +
                            context_.text(table),
                        start);
    }
  }
  if ((flags & kExpressions) != 0) {
    MAYFLY_TRY(element_expressions(cursor, segment));
  } else {
    MAYFLY_TRY(element_functions(cursor, segment));
  }
  return segment;
}

Result<void> Decoder::element_table(ByteCursor& cursor, bool has_index, ElementSegment& segment) {
  const uint64_t start = cursor.position();
  if (has_index) segment.table_index = cursor.u32();
  if (cursor.failed()) return cursor.error();
  if (segment.table_index >= module().tables.size()) {
    return unknown("table", segment.table_index, start);
  }
  const AddressType address = module().tables[segment.table_index].type.address;
  segment.offset = MAYFLY_TRY(const_expr(cursor, address_type(address)));
  return {};
}

Result<void> Decoder::element_type(ByteCursor& cursor, uint32_t flags, ElementSegment& segment) {
  const bool has_expressions = (flags & kExpressions) != 0;
  const bool has_type = (flags & (kNotActive | kExplicit)) != 0;
  // Function indices are never null; the short form of expressions is of funcref.
  segment.type = {has_expressions, {HeapKind::kFunc, kNoIndex}};
  if (!has_type) return {};
  if (has_expressions) {
    segment.type = MAYFLY_TRY(ref_type(cursor));
    return {};
  }
  const uint64_t start = cursor.position();
  if (cursor.u8() != 0) cursor.fail("malformed element kind", start);
  if (cursor.failed()) return cursor.error();
  return {};
}

Result<void> Decoder::element_functions(ByteCursor& cursor, ElementSegment& segment) {
  const uint32_t size =
      MAYFLY_TRY(count(cursor, "elements of a segment", 0, limits().elements_per_segment_max));
  segment.func_indices.reserve(size);
  for (uint32_t i = 0; i < size; ++i) {
    const uint64_t start = cursor.position();
    const uint32_t index = cursor.u32();
    if (cursor.failed()) return cursor.error();
    if (index >= module().functions.size()) return unknown("function", index, start);
    module().functions[index].is_declared_ref = true;
    segment.func_indices.push_back(index);
  }
  return {};
}

Result<void> Decoder::element_expressions(ByteCursor& cursor, ElementSegment& segment) {
  const uint32_t size =
      MAYFLY_TRY(count(cursor, "elements of a segment", 0, limits().elements_per_segment_max));
  const PackedType type = context_.pack_ref(segment.type);
  for (uint32_t i = 0; i < size; ++i) {
    segment.expressions.push_back(MAYFLY_TRY(const_expr(cursor, type)));
  }
  return {};
}

Result<void> Decoder::data_section(ByteCursor& cursor) {
  const uint64_t start = cursor.position();
  has_data_section_ = true;
  const uint32_t size = MAYFLY_TRY(count(cursor, "data segments", 0, limits().data_segments_max));
  if (context_.data_count && *context_.data_count != size) {
    return invalid_at("data count and data section have inconsistent lengths: " +
                          std::to_string(*context_.data_count) + " and " + std::to_string(size) +
                          " segments",
                      start);
  }
  for (uint32_t i = 0; i < size; ++i) {
    module().data.push_back(MAYFLY_TRY(data_segment(cursor)));
  }
  return {};
}

Result<DataSegment> Decoder::data_segment(ByteCursor& cursor) {
  DataSegment segment;
  const uint64_t start = cursor.position();
  const uint32_t flags = cursor.u32();
  if (flags > 2) cursor.fail("malformed data segment kind", start);
  const uint64_t index_offset = cursor.position();
  if (flags == 2) segment.memory_index = cursor.u32();
  if (cursor.failed()) return cursor.error();
  segment.mode = flags == 1 ? SegmentMode::kPassive : SegmentMode::kActive;
  if (segment.mode == SegmentMode::kActive) {
    if (segment.memory_index >= module().memories.size()) {
      return unknown("memory", segment.memory_index, index_offset);
    }
    const AddressType address = module().memories[segment.memory_index].address;
    segment.offset = MAYFLY_TRY(const_expr(cursor, address_type(address)));
  }
  const uint32_t size = cursor.u32();
  segment.bytes = {cursor.position(), size};
  cursor.bytes(size);
  if (cursor.failed()) return cursor.error();
  return segment;
}

}  // namespace mayfly::wasm
