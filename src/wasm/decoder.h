// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Decoder: one pass over the sections. Each section is decoded and validated where it is read,
// because whatever it may refer to comes before it, except function bodies' own instructions.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "wasm/byte_cursor.h"
#include "wasm/module_context.h"
#include "wasm/validate_function.h"

namespace mayfly::wasm {

class Decoder {
 public:
  Decoder(std::span<const uint8_t> bytes, const DecodeOptions& options)
      : context_(bytes, options), validator_(context_) {}
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  Result<Module> run();

 private:
  const DecodeLimits& limits() const { return context_.options.limits; }
  Module& module() { return context_.module; }

  // decode.cc
  Result<void> header(ByteCursor& cursor);
  Result<void> section(ByteCursor& cursor);
  Result<void> section_contents(uint8_t id, ByteCursor& contents);
  Result<void> custom_section(ByteCursor& contents);
  Result<void> check_end(uint64_t offset);

  // decode_types.cc
  Result<void> type_section(ByteCursor& cursor);
  Result<void> rec_group(ByteCursor& cursor);
  Result<void> sub_type(ByteCursor& cursor, uint32_t group_end);
  Result<void> composite_type(ByteCursor& cursor, uint32_t group_end, SubType& type);
  Result<void> func_type(ByteCursor& cursor, uint32_t group_end, FuncType& type);
  Result<std::vector<ValType>> val_types(ByteCursor& cursor, uint32_t group_end, uint32_t maximum,
                                         std::string_view what);
  Result<FieldType> field_type(ByteCursor& cursor, uint32_t group_end);
  void add_shape(const SubType& type);
  Result<void> check_supertype(uint32_t type_index, uint64_t offset);
  bool matches_supertype(const SubType& sub, const SubType& super) const;
  bool field_matches(const FieldType& sub, const FieldType& super) const;

  // decode_sections.cc
  Result<void> import_section(ByteCursor& cursor);
  Result<void> import_entry(ByteCursor& cursor);
  Result<void> function_section(ByteCursor& cursor);
  Result<void> table_section(ByteCursor& cursor);
  Result<void> memory_section(ByteCursor& cursor);
  Result<void> tag_section(ByteCursor& cursor);
  Result<void> global_section(ByteCursor& cursor);
  Result<void> export_section(ByteCursor& cursor);
  Result<void> export_entry(ByteCursor& cursor);
  Result<void> check_unique_exports(const std::vector<uint64_t>& offsets);
  Result<void> start_section(ByteCursor& cursor);
  Result<void> data_count_section(ByteCursor& cursor);
  Result<void> code_section(ByteCursor& cursor);

  // decode_externs.cc: types of imports and definitions
  Result<uint32_t> function_type_index(ByteCursor& cursor);
  Result<TableType> table_type(ByteCursor& cursor);
  Result<MemoryType> memory_type(ByteCursor& cursor);
  Result<GlobalType> global_type(ByteCursor& cursor);
  Result<TagType> tag_type(ByteCursor& cursor);
  Result<ValType> val_type(ByteCursor& cursor);
  Result<RefType> ref_type(ByteCursor& cursor);

  // decode_segments.cc
  Result<void> element_section(ByteCursor& cursor);
  Result<ElementSegment> element_segment(ByteCursor& cursor);
  Result<void> element_table(ByteCursor& cursor, bool has_index, ElementSegment& segment);
  Result<void> element_type(ByteCursor& cursor, uint32_t flags, ElementSegment& segment);
  Result<void> element_functions(ByteCursor& cursor, ElementSegment& segment);
  Result<void> element_expressions(ByteCursor& cursor, ElementSegment& segment);
  Result<void> data_section(ByteCursor& cursor);
  Result<DataSegment> data_segment(ByteCursor& cursor);
  Result<ConstExpr> const_expr(ByteCursor& cursor, PackedType expected);

  // The number of items of a vector: at most one for each byte left, and at most maximum
  // together with those that exist.
  Result<uint32_t> count(ByteCursor& cursor, std::string_view what, size_t existing,
                         uint32_t maximum);

  ModuleContext context_;
  FunctionValidator validator_;
  uint8_t last_section_rank_ = 0;
  uint32_t declared_functions_ = 0;  // by the function section
  bool has_code_section_ = false;
  bool has_data_section_ = false;
  std::vector<ByteRange> name_sections_;
};

// Reads the contents of a custom section "name". Whatever is ill-formed is left out.
Names decode_names(std::span<const uint8_t> module_bytes, ByteRange contents,
                   uint32_t function_count);

}  // namespace mayfly::wasm
