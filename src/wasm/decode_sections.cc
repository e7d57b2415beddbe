// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The sections that list imports, definitions and exports, and the code section's bodies
// (wasm-3.0 #binary-sections, #valid-modules).
#include <algorithm>
#include <numeric>

#include "wasm/decoder.h"

namespace mayfly::wasm {
namespace {

Error unknown(std::string_view what, uint32_t index, uint64_t offset) {
  return invalid_at("unknown " + std::string(what) + " " + std::to_string(index), offset);
}

size_t space_size(const Module& module, ExternKind kind) {
  switch (kind) {
    case ExternKind::kFunc:
      return module.functions.size();
    case ExternKind::kTable:
      return module.tables.size();
    case ExternKind::kMemory:
      return module.memories.size();
    case ExternKind::kGlobal:
      return module.globals.size();
    case ExternKind::kTag:
      return module.tags.size();
  }
  return 0;
}

uint32_t space_maximum(const DecodeLimits& limits, ExternKind kind) {
  switch (kind) {
    case ExternKind::kFunc:
      return limits.functions_max;
    case ExternKind::kTable:
      return limits.tables_max;
    case ExternKind::kMemory:
      return limits.memories_max;
    case ExternKind::kGlobal:
      return limits.globals_max;
    case ExternKind::kTag:
      return limits.tags_max;
  }
  return 0;
}

}  // namespace

Result<void> Decoder::import_section(ByteCursor& cursor) {
  const uint32_t size = MAYFLY_TRY(count(cursor, "imports", 0, limits().imports_max));
  for (uint32_t i = 0; i < size; ++i) MAYFLY_TRY(import_entry(cursor));
  module().imported_functions = static_cast<uint32_t>(module().functions.size());
  module().imported_tables = static_cast<uint32_t>(module().tables.size());
  module().imported_memories = static_cast<uint32_t>(module().memories.size());
  module().imported_globals = static_cast<uint32_t>(module().globals.size());
  module().imported_tags = static_cast<uint32_t>(module().tags.size());
  return {};
}

Result<void> Decoder::import_entry(ByteCursor& cursor) {
  const uint64_t start = cursor.position();
  Import import;
  import.module = cursor.name();
  import.name = cursor.name();
  const uint64_t kind_offset = cursor.position();
  const uint8_t kind = cursor.u8();
  if (kind > static_cast<uint8_t>(ExternKind::kTag)) {
    cursor.fail("malformed import kind", kind_offset);
  }
  if (cursor.failed()) return cursor.error();
  const size_t longest = std::max(import.module.size(), import.name.size());
  if (longest > limits().string_bytes_max) {
    return limit_at("name too long", longest, limits().string_bytes_max, start);
  }
  import.kind = static_cast<ExternKind>(kind);
  import.index = static_cast<uint32_t>(space_size(module(), import.kind));
  if (import.index >= space_maximum(limits(), import.kind)) {
    return limit_at("too many imports of one kind", uint64_t{import.index} + 1,
                    space_maximum(limits(), import.kind), start);
  }
  switch (import.kind) {
    case ExternKind::kFunc:
      module().functions.push_back({MAYFLY_TRY(function_type_index(cursor)), {}, false});
      break;
    case ExternKind::kTable:
      module().tables.push_back({MAYFLY_TRY(table_type(cursor)), std::nullopt});
      break;
    case ExternKind::kMemory:
      module().memories.push_back(MAYFLY_TRY(memory_type(cursor)));
      break;
    case ExternKind::kGlobal:
      module().globals.push_back({MAYFLY_TRY(global_type(cursor)), {}});
      break;
    case ExternKind::kTag:
      module().tags.push_back(MAYFLY_TRY(tag_type(cursor)));
      break;
  }
  module().imports.push_back(std::move(import));
  return {};
}

Result<void> Decoder::function_section(ByteCursor& cursor) {
  declared_functions_ =
      MAYFLY_TRY(count(cursor, "functions", module().functions.size(), limits().functions_max));
  for (uint32_t i = 0; i < declared_functions_; ++i) {
    module().functions.push_back({MAYFLY_TRY(function_type_index(cursor)), {}, false});
  }
  return {};
}

// wasm-3.0 #binary-table: an entry may start with 0x40 0x00 and then end with its initial value.
Result<void> Decoder::table_section(ByteCursor& cursor) {
  constexpr uint8_t kWithInit = 0x40;
  const uint32_t size =
      MAYFLY_TRY(count(cursor, "tables", module().tables.size(), limits().tables_max));
  for (uint32_t i = 0; i < size; ++i) {
    const uint64_t start = cursor.position();
    const bool has_init = cursor.peek() == kWithInit;
    if (has_init) {
      cursor.u8();
      if (cursor.u8() != 0) cursor.fail("malformed table", start);
      if (cursor.failed()) return cursor.error();
    }
    Table table;
    table.type = MAYFLY_TRY(table_type(cursor));
    if (has_init) {
      table.init = MAYFLY_TRY(const_expr(cursor, context_.pack_ref(table.type.element)));
    } else if (!table.type.element.nullable) {
      return invalid_at("type mismatch: table of non-null references without initial value", start);
    }
    module().tables.push_back(table);
  }
  return {};
}

Result<void> Decoder::memory_section(ByteCursor& cursor) {
  const uint32_t size =
      MAYFLY_TRY(count(cursor, "memories", module().memories.size(), limits().memories_max));
  for (uint32_t i = 0; i < size; ++i) {
    module().memories.push_back(MAYFLY_TRY(memory_type(cursor)));
  }
  return {};
}

Result<void> Decoder::tag_section(ByteCursor& cursor) {
  const uint32_t size = MAYFLY_TRY(count(cursor, "tags", module().tags.size(), limits().tags_max));
  for (uint32_t i = 0; i < size; ++i) module().tags.push_back(MAYFLY_TRY(tag_type(cursor)));
  return {};
}

// A global's initial value may use the globals before it, so each is added when it is complete.
Result<void> Decoder::global_section(ByteCursor& cursor) {
  const uint32_t size =
      MAYFLY_TRY(count(cursor, "globals", module().globals.size(), limits().globals_max));
  for (uint32_t i = 0; i < size; ++i) {
    Global global;
    global.type = MAYFLY_TRY(global_type(cursor));
    global.init = MAYFLY_TRY(const_expr(cursor, context_.pack(global.type.type)));
    module().globals.push_back(global);
  }
  return {};
}

Result<void> Decoder::export_section(ByteCursor& cursor) {
  const uint32_t size = MAYFLY_TRY(count(cursor, "exports", 0, limits().exports_max));
  std::vector<uint64_t> offsets;
  for (uint32_t i = 0; i < size; ++i) {
    offsets.push_back(cursor.position());
    MAYFLY_TRY(export_entry(cursor));
  }
  return check_unique_exports(offsets);
}

Result<void> Decoder::export_entry(ByteCursor& cursor) {
  const uint64_t start = cursor.position();
  Export entry;
  entry.name = cursor.name();
  const uint64_t kind_offset = cursor.position();
  const uint8_t kind = cursor.u8();
  if (kind > static_cast<uint8_t>(ExternKind::kTag)) {
    cursor.fail("malformed export kind", kind_offset);
  }
  const uint64_t index_offset = cursor.position();
  entry.index = cursor.u32();
  if (cursor.failed()) return cursor.error();
  if (entry.name.size() > limits().string_bytes_max) {
    return limit_at("name too long", entry.name.size(), limits().string_bytes_max, start);
  }
  entry.kind = static_cast<ExternKind>(kind);
  if (entry.index >= space_size(module(), entry.kind)) {
    return unknown(to_string(entry.kind), entry.index, index_offset);
  }
  if (entry.kind == ExternKind::kFunc) module().functions[entry.index].is_declared_ref = true;
  module().exports.push_back(std::move(entry));
  return {};
}

// Sorting rather than hashing: no choice of names makes it slow.
Result<void> Decoder::check_unique_exports(const std::vector<uint64_t>& offsets) {
  const std::vector<Export>& exports = module().exports;
  std::vector<uint32_t> order(exports.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    const int compared = exports[a].name.compare(exports[b].name);
    return compared != 0 ? compared < 0 : a < b;
  });
  const auto twin = std::adjacent_find(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return exports[a].name == exports[b].name;
  });
  if (twin == order.end()) return {};
  return invalid_at("duplicate export name of exports " + std::to_string(*twin) + " and " +
                        std::to_string(*(twin + 1)),
                    offsets[*(twin + 1)]);
}

Result<void> Decoder::start_section(ByteCursor& cursor) {
  const uint64_t offset = cursor.position();
  const uint32_t index = cursor.u32();
  if (cursor.failed()) return cursor.error();
  if (index >= module().functions.size()) return unknown("function", index, offset);
  const FuncType& type = module().func_type(index);
  if (!type.params.empty() || !type.results.empty()) {
    return invalid_at("start function " + std::to_string(index) + " has type " + to_string(type),
                      offset);
  }
  module().start = index;
  return {};
}

Result<void> Decoder::data_count_section(ByteCursor& cursor) {
  const uint64_t start = cursor.position();
  const uint32_t segments = cursor.u32();
  if (cursor.failed()) return cursor.error();
  if (segments > limits().data_segments_max) {
    return limit_at("too many data segments", segments, limits().data_segments_max, start);
  }
  context_.data_count = segments;
  return {};
}

Result<void> Decoder::code_section(ByteCursor& cursor) {
  const uint64_t start = cursor.position();
  const uint32_t bodies = cursor.u32();
  if (cursor.failed()) return cursor.error();
  has_code_section_ = true;
  if (bodies != declared_functions_) {
    return invalid_at("function and code section have inconsistent lengths: " +
                          std::to_string(declared_functions_) + " functions, " +
                          std::to_string(bodies) + " bodies",
                      start);
  }
  for (uint32_t i = 0; i < bodies; ++i) {
    const uint64_t size_offset = cursor.position();
    const uint32_t size = cursor.u32();
    const ByteRange body{cursor.position(), size};
    cursor.bytes(size);
    if (cursor.failed()) return cursor.error();
    if (size > limits().function_bytes_max) {
      return limit_at("function body too large", size, limits().function_bytes_max, size_offset);
    }
    const uint32_t index = module().imported_functions + i;
    MAYFLY_TRY(validator_.validate_body(index, body));
    module().functions[index].body = body;
  }
  return {};
}

}  // namespace mayfly::wasm
