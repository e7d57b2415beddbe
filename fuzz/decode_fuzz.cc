// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Fuzzes wasm::decode(), and InstructionReader on what decode() accepts.
//
// Strategy: the input is a module as it is. All features are on, so that every opcode is within
// reach; the operand stack's limit is low, so that small inputs reach it. Seed the corpus with the
// modules of the specification's scripts:
//   decode_fuzz -max_len=4096 -timeout=10 corpus seeds
//
// Invariants:
//  1. decode() answers for any bytes: no crash, no CHECK, no sanitizer report, bounded memory.
//  2. An error is one line that ends with an offset within the input, or at its end.
//  3. The reader reads every body and constant expression of a valid module exactly to its end,
//     which is `end`, and blocks nest.
//  4. decode() is deterministic: the same bytes give the same answer twice.
//  5. The registry gives the types of a valid module the same numbers twice.
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include "base/check.h"
#include "wasm/instruction.h"
#include "wasm/module.h"
#include "wasm/type_registry.h"

namespace mayfly::wasm {
namespace {

DecodeOptions fuzz_options() {
  DecodeOptions options;
  options.features = {.threads = true, .wide_arithmetic = true, .custom_page_sizes = true};
  options.limits.function_operands_max = 100'000;
  return options;
}

void check_error(const Error& error, size_t input_bytes) {
  constexpr std::string_view kAtOffset = " at offset 0x";
  const size_t position = error.message.rfind(kAtOffset);
  CHECK(position != std::string::npos, error.message);
  CHECK(error.message.find('\n') == std::string::npos, error.message);
  const std::string digits = error.message.substr(position + kAtOffset.size());
  const uint64_t offset = std::strtoull(digits.c_str(), nullptr, 16);
  CHECK(offset <= input_bytes, error.message, input_bytes);
}

bool opens_block(Opcode opcode) {
  return opcode == Opcode::block || opcode == Opcode::loop || opcode == Opcode::if_ ||
         opcode == Opcode::try_table;
}

void read_code(InstructionReader& reader) {
  uint64_t depth = 1;
  while (!reader.at_end()) {
    CHECK(depth > 0);
    const Opcode opcode = reader.next().opcode;
    if (opens_block(opcode)) ++depth;
    if (opcode == Opcode::end) --depth;
  }
  CHECK(depth == 0, depth);
}

void read_expression(std::span<const uint8_t> bytes, const ConstExpr& expression) {
  InstructionReader reader(bytes, expression.code);
  read_code(reader);
}

void read_module(std::span<const uint8_t> bytes, const Module& module) {
  for (size_t i = module.imported_functions; i < module.functions.size(); ++i) {
    InstructionReader reader(bytes, module.functions[i].body);
    reader.read_locals();
    read_code(reader);
  }
  for (size_t i = module.imported_globals; i < module.globals.size(); ++i) {
    read_expression(bytes, module.globals[i].init);
  }
  for (const Table& table : module.tables) {
    if (table.init) read_expression(bytes, *table.init);
  }
  for (const ElementSegment& segment : module.elements) {
    if (segment.mode == SegmentMode::kActive) read_expression(bytes, segment.offset);
    for (const ConstExpr& expression : segment.expressions) read_expression(bytes, expression);
  }
  for (const DataSegment& segment : module.data) {
    if (segment.mode == SegmentMode::kActive) read_expression(bytes, segment.offset);
  }
}

void run(std::span<const uint8_t> bytes) {
  const DecodeOptions options = fuzz_options();
  const auto first = decode(bytes, options);
  const auto second = decode(bytes, options);
  CHECK(first.has_value() == second.has_value());
  if (!first) {
    check_error(first.error(), bytes.size());
    CHECK(first.error().message == second.error().message);
    return;
  }
  read_module(bytes, *first);
  TypeRegistry registry;
  const auto ids = registry.add(first->types);
  CHECK(ids == registry.add(second->types));
}

}  // namespace
}  // namespace mayfly::wasm

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  mayfly::wasm::run({data, size});
  return 0;
}
