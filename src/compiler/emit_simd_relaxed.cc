// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Relaxed vector instructions. Each has one meaning on every processor, among those that
// wasm-3.0 #exec-relaxed-ops allows: that of the baseline's own instruction where there is one, and
// never a fused multiplication, which the baseline lacks.
#include <llvm/IR/IntrinsicsX86.h>

#include "compiler/emit_families.h"
#include "compiler/float_semantics.h"

namespace mayfly::compiler {
namespace {

using llvm::Value;
using Shape = llvm::FixedVectorType*;

// An index from 16 to 127 takes the lane modulo 16.
void swizzle(FunctionEmitter& f) {
  const Shapes t(f.ir());
  Value* indices = f.pop_vector(t.i8x16);
  Value* lanes = f.pop_vector(t.i8x16);
  f.push_vector(
      f.ir().CreateIntrinsic(llvm::Intrinsic::x86_ssse3_pshuf_b_128, {}, {lanes, indices}));
}

// INT32_MIN for NaN and for what does not fit.
void truncate_signed(FunctionEmitter& f, Shape from, llvm::Intrinsic::ID truncate) {
  f.push_vector(f.ir().CreateIntrinsic(truncate, {}, {f.pop_vector(from)}));
}

// left * right + addend, or addend - left * right, each operation rounded.
void multiply_add(FunctionEmitter& f, Shape shape, llvm::Instruction::BinaryOps operation) {
  Value* addend = f.pop_vector(shape);
  const auto [left, right] = f.pop_vectors(shape);
  Value* product = float_arithmetic(f.ir(), llvm::Instruction::FMul, left, right);
  f.push_vector(float_arithmetic(f.ir(), operation, addend, product));
}

// The processor's: the right operand where one is NaN or both are zeros.
void extremum(FunctionEmitter& f, Shape shape, Extremum which) {
  const auto [left, right] = f.pop_vectors(shape);
  f.push_vector(processor_extremum(f.ir(), which, left, right));
}

// pmulhrsw: -1 * -1 is -1.
void multiply_q15(FunctionEmitter& f) {
  const Shapes t(f.ir());
  const auto [left, right] = f.pop_vectors(t.i16x8);
  f.push_vector(
      f.ir().CreateIntrinsic(llvm::Intrinsic::x86_ssse3_pmul_hr_sw_128, {}, {left, right}));
}

// pmaddubsw: the right operand's lanes are unsigned, sums saturate.
Value* pop_dot(FunctionEmitter& f) {
  const Shapes t(f.ir());
  const auto [left, right] = f.pop_vectors(t.i8x16);
  return f.ir().CreateIntrinsic(llvm::Intrinsic::x86_ssse3_pmadd_ub_sw_128, {}, {right, left});
}

void dot_add(FunctionEmitter& f) {
  const Shapes t(f.ir());
  Value* addend = f.pop_vector(t.i32x4);
  Value* sums = f.ir().CreateIntrinsic(llvm::Intrinsic::x86_sse2_pmadd_wd, {},
                                       {pop_dot(f), integer_splat(t.i16x8, 1)});
  f.push_vector(f.ir().CreateAdd(sums, addend));
}

}  // namespace

// One line per instruction.
// clang-format off
bool emit_simd_relaxed(FunctionEmitter& f, wasm::Opcode opcode) {
  using enum wasm::Opcode;
  namespace ids = llvm::Intrinsic;
  const Shapes t(f.ir());
  switch (opcode) {
    case i8x16_relaxed_swizzle: swizzle(f); break;
    case i32x4_relaxed_trunc_f32x4_s: truncate_signed(f, t.f32x4, ids::x86_sse2_cvttps2dq); break;
    case i32x4_relaxed_trunc_f64x2_s_zero:
      truncate_signed(f, t.f64x2, ids::x86_sse2_cvttpd2dq); break;
    case i32x4_relaxed_trunc_f32x4_u: truncate_f32x4_unsigned(f); break;
    case i32x4_relaxed_trunc_f64x2_u_zero: truncate_f64x2_unsigned_zero(f); break;
    case f32x4_relaxed_madd: multiply_add(f, t.f32x4, llvm::Instruction::FAdd); break;
    case f64x2_relaxed_madd: multiply_add(f, t.f64x2, llvm::Instruction::FAdd); break;
    case f32x4_relaxed_nmadd: multiply_add(f, t.f32x4, llvm::Instruction::FSub); break;
    case f64x2_relaxed_nmadd: multiply_add(f, t.f64x2, llvm::Instruction::FSub); break;
    case i8x16_relaxed_laneselect: case i16x8_relaxed_laneselect: bit_select(f); break;
    case i32x4_relaxed_laneselect: case i64x2_relaxed_laneselect: bit_select(f); break;
    case f32x4_relaxed_min: extremum(f, t.f32x4, Extremum::kMin); break;
    case f64x2_relaxed_min: extremum(f, t.f64x2, Extremum::kMin); break;
    case f32x4_relaxed_max: extremum(f, t.f32x4, Extremum::kMax); break;
    case f64x2_relaxed_max: extremum(f, t.f64x2, Extremum::kMax); break;
    case i16x8_relaxed_q15mulr_s: multiply_q15(f); break;
    case i16x8_relaxed_dot_i8x16_i7x16_s: f.push_vector(pop_dot(f)); break;
    case i32x4_relaxed_dot_i8x16_i7x16_add_s: dot_add(f); break;
    default: return false;
  }
  return true;
}
// clang-format on

}  // namespace mayfly::compiler
