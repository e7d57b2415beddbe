// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The parts into which emit_numeric() and emit_simd() are split, and the operand-stack shapes that
// they share. Private to the compiler.
#pragma once

#include "compiler/function_emitter.h"

namespace mayfly::compiler {

// Each emits the instruction and answers true when it is of its part.
bool emit_conversion(FunctionEmitter& f, wasm::Opcode opcode);
bool emit_simd_memory(FunctionEmitter& f, const wasm::Instruction& instruction);
bool emit_simd_lane(FunctionEmitter& f, const wasm::Instruction& instruction);
bool emit_simd_integer(FunctionEmitter& f, wasm::Opcode opcode);
bool emit_simd_widening(FunctionEmitter& f, wasm::Opcode opcode);
bool emit_simd_float(FunctionEmitter& f, wasm::Opcode opcode);
bool emit_simd_relaxed(FunctionEmitter& f, wasm::Opcode opcode);

// Forms that plain and relaxed instructions share.
void bit_select(FunctionEmitter& f);
void truncate_f32x4_unsigned(FunctionEmitter& f);
void truncate_f64x2_unsigned_zero(FunctionEmitter& f);

// The 128-bit vector types by shape.
struct Shapes {
  explicit Shapes(llvm::IRBuilder<>& ir);
  llvm::FixedVectorType* i8x16;
  llvm::FixedVectorType* i16x8;
  llvm::FixedVectorType* i32x4;
  llvm::FixedVectorType* i64x2;
  llvm::FixedVectorType* f32x4;
  llvm::FixedVectorType* f64x2;
};

// A constant vector or scalar of `type` with `value` in every lane.
llvm::Constant* integer_splat(llvm::Type* type, uint64_t value);
llvm::Constant* float_splat(llvm::Type* type, double value);

}  // namespace mayfly::compiler
