// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Integer vector instructions whose results are wider or narrower than their operands' lanes.
#include <llvm/IR/IntrinsicsX86.h>

#include <numeric>
#include <vector>

#include "compiler/emit_families.h"

namespace mayfly::compiler {
namespace {

using llvm::Value;
using Extend = llvm::Instruction::CastOps;
using Shape = llvm::FixedVectorType*;

enum class Half : uint8_t { kLow, kHigh };

// The operand's shape: twice the lanes, half as wide.
Shape narrower(Shape wide) {
  auto* lane = llvm::IntegerType::get(wide->getContext(), wide->getScalarSizeInBits() / 2);
  return llvm::FixedVectorType::get(lane, wide->getNumElements() * 2);
}

// Half of the lanes of the operand on top, each extended to the lanes of `wide`.
Value* pop_half(FunctionEmitter& f, Shape wide, Half half, Extend extend) {
  const unsigned count = wide->getNumElements();
  std::vector<int> lanes(count);
  std::iota(lanes.begin(), lanes.end(), half == Half::kLow ? 0 : static_cast<int>(count));
  Value* chosen = f.ir().CreateShuffleVector(f.pop_vector(narrower(wide)), lanes);
  return f.ir().CreateCast(extend, chosen, wide);
}

void extend_lanes(FunctionEmitter& f, Shape wide, Half half, Extend extend) {
  f.push_vector(pop_half(f, wide, half, extend));
}

void multiply_extended(FunctionEmitter& f, Shape wide, Half half, Extend extend) {
  Value* right = pop_half(f, wide, half, extend);
  Value* left = pop_half(f, wide, half, extend);
  f.push_vector(f.ir().CreateMul(left, right));
}

// packsswb and its kin: saturate both operands' lanes and put them side by side.
void narrow(FunctionEmitter& f, Shape wide, llvm::Intrinsic::ID pack) {
  const auto [left, right] = f.pop_vectors(wide);
  f.push_vector(f.ir().CreateIntrinsic(pack, {}, {left, right}));
}

// pmaddubsw multiplies unsigned by signed lanes and adds neighbours with saturation, which no
// sum of two bytes reaches.
void add_pairs_of_i8_signed(FunctionEmitter& f) {
  const Shapes t(f.ir());
  f.push_vector(f.ir().CreateIntrinsic(llvm::Intrinsic::x86_ssse3_pmadd_ub_sw_128, {},
                                       {integer_splat(t.i8x16, 1), f.pop_vector(t.i8x16)}));
}

void add_pairs_of_i8_unsigned(FunctionEmitter& f) {
  const Shapes t(f.ir());
  f.push_vector(f.ir().CreateIntrinsic(llvm::Intrinsic::x86_ssse3_pmadd_ub_sw_128, {},
                                       {f.pop_vector(t.i8x16), integer_splat(t.i8x16, 1)}));
}

void add_pairs_of_i16_signed(FunctionEmitter& f) {
  const Shapes t(f.ir());
  f.push_vector(f.ir().CreateIntrinsic(llvm::Intrinsic::x86_sse2_pmadd_wd, {},
                                       {f.pop_vector(t.i16x8), integer_splat(t.i16x8, 1)}));
}

void add_pairs_of_i16_unsigned(FunctionEmitter& f) {
  const Shapes t(f.ir());
  Value* pairs = f.pop_vector(t.i32x4);
  Value* even = f.ir().CreateAnd(pairs, integer_splat(t.i32x4, 0xFFFF));
  f.push_vector(f.ir().CreateAdd(even, f.ir().CreateLShr(pairs, integer_splat(t.i32x4, 16))));
}

void dot(FunctionEmitter& f) {
  const Shapes t(f.ir());
  const auto [left, right] = f.pop_vectors(t.i16x8);
  f.push_vector(f.ir().CreateIntrinsic(llvm::Intrinsic::x86_sse2_pmadd_wd, {}, {left, right}));
}

}  // namespace

// One line per instruction.
// clang-format off
bool emit_simd_widening(FunctionEmitter& f, wasm::Opcode opcode) {
  using enum wasm::Opcode;
  namespace ids = llvm::Intrinsic;
  constexpr auto kSigned = llvm::Instruction::SExt;
  constexpr auto kUnsigned = llvm::Instruction::ZExt;
  const Shapes t(f.ir());
  switch (opcode) {
    case i16x8_extend_low_i8x16_s: extend_lanes(f, t.i16x8, Half::kLow, kSigned); break;
    case i16x8_extend_low_i8x16_u: extend_lanes(f, t.i16x8, Half::kLow, kUnsigned); break;
    case i16x8_extend_high_i8x16_s: extend_lanes(f, t.i16x8, Half::kHigh, kSigned); break;
    case i16x8_extend_high_i8x16_u: extend_lanes(f, t.i16x8, Half::kHigh, kUnsigned); break;
    case i16x8_extmul_low_i8x16_s: multiply_extended(f, t.i16x8, Half::kLow, kSigned); break;
    case i16x8_extmul_low_i8x16_u: multiply_extended(f, t.i16x8, Half::kLow, kUnsigned); break;
    case i16x8_extmul_high_i8x16_s: multiply_extended(f, t.i16x8, Half::kHigh, kSigned); break;
    case i16x8_extmul_high_i8x16_u: multiply_extended(f, t.i16x8, Half::kHigh, kUnsigned); break;
    case i32x4_extend_low_i16x8_s: extend_lanes(f, t.i32x4, Half::kLow, kSigned); break;
    case i32x4_extend_low_i16x8_u: extend_lanes(f, t.i32x4, Half::kLow, kUnsigned); break;
    case i32x4_extend_high_i16x8_s: extend_lanes(f, t.i32x4, Half::kHigh, kSigned); break;
    case i32x4_extend_high_i16x8_u: extend_lanes(f, t.i32x4, Half::kHigh, kUnsigned); break;
    case i32x4_extmul_low_i16x8_s: multiply_extended(f, t.i32x4, Half::kLow, kSigned); break;
    case i32x4_extmul_low_i16x8_u: multiply_extended(f, t.i32x4, Half::kLow, kUnsigned); break;
    case i32x4_extmul_high_i16x8_s: multiply_extended(f, t.i32x4, Half::kHigh, kSigned); break;
    case i32x4_extmul_high_i16x8_u: multiply_extended(f, t.i32x4, Half::kHigh, kUnsigned); break;
    case i64x2_extend_low_i32x4_s: extend_lanes(f, t.i64x2, Half::kLow, kSigned); break;
    case i64x2_extend_low_i32x4_u: extend_lanes(f, t.i64x2, Half::kLow, kUnsigned); break;
    case i64x2_extend_high_i32x4_s: extend_lanes(f, t.i64x2, Half::kHigh, kSigned); break;
    case i64x2_extend_high_i32x4_u: extend_lanes(f, t.i64x2, Half::kHigh, kUnsigned); break;
    case i64x2_extmul_low_i32x4_s: multiply_extended(f, t.i64x2, Half::kLow, kSigned); break;
    case i64x2_extmul_low_i32x4_u: multiply_extended(f, t.i64x2, Half::kLow, kUnsigned); break;
    case i64x2_extmul_high_i32x4_s: multiply_extended(f, t.i64x2, Half::kHigh, kSigned); break;
    case i64x2_extmul_high_i32x4_u: multiply_extended(f, t.i64x2, Half::kHigh, kUnsigned); break;
    case i8x16_narrow_i16x8_s: narrow(f, t.i16x8, ids::x86_sse2_packsswb_128); break;
    case i8x16_narrow_i16x8_u: narrow(f, t.i16x8, ids::x86_sse2_packuswb_128); break;
    case i16x8_narrow_i32x4_s: narrow(f, t.i32x4, ids::x86_sse2_packssdw_128); break;
    case i16x8_narrow_i32x4_u: narrow(f, t.i32x4, ids::x86_sse41_packusdw); break;
    case i16x8_extadd_pairwise_i8x16_s: add_pairs_of_i8_signed(f); break;
    case i16x8_extadd_pairwise_i8x16_u: add_pairs_of_i8_unsigned(f); break;
    case i32x4_extadd_pairwise_i16x8_s: add_pairs_of_i16_signed(f); break;
    case i32x4_extadd_pairwise_i16x8_u: add_pairs_of_i16_unsigned(f); break;
    case i32x4_dot_i16x8_s: dot(f); break;
    default: return false;
  }
  return true;
}
// clang-format on

}  // namespace mayfly::compiler
