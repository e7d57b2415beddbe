// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Module: a decoded and validated WebAssembly module. A Module that exists is valid.
// It refers to the module's bytes by offsets, and owns neither those bytes nor copies of bodies.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "wasm/limits.h"
#include "wasm/types.h"

namespace mayfly::wasm {

enum class ExternKind : uint8_t { kFunc = 0, kTable = 1, kMemory = 2, kGlobal = 3, kTag = 4 };
// As messages say it: "function", "table", ...
std::string_view to_string(ExternKind kind);
// As the text format says it: "func", "table", ...
std::string_view keyword(ExternKind kind);

// A range of the module's bytes.
struct ByteRange {
  uint64_t offset = 0;
  uint64_t size = 0;
};

struct Import {
  std::string module;
  std::string name;
  ExternKind kind = ExternKind::kFunc;
  uint32_t index = 0;  // in the index space of its kind: imports come first
};

struct Export {
  std::string name;
  ExternKind kind = ExternKind::kFunc;
  uint32_t index = 0;
};

// A constant expression, valid and with its type known: the range covers its instructions
// including the final `end`. Read it with InstructionReader.
struct ConstExpr {
  ByteRange code;
};

struct Function {
  uint32_t type_index = 0;
  ByteRange body;                // from the locals' count to the final `end`; empty for an import
  bool is_declared_ref = false;  // some ref.func, export or element names it
};

struct Table {
  TableType type;
  std::optional<ConstExpr> init;  // 3.0: the value of every entry; absent means null
};

struct Global {
  GlobalType type;
  ConstExpr init;  // unused for an import
};

enum class SegmentMode : uint8_t { kActive, kPassive, kDeclarative };

struct ElementSegment {
  SegmentMode mode = SegmentMode::kPassive;
  uint32_t table_index = 0;  // kActive
  ConstExpr offset;          // kActive
  RefType type;
  // Exactly one of the two is filled. kNoIndex never occurs in func_indices.
  std::vector<uint32_t> func_indices;
  std::vector<ConstExpr> expressions;
  size_t size() const { return func_indices.size() + expressions.size(); }
};

struct DataSegment {
  SegmentMode mode = SegmentMode::kPassive;
  uint32_t memory_index = 0;  // kActive
  ConstExpr offset;           // kActive
  ByteRange bytes;
};

struct CustomSection {
  std::string name;
  ByteRange contents;
};

// From the custom section "name", where it is well formed. Invalid names sections are ignored.
struct Names {
  std::string module;
  std::vector<std::string> functions;  // by function index; may be shorter; "" where unknown
};

struct Module {
  std::vector<SubType> types;
  std::vector<Import> imports;
  // Index spaces, imports first.
  std::vector<Function> functions;
  std::vector<Table> tables;
  std::vector<MemoryType> memories;
  std::vector<Global> globals;
  std::vector<TagType> tags;
  uint32_t imported_functions = 0;
  uint32_t imported_tables = 0;
  uint32_t imported_memories = 0;
  uint32_t imported_globals = 0;
  uint32_t imported_tags = 0;
  std::vector<Export> exports;
  std::optional<uint32_t> start;
  std::vector<ElementSegment> elements;
  std::vector<DataSegment> data;
  std::vector<CustomSection> customs;
  Names names;

  const FuncType& func_type(uint32_t function_index) const {
    return types[functions[function_index].type_index].func;
  }
  const Export* find_export(std::string_view name) const;
  // The name section's name of a function, or an export's, or "" .
  std::string_view function_name(uint32_t function_index) const;
};

struct DecodeOptions {
  DecodeLimits limits;
  Features features;
};

// Decodes and validates a module in one pass, in time linear in its size.
// Errors: kInvalid, kLimit; one line that ends with "at offset 0x...". The spec's own wording
// ("type mismatch", "unknown function 3") is part of the message.
Result<Module> decode(std::span<const uint8_t> bytes, const DecodeOptions& options = {});

}  // namespace mayfly::wasm
