// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Vector constants, lanes moved or taken out, and operations on all 128 bits at once.
#include <llvm/IR/Constants.h>
#include <llvm/IR/IntrinsicsX86.h>

#include "compiler/emit_families.h"
#include "compiler/float_semantics.h"

namespace mayfly::compiler {
namespace {

using llvm::Value;
using wasm::Instruction;

void constant(FunctionEmitter& f, const Instruction& instruction) {
  f.push_vector(llvm::ConstantDataVector::get(f.ir().getContext(),
                                              llvm::ArrayRef<uint8_t>(instruction.vector)));
}

void shuffle(FunctionEmitter& f, const Instruction& instruction) {
  const Shapes t(f.ir());
  const auto [left, right] = f.pop_vectors(t.i8x16);
  int lanes[16];
  for (int i = 0; i < 16; ++i) lanes[i] = instruction.vector[i];
  f.push_vector(f.ir().CreateShuffleVector(left, right, lanes));
}

// pshufb gives 0 where the index has bit 7, else takes the index modulo 16: a saturating addition
// of 0x70 sets bit 7 exactly where the index is past 15.
void swizzle(FunctionEmitter& f) {
  const Shapes t(f.ir());
  Value* indices = f.pop_vector(t.i8x16);
  Value* lanes = f.pop_vector(t.i8x16);
  indices = f.ir().CreateBinaryIntrinsic(llvm::Intrinsic::uadd_sat, indices,
                                         integer_splat(t.i8x16, 0x70));
  f.push_vector(
      f.ir().CreateIntrinsic(llvm::Intrinsic::x86_ssse3_pshuf_b_128, {}, {lanes, indices}));
}

// Narrow lanes take the low bits of an i32.
Value* pop_lane(FunctionEmitter& f, llvm::FixedVectorType* shape) {
  Value* scalar = f.pop();
  llvm::Type* lane = shape->getElementType();
  return lane->isIntegerTy() ? f.ir().CreateTrunc(scalar, lane) : visible(scalar);
}

void splat(FunctionEmitter& f, llvm::FixedVectorType* shape) {
  f.push_vector(f.ir().CreateVectorSplat(shape->getNumElements(), pop_lane(f, shape)));
}

void replace_lane(FunctionEmitter& f, const Instruction& instruction,
                  llvm::FixedVectorType* shape) {
  Value* scalar = pop_lane(f, shape);
  Value* vector = f.pop_vector(shape);
  f.push_vector(f.ir().CreateInsertElement(vector, scalar, uint64_t{instruction.lane}));
}

Value* lane_of_top(FunctionEmitter& f, const Instruction& instruction,
                   llvm::FixedVectorType* shape) {
  return f.ir().CreateExtractElement(f.pop_vector(shape), uint64_t{instruction.lane});
}

// Lanes of 8 and 16 bits, extended to an i32.
void extract_narrow(FunctionEmitter& f, const Instruction& instruction,
                    llvm::FixedVectorType* shape, llvm::Instruction::CastOps extend) {
  f.push(f.ir().CreateCast(extend, lane_of_top(f, instruction, shape), f.ir().getInt32Ty()));
}

void extract(FunctionEmitter& f, const Instruction& instruction, llvm::FixedVectorType* shape) {
  Value* lane = lane_of_top(f, instruction, shape);
  // The vector may be a constant: float_semantics.h, rule 1.
  f.push(lane->getType()->isIntegerTy() ? lane : opaque(f.ir(), lane));
}

void bitwise(FunctionEmitter& f, llvm::Instruction::BinaryOps operation) {
  Value* right = f.pop();
  Value* left = f.pop();
  f.push(f.ir().CreateBinOp(operation, left, right));
}

void and_not(FunctionEmitter& f) {
  Value* right = f.pop();
  Value* left = f.pop();
  f.push(f.ir().CreateAnd(left, f.ir().CreateNot(right)));
}

void any_true(FunctionEmitter& f) {
  Value* bits = f.ir().CreateBitCast(f.pop(), f.ir().getInt128Ty());
  f.push(f.ir().CreateZExt(f.ir().CreateIsNotNull(bits), f.ir().getInt32Ty()));
}

}  // namespace

// One line per instruction.
// clang-format off
bool emit_simd_lane(FunctionEmitter& f, const Instruction& instruction) {
  using enum wasm::Opcode;
  constexpr auto kSigned = llvm::Instruction::SExt;
  constexpr auto kUnsigned = llvm::Instruction::ZExt;
  const Shapes t(f.ir());
  switch (instruction.opcode) {
    case v128_const: constant(f, instruction); break;
    case i8x16_shuffle: shuffle(f, instruction); break;
    case i8x16_swizzle: swizzle(f); break;
    case i8x16_splat: splat(f, t.i8x16); break;
    case i16x8_splat: splat(f, t.i16x8); break;
    case i32x4_splat: splat(f, t.i32x4); break;
    case i64x2_splat: splat(f, t.i64x2); break;
    case f32x4_splat: splat(f, t.f32x4); break;
    case f64x2_splat: splat(f, t.f64x2); break;
    case i8x16_extract_lane_s: extract_narrow(f, instruction, t.i8x16, kSigned); break;
    case i8x16_extract_lane_u: extract_narrow(f, instruction, t.i8x16, kUnsigned); break;
    case i16x8_extract_lane_s: extract_narrow(f, instruction, t.i16x8, kSigned); break;
    case i16x8_extract_lane_u: extract_narrow(f, instruction, t.i16x8, kUnsigned); break;
    case i32x4_extract_lane: extract(f, instruction, t.i32x4); break;
    case i64x2_extract_lane: extract(f, instruction, t.i64x2); break;
    case f32x4_extract_lane: extract(f, instruction, t.f32x4); break;
    case f64x2_extract_lane: extract(f, instruction, t.f64x2); break;
    case i8x16_replace_lane: replace_lane(f, instruction, t.i8x16); break;
    case i16x8_replace_lane: replace_lane(f, instruction, t.i16x8); break;
    case i32x4_replace_lane: replace_lane(f, instruction, t.i32x4); break;
    case i64x2_replace_lane: replace_lane(f, instruction, t.i64x2); break;
    case f32x4_replace_lane: replace_lane(f, instruction, t.f32x4); break;
    case f64x2_replace_lane: replace_lane(f, instruction, t.f64x2); break;
    case v128_not: f.push(f.ir().CreateNot(f.pop())); break;
    case v128_and: bitwise(f, llvm::Instruction::And); break;
    case v128_andnot: and_not(f); break;
    case v128_or: bitwise(f, llvm::Instruction::Or); break;
    case v128_xor: bitwise(f, llvm::Instruction::Xor); break;
    case v128_bitselect: bit_select(f); break;
    case v128_any_true: any_true(f); break;
    default: return false;
  }
  return true;
}
// clang-format on

void bit_select(FunctionEmitter& f) {
  Value* mask = f.pop();
  Value* right = f.pop();
  Value* left = f.pop();
  Value* chosen = f.ir().CreateAnd(left, mask);
  f.push(f.ir().CreateOr(chosen, f.ir().CreateAnd(right, f.ir().CreateNot(mask))));
}

}  // namespace mayfly::compiler
