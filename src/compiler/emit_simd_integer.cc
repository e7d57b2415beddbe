// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Integer vector instructions whose lanes keep their width. Those that widen or narrow are in
// emit_simd_widening.cc.
#include <llvm/IR/IntrinsicsX86.h>

#include "compiler/emit_families.h"

namespace mayfly::compiler {
namespace {

using llvm::Value;
using Binary = llvm::Instruction::BinaryOps;
using Predicate = llvm::CmpInst::Predicate;
using Shape = llvm::FixedVectorType*;

void binary(FunctionEmitter& f, Shape shape, Binary operation) {
  const auto [left, right] = f.pop_vectors(shape);
  f.push_vector(f.ir().CreateBinOp(operation, left, right));
}

void intrinsic(FunctionEmitter& f, Shape shape, llvm::Intrinsic::ID id) {
  const auto [left, right] = f.pop_vectors(shape);
  f.push_vector(f.ir().CreateBinaryIntrinsic(id, left, right));
}

// All bits of a lane where the comparison holds.
void compare(FunctionEmitter& f, Shape shape, Predicate predicate) {
  const auto [left, right] = f.pop_vectors(shape);
  f.push_vector(f.ir().CreateSExt(f.ir().CreateICmp(predicate, left, right), shape));
}

// wasm-3.0 #op-ishl: the count is taken modulo the lane's width.
void shift(FunctionEmitter& f, Shape shape, Binary operation) {
  auto& ir = f.ir();
  Value* count = ir.CreateAnd(f.pop(), shape->getScalarSizeInBits() - 1);
  Value* vector = f.pop_vector(shape);
  Value* lane_count = ir.CreateZExtOrTrunc(count, shape->getElementType());
  Value* counts = ir.CreateVectorSplat(shape->getNumElements(), lane_count);
  f.push_vector(ir.CreateBinOp(operation, vector, counts));
}

// The least number is its own magnitude.
void absolute(FunctionEmitter& f, Shape shape) {
  Value* vector = f.pop_vector(shape);
  f.push_vector(f.ir().CreateBinaryIntrinsic(llvm::Intrinsic::abs, vector, f.ir().getFalse()));
}

void negate(FunctionEmitter& f, Shape shape) {
  f.push_vector(f.ir().CreateNeg(f.pop_vector(shape)));
}

// (left + right + 1) / 2 without losing the carry: LLVM knows it as pavgb and pavgw.
void average(FunctionEmitter& f, Shape shape) {
  auto& ir = f.ir();
  const auto [left, right] = f.pop_vectors(shape);
  llvm::Type* wide = llvm::VectorType::getExtendedElementVectorType(shape);
  Value* sum = ir.CreateAdd(ir.CreateZExt(left, wide), ir.CreateZExt(right, wide));
  Value* half = ir.CreateLShr(ir.CreateAdd(sum, integer_splat(wide, 1)), integer_splat(wide, 1));
  f.push_vector(ir.CreateTrunc(half, shape));
}

// pmulhrsw but for -1 * -1, which it answers with -1.
void multiply_q15(FunctionEmitter& f) {
  auto& ir = f.ir();
  const Shapes t(ir);
  const auto [left, right] = f.pop_vectors(t.i16x8);
  Value* product = ir.CreateIntrinsic(llvm::Intrinsic::x86_ssse3_pmul_hr_sw_128, {}, {left, right});
  Value* wrapped = ir.CreateICmpEQ(product, integer_splat(t.i16x8, 0x8000));
  f.push_vector(ir.CreateXor(product, ir.CreateSExt(wrapped, t.i16x8)));
}

void all_true(FunctionEmitter& f, Shape shape) {
  auto& ir = f.ir();
  Value* zero_lanes = ir.CreateSExt(ir.CreateIsNull(f.pop_vector(shape)), shape);
  Value* none = ir.CreateIsNull(ir.CreateBitCast(zero_lanes, ir.getInt128Ty()));
  f.push(ir.CreateZExt(none, ir.getInt32Ty()));
}

void bitmask(FunctionEmitter& f, Shape shape) {
  auto& ir = f.ir();
  Value* negative = ir.CreateICmpSLT(f.pop_vector(shape), llvm::Constant::getNullValue(shape));
  Value* bits = ir.CreateBitCast(negative, ir.getIntNTy(shape->getNumElements()));
  f.push(ir.CreateZExt(bits, ir.getInt32Ty()));
}

// clang-format off
bool emit_comparison(FunctionEmitter& f, wasm::Opcode opcode) {
  using enum wasm::Opcode;
  const Shapes t(f.ir());
  switch (opcode) {
    case i8x16_eq: compare(f, t.i8x16, Predicate::ICMP_EQ); break;
    case i8x16_ne: compare(f, t.i8x16, Predicate::ICMP_NE); break;
    case i8x16_lt_s: compare(f, t.i8x16, Predicate::ICMP_SLT); break;
    case i8x16_lt_u: compare(f, t.i8x16, Predicate::ICMP_ULT); break;
    case i8x16_gt_s: compare(f, t.i8x16, Predicate::ICMP_SGT); break;
    case i8x16_gt_u: compare(f, t.i8x16, Predicate::ICMP_UGT); break;
    case i8x16_le_s: compare(f, t.i8x16, Predicate::ICMP_SLE); break;
    case i8x16_le_u: compare(f, t.i8x16, Predicate::ICMP_ULE); break;
    case i8x16_ge_s: compare(f, t.i8x16, Predicate::ICMP_SGE); break;
    case i8x16_ge_u: compare(f, t.i8x16, Predicate::ICMP_UGE); break;
    case i16x8_eq: compare(f, t.i16x8, Predicate::ICMP_EQ); break;
    case i16x8_ne: compare(f, t.i16x8, Predicate::ICMP_NE); break;
    case i16x8_lt_s: compare(f, t.i16x8, Predicate::ICMP_SLT); break;
    case i16x8_lt_u: compare(f, t.i16x8, Predicate::ICMP_ULT); break;
    case i16x8_gt_s: compare(f, t.i16x8, Predicate::ICMP_SGT); break;
    case i16x8_gt_u: compare(f, t.i16x8, Predicate::ICMP_UGT); break;
    case i16x8_le_s: compare(f, t.i16x8, Predicate::ICMP_SLE); break;
    case i16x8_le_u: compare(f, t.i16x8, Predicate::ICMP_ULE); break;
    case i16x8_ge_s: compare(f, t.i16x8, Predicate::ICMP_SGE); break;
    case i16x8_ge_u: compare(f, t.i16x8, Predicate::ICMP_UGE); break;
    case i32x4_eq: compare(f, t.i32x4, Predicate::ICMP_EQ); break;
    case i32x4_ne: compare(f, t.i32x4, Predicate::ICMP_NE); break;
    case i32x4_lt_s: compare(f, t.i32x4, Predicate::ICMP_SLT); break;
    case i32x4_lt_u: compare(f, t.i32x4, Predicate::ICMP_ULT); break;
    case i32x4_gt_s: compare(f, t.i32x4, Predicate::ICMP_SGT); break;
    case i32x4_gt_u: compare(f, t.i32x4, Predicate::ICMP_UGT); break;
    case i32x4_le_s: compare(f, t.i32x4, Predicate::ICMP_SLE); break;
    case i32x4_le_u: compare(f, t.i32x4, Predicate::ICMP_ULE); break;
    case i32x4_ge_s: compare(f, t.i32x4, Predicate::ICMP_SGE); break;
    case i32x4_ge_u: compare(f, t.i32x4, Predicate::ICMP_UGE); break;
    case i64x2_eq: compare(f, t.i64x2, Predicate::ICMP_EQ); break;
    case i64x2_ne: compare(f, t.i64x2, Predicate::ICMP_NE); break;
    case i64x2_lt_s: compare(f, t.i64x2, Predicate::ICMP_SLT); break;
    case i64x2_gt_s: compare(f, t.i64x2, Predicate::ICMP_SGT); break;
    case i64x2_le_s: compare(f, t.i64x2, Predicate::ICMP_SLE); break;
    case i64x2_ge_s: compare(f, t.i64x2, Predicate::ICMP_SGE); break;
    default: return false;
  }
  return true;
}

bool emit_unary_or_test(FunctionEmitter& f, wasm::Opcode opcode) {
  using enum wasm::Opcode;
  const Shapes t(f.ir());
  switch (opcode) {
    case i8x16_abs: absolute(f, t.i8x16); break;
    case i16x8_abs: absolute(f, t.i16x8); break;
    case i32x4_abs: absolute(f, t.i32x4); break;
    case i64x2_abs: absolute(f, t.i64x2); break;
    case i8x16_neg: negate(f, t.i8x16); break;
    case i16x8_neg: negate(f, t.i16x8); break;
    case i32x4_neg: negate(f, t.i32x4); break;
    case i64x2_neg: negate(f, t.i64x2); break;
    case i8x16_all_true: all_true(f, t.i8x16); break;
    case i16x8_all_true: all_true(f, t.i16x8); break;
    case i32x4_all_true: all_true(f, t.i32x4); break;
    case i64x2_all_true: all_true(f, t.i64x2); break;
    case i8x16_bitmask: bitmask(f, t.i8x16); break;
    case i16x8_bitmask: bitmask(f, t.i16x8); break;
    case i32x4_bitmask: bitmask(f, t.i32x4); break;
    case i64x2_bitmask: bitmask(f, t.i64x2); break;
    case i8x16_popcnt:
      f.push_vector(f.ir().CreateUnaryIntrinsic(llvm::Intrinsic::ctpop, f.pop_vector(t.i8x16)));
      break;
    default: return false;
  }
  return true;
}

bool emit_arithmetic(FunctionEmitter& f, wasm::Opcode opcode) {
  using enum wasm::Opcode;
  namespace ids = llvm::Intrinsic;
  const Shapes t(f.ir());
  switch (opcode) {
    case i8x16_add: binary(f, t.i8x16, Binary::Add); break;
    case i16x8_add: binary(f, t.i16x8, Binary::Add); break;
    case i32x4_add: binary(f, t.i32x4, Binary::Add); break;
    case i64x2_add: binary(f, t.i64x2, Binary::Add); break;
    case i8x16_sub: binary(f, t.i8x16, Binary::Sub); break;
    case i16x8_sub: binary(f, t.i16x8, Binary::Sub); break;
    case i32x4_sub: binary(f, t.i32x4, Binary::Sub); break;
    case i64x2_sub: binary(f, t.i64x2, Binary::Sub); break;
    case i16x8_mul: binary(f, t.i16x8, Binary::Mul); break;
    case i32x4_mul: binary(f, t.i32x4, Binary::Mul); break;
    case i64x2_mul: binary(f, t.i64x2, Binary::Mul); break;
    case i8x16_shl: shift(f, t.i8x16, Binary::Shl); break;
    case i16x8_shl: shift(f, t.i16x8, Binary::Shl); break;
    case i32x4_shl: shift(f, t.i32x4, Binary::Shl); break;
    case i64x2_shl: shift(f, t.i64x2, Binary::Shl); break;
    case i8x16_shr_s: shift(f, t.i8x16, Binary::AShr); break;
    case i16x8_shr_s: shift(f, t.i16x8, Binary::AShr); break;
    case i32x4_shr_s: shift(f, t.i32x4, Binary::AShr); break;
    case i64x2_shr_s: shift(f, t.i64x2, Binary::AShr); break;
    case i8x16_shr_u: shift(f, t.i8x16, Binary::LShr); break;
    case i16x8_shr_u: shift(f, t.i16x8, Binary::LShr); break;
    case i32x4_shr_u: shift(f, t.i32x4, Binary::LShr); break;
    case i64x2_shr_u: shift(f, t.i64x2, Binary::LShr); break;
    case i8x16_add_sat_s: intrinsic(f, t.i8x16, ids::sadd_sat); break;
    case i8x16_add_sat_u: intrinsic(f, t.i8x16, ids::uadd_sat); break;
    case i16x8_add_sat_s: intrinsic(f, t.i16x8, ids::sadd_sat); break;
    case i16x8_add_sat_u: intrinsic(f, t.i16x8, ids::uadd_sat); break;
    case i8x16_sub_sat_s: intrinsic(f, t.i8x16, ids::ssub_sat); break;
    case i8x16_sub_sat_u: intrinsic(f, t.i8x16, ids::usub_sat); break;
    case i16x8_sub_sat_s: intrinsic(f, t.i16x8, ids::ssub_sat); break;
    case i16x8_sub_sat_u: intrinsic(f, t.i16x8, ids::usub_sat); break;
    case i8x16_min_s: intrinsic(f, t.i8x16, ids::smin); break;
    case i8x16_min_u: intrinsic(f, t.i8x16, ids::umin); break;
    case i8x16_max_s: intrinsic(f, t.i8x16, ids::smax); break;
    case i8x16_max_u: intrinsic(f, t.i8x16, ids::umax); break;
    case i16x8_min_s: intrinsic(f, t.i16x8, ids::smin); break;
    case i16x8_min_u: intrinsic(f, t.i16x8, ids::umin); break;
    case i16x8_max_s: intrinsic(f, t.i16x8, ids::smax); break;
    case i16x8_max_u: intrinsic(f, t.i16x8, ids::umax); break;
    case i32x4_min_s: intrinsic(f, t.i32x4, ids::smin); break;
    case i32x4_min_u: intrinsic(f, t.i32x4, ids::umin); break;
    case i32x4_max_s: intrinsic(f, t.i32x4, ids::smax); break;
    case i32x4_max_u: intrinsic(f, t.i32x4, ids::umax); break;
    case i8x16_avgr_u: average(f, t.i8x16); break;
    case i16x8_avgr_u: average(f, t.i16x8); break;
    case i16x8_q15mulr_sat_s: multiply_q15(f); break;
    default: return false;
  }
  return true;
}
// clang-format on

}  // namespace

bool emit_simd_integer(FunctionEmitter& f, wasm::Opcode opcode) {
  return emit_arithmetic(f, opcode) || emit_comparison(f, opcode) || emit_unary_or_test(f, opcode);
}

}  // namespace mayfly::compiler
