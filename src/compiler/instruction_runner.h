// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// NativeCode, for tests: a few instructions become a function of their own, are optimized as a
// program's code is, and run natively in this process. No VM, no linker.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "guest_abi/trap.h"
#include "wasm/instruction.h"

namespace mayfly::compiler {

using Bits = std::array<uint64_t, 2>;  // a value as a Slot has it

struct Operand {
  char type;  // i I f F v: i32 i64 f32 f64 v128
  Bits bits;
};

struct Outcome {
  std::optional<guest_abi::TrapCode> trap;
  bool faulted = false;      // touched memory past the end
  std::vector<Bits> values;  // the operand stack at the end, the bottom first
  bool operator==(const Outcome&) const = default;
};

inline constexpr size_t kTestMemoryBytes = 65536;

class NativeCode {
 public:
  enum class Optimize : uint8_t { kNo, kYes };
  // kUnknown: LLVM knows nothing of the operands. kConstants: it sees what `.const` makes of them.
  enum class See : uint8_t { kUnknown, kConstants };

  // The instructions run with `operands` on the stack. They are only types with kUnknown.
  NativeCode(const std::vector<wasm::Instruction>& instructions,
             const std::vector<Operand>& operands, Optimize optimize, See see);
  ~NativeCode();
  NativeCode(const NativeCode&) = delete;
  NativeCode& operator=(const NativeCode&) = delete;

  Outcome run(const std::vector<Operand>& operands) const;
  // Linear memory 0: one page, and no byte after it.
  uint8_t* memory() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

inline Operand i32(uint32_t value) { return {'i', {value, 0}}; }
inline Operand i64(uint64_t value) { return {'I', {value, 0}}; }
inline Operand f32(uint32_t bits) { return {'f', {bits, 0}}; }
inline Operand f64(uint64_t bits) { return {'F', {bits, 0}}; }
inline Operand v128(uint64_t low, uint64_t high) { return {'v', {low, high}}; }

wasm::Instruction instruction_of(wasm::Opcode opcode);
wasm::Instruction constant_of(const Operand& operand);

// Runs the instructions unoptimized and optimized, with operands that LLVM sees and with operands
// that it does not, and fails the test where the four differ.
Outcome run(const std::vector<wasm::Instruction>& instructions,
            const std::vector<Operand>& operands);
Outcome run(wasm::Opcode opcode, const std::vector<Operand>& operands);

}  // namespace mayfly::compiler
