// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The custom section "name" (wasm-3.0 #binary-namesec): names help people and decide nothing, so
// an ill-formed section is ignored as a whole.
#include <optional>

#include "wasm/decoder.h"

namespace mayfly::wasm {
namespace {

constexpr uint8_t kModuleName = 0;
constexpr uint8_t kFunctionNames = 1;

void read_function_names(ByteCursor& cursor, uint32_t function_count, Names& names) {
  const uint32_t entries = cursor.u32();
  uint64_t index_min = 0;
  for (uint32_t i = 0; i < entries && !cursor.failed(); ++i) {
    const uint64_t start = cursor.position();
    const uint32_t index = cursor.u32();
    const std::string_view name = cursor.name();
    if (index < index_min || index >= function_count) cursor.fail("function name index", start);
    if (cursor.failed()) return;
    index_min = uint64_t{index} + 1;
    names.functions.resize(index + size_t{1});
    names.functions[index] = name;
  }
}

std::optional<Names> read_names(ByteCursor& cursor, std::span<const uint8_t> module_bytes,
                                uint32_t function_count) {
  Names names;
  int last_id = -1;
  while (!cursor.at_end()) {
    const uint8_t id = cursor.u8();
    const uint32_t size = cursor.u32();
    const uint64_t first = cursor.position();
    cursor.bytes(size);
    if (cursor.failed() || id <= last_id) return std::nullopt;
    last_id = id;
    ByteCursor contents(module_bytes, first, first + size);
    if (id == kModuleName) {
      names.module = contents.name();
    } else if (id == kFunctionNames) {
      read_function_names(contents, function_count, names);
    } else {
      continue;  // names of locals, labels and so on, which nobody here needs
    }
    if (contents.failed() || !contents.at_end()) return std::nullopt;
  }
  if (cursor.failed()) return std::nullopt;
  return names;
}

}  // namespace

Names decode_names(std::span<const uint8_t> module_bytes, ByteRange contents,
                   uint32_t function_count) {
  ByteCursor cursor(module_bytes, contents.offset, contents.offset + contents.size);
  return read_names(cursor, module_bytes, function_count).value_or(Names{});
}

}  // namespace mayfly::wasm
