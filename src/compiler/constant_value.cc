// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A stack machine for the instructions of constant expressions.
#include "compiler/constant_value.h"

#include <cstring>

#include "base/check.h"
#include "wasm/instruction.h"

namespace mayfly::compiler {

namespace {

using wasm::Opcode;
using Kind = ConstantValue::Kind;

ConstantValue number(uint64_t low) { return {Kind::kNumber, low, 0, 0}; }

ConstantValue vector_constant(const uint8_t (&bytes)[16]) {
  ConstantValue value{Kind::kNumber, 0, 0, 0};
  std::memcpy(&value.low, bytes, 8);
  std::memcpy(&value.high, bytes + 8, 8);
  return value;
}

ConstantValue binary(Opcode opcode, const ConstantValue& left, const ConstantValue& right) {
  if (left.kind != Kind::kNumber || right.kind != Kind::kNumber) return {};
  const uint64_t a = left.low;
  const uint64_t b = right.low;
  switch (opcode) {
    case Opcode::i32_add:
      return number(static_cast<uint32_t>(a + b));
    case Opcode::i32_sub:
      return number(static_cast<uint32_t>(a - b));
    case Opcode::i32_mul:
      return number(static_cast<uint32_t>(a * b));
    case Opcode::i64_add:
      return number(a + b);
    case Opcode::i64_sub:
      return number(a - b);
    case Opcode::i64_mul:
      return number(a * b);
    default:
      return {};
  }
}

ConstantValue operand(const wasm::Instruction& instruction,
                      std::span<const ConstantValue> globals) {
  switch (instruction.opcode) {
    case Opcode::i32_const:
    case Opcode::f32_const:
      return number(static_cast<uint32_t>(instruction.constant));
    case Opcode::i64_const:
    case Opcode::f64_const:
      return number(instruction.constant);
    case Opcode::v128_const:
      return vector_constant(instruction.vector);
    case Opcode::ref_null:
      return {Kind::kNull, 0, 0, 0};
    case Opcode::ref_func:
      return {Kind::kFuncref, 0, 0, instruction.index};
    case Opcode::global_get:
      return instruction.index < globals.size() ? globals[instruction.index] : ConstantValue{};
    default:
      return {};
  }
}

bool is_binary(Opcode opcode) {
  return opcode == Opcode::i32_add || opcode == Opcode::i32_sub || opcode == Opcode::i32_mul ||
         opcode == Opcode::i64_add || opcode == Opcode::i64_sub || opcode == Opcode::i64_mul;
}

}  // namespace

ConstantValue evaluate(std::span<const uint8_t> bytes, const wasm::ConstExpr& expression,
                       std::span<const ConstantValue> globals) {
  std::vector<ConstantValue> stack;
  wasm::InstructionReader reader(bytes, expression.code);
  while (!reader.at_end()) {
    const wasm::Instruction& instruction = reader.next();
    if (instruction.opcode == Opcode::end) break;
    if (!is_binary(instruction.opcode)) {
      stack.push_back(operand(instruction, globals));
      continue;
    }
    CHECK(stack.size() >= 2, expression.code.offset);
    const ConstantValue right = stack.back();
    stack.pop_back();
    stack.back() = binary(instruction.opcode, stack.back(), right);
  }
  CHECK(!stack.empty(), expression.code.offset);
  return stack.back();
}

std::vector<ConstantValue> evaluate_globals(const wasm::Module& module,
                                            std::span<const uint8_t> bytes) {
  std::vector<ConstantValue> values(module.imported_globals);
  values.reserve(module.globals.size());
  for (size_t i = module.imported_globals; i < module.globals.size(); ++i) {
    values.push_back(evaluate(bytes, module.globals[i].init, values));
  }
  return values;
}

}  // namespace mayfly::compiler
