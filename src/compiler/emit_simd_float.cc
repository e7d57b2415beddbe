// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Floating-point vector instructions, and conversions between float and integer lanes.
#include <llvm/IR/IntrinsicsX86.h>

#include "compiler/emit_families.h"
#include "compiler/float_semantics.h"

namespace mayfly::compiler {
namespace {

using llvm::Value;
using Binary = llvm::Instruction::BinaryOps;
using Predicate = llvm::CmpInst::Predicate;
using Shape = llvm::FixedVectorType*;

void arithmetic(FunctionEmitter& f, Shape shape, Binary operation) {
  const auto [left, right] = f.pop_vectors(shape);
  f.push_vector(float_arithmetic(f.ir(), operation, left, right));
}

void unary(FunctionEmitter& f, Shape shape, llvm::Intrinsic::ID intrinsic) {
  f.push_vector(f.ir().CreateUnaryIntrinsic(intrinsic, f.pop_vector(shape)));
}

void negate(FunctionEmitter& f, Shape shape) {
  f.push_vector(f.ir().CreateFNeg(f.pop_vector(shape)));
}

void extremum(FunctionEmitter& f, Shape shape, Extremum which) {
  const auto [left, right] = f.pop_vectors(shape);
  f.push_vector(float_extremum(f.ir(), which, left, right));
}

// pmin: right < left ? right : left; pmax: left < right ? right : left.
void pseudo_extremum(FunctionEmitter& f, Shape shape, Extremum which) {
  const auto [left, right] = f.pop_vectors(shape);
  f.push_vector(processor_extremum(f.ir(), which, right, left));
}

void compare(FunctionEmitter& f, Shape shape, Predicate predicate) {
  const auto [left, right] = f.pop_vectors(shape);
  Value* holds = f.ir().CreateFCmp(predicate, left, right);
  f.push_vector(f.ir().CreateSExt(holds, llvm::VectorType::getInteger(shape)));
}

void convert(FunctionEmitter& f, llvm::Instruction::CastOps operation) {
  const Shapes t(f.ir());
  f.push_vector(f.ir().CreateCast(operation, f.pop_vector(t.i32x4), t.f32x4));
}

constexpr int kLowHalf[] = {0, 1};

void convert_low(FunctionEmitter& f, llvm::Instruction::CastOps operation) {
  const Shapes t(f.ir());
  Value* low = f.ir().CreateShuffleVector(f.pop_vector(t.i32x4), kLowHalf);
  f.push_vector(f.ir().CreateCast(operation, low, t.f64x2));
}

// Opaque, so that a demotion does not undo it (float_semantics.h).
void promote_low(FunctionEmitter& f) {
  const Shapes t(f.ir());
  Value* low = f.ir().CreateShuffleVector(f.pop_vector(t.f32x4), kLowHalf);
  f.push_vector(opaque(f.ir(), f.ir().CreateFPExt(low, t.f64x2)));
}

// Two lanes, then two of zeros.
Value* with_zeros(FunctionEmitter& f, Value* two) {
  constexpr int kLanes[] = {0, 1, 2, 3};
  return f.ir().CreateShuffleVector(two, llvm::Constant::getNullValue(two->getType()), kLanes);
}

void demote_zero(FunctionEmitter& f) {
  const Shapes t(f.ir());
  auto* two = llvm::FixedVectorType::get(f.ir().getFloatTy(), 2);
  f.push_vector(with_zeros(f, f.ir().CreateFPTrunc(f.pop_vector(t.f64x2), two)));
}

// cvttps2dq: INT32_MIN for NaN and for what does not fit.
Value* truncate_f32x4(FunctionEmitter& f, Value* vector) {
  return f.ir().CreateIntrinsic(llvm::Intrinsic::x86_sse2_cvttps2dq, {}, {vector});
}

// The value where it is a number, 0 where it is NaN.
Value* nan_to_zero(FunctionEmitter& f, Value* vector) {
  return f.ir().CreateSelect(f.ir().CreateFCmpORD(vector, vector), vector,
                             llvm::Constant::getNullValue(vector->getType()));
}

// INT32_MIN is right below the range; above it all its bits are inverted.
void truncate_f32x4_signed(FunctionEmitter& f) {
  auto& ir = f.ir();
  const Shapes t(ir);
  Value* number = nan_to_zero(f, f.pop_vector(t.f32x4));
  Value* above = ir.CreateFCmpOGE(number, float_splat(t.f32x4, 0x1p31));
  f.push_vector(ir.CreateXor(truncate_f32x4(f, number), ir.CreateSExt(above, t.i32x4)));
}

}  // namespace

// From 2^31 the truncation is INT32_MIN, and what is above 2^31 is truncated by itself and added;
// that saturates at INT32_MAX, and the sum at UINT32_MAX.
void truncate_f32x4_unsigned(FunctionEmitter& f) {
  auto& ir = f.ir();
  const Shapes t(ir);
  Value* number = f.pop_vector(t.f32x4);
  Value* zero = llvm::Constant::getNullValue(t.f32x4);
  number = processor_extremum(ir, Extremum::kMax, number, zero);
  Value* excess = float_arithmetic(ir, Binary::FSub, number, float_splat(t.f32x4, 0x1p31));
  Value* saturates = ir.CreateFCmpOGE(excess, float_splat(t.f32x4, 0x1p31));
  Value* rest = ir.CreateXor(truncate_f32x4(f, excess), ir.CreateSExt(saturates, t.i32x4));
  rest =
      ir.CreateBinaryIntrinsic(llvm::Intrinsic::smax, rest, llvm::Constant::getNullValue(t.i32x4));
  f.push_vector(ir.CreateAdd(truncate_f32x4(f, number), rest));
}

// cvttpd2dq after the bound from above; below the range it answers INT32_MIN by itself.
void truncate_f64x2_signed_zero(FunctionEmitter& f) {
  auto& ir = f.ir();
  const Shapes t(ir);
  Value* number = nan_to_zero(f, f.pop_vector(t.f64x2));
  Value* most = float_splat(t.f64x2, 2147483647.0);
  number = processor_extremum(ir, Extremum::kMin, number, most);
  f.push_vector(ir.CreateIntrinsic(llvm::Intrinsic::x86_sse2_cvttpd2dq, {}, {number}));
}

// Added to 2^52, a whole number below it is the low bits of the sum.
void truncate_f64x2_unsigned_zero(FunctionEmitter& f) {
  auto& ir = f.ir();
  const Shapes t(ir);
  Value* number = f.pop_vector(t.f64x2);
  Value* zero = llvm::Constant::getNullValue(t.f64x2);
  Value* most = float_splat(t.f64x2, 4294967295.0);
  number = processor_extremum(ir, Extremum::kMax, number, zero);
  number = processor_extremum(ir, Extremum::kMin, number, most);
  Value* whole = ir.CreateUnaryIntrinsic(llvm::Intrinsic::trunc, number);
  Value* sum = float_arithmetic(ir, Binary::FAdd, whole, float_splat(t.f64x2, 0x1p52));
  constexpr int kLowWords[] = {0, 2, 4, 5};
  f.push_vector(ir.CreateShuffleVector(ir.CreateBitCast(sum, t.i32x4),
                                       llvm::Constant::getNullValue(t.i32x4), kLowWords));
}

// One line per instruction.
// clang-format off
bool emit_simd_float(FunctionEmitter& f, wasm::Opcode opcode) {
  using enum wasm::Opcode;
  namespace ids = llvm::Intrinsic;
  const Shapes t(f.ir());
  switch (opcode) {
    case f32x4_add: arithmetic(f, t.f32x4, Binary::FAdd); break;
    case f32x4_sub: arithmetic(f, t.f32x4, Binary::FSub); break;
    case f32x4_mul: arithmetic(f, t.f32x4, Binary::FMul); break;
    case f32x4_div: arithmetic(f, t.f32x4, Binary::FDiv); break;
    case f32x4_abs: unary(f, t.f32x4, ids::fabs); break;
    case f32x4_sqrt: unary(f, t.f32x4, ids::sqrt); break;
    case f32x4_ceil: unary(f, t.f32x4, ids::ceil); break;
    case f32x4_floor: unary(f, t.f32x4, ids::floor); break;
    case f32x4_trunc: unary(f, t.f32x4, ids::trunc); break;
    case f32x4_nearest: unary(f, t.f32x4, ids::roundeven); break;
    case f32x4_neg: negate(f, t.f32x4); break;
    case f32x4_min: extremum(f, t.f32x4, Extremum::kMin); break;
    case f32x4_max: extremum(f, t.f32x4, Extremum::kMax); break;
    case f32x4_pmin: pseudo_extremum(f, t.f32x4, Extremum::kMin); break;
    case f32x4_pmax: pseudo_extremum(f, t.f32x4, Extremum::kMax); break;
    case f32x4_eq: compare(f, t.f32x4, Predicate::FCMP_OEQ); break;
    case f32x4_ne: compare(f, t.f32x4, Predicate::FCMP_UNE); break;
    case f32x4_lt: compare(f, t.f32x4, Predicate::FCMP_OLT); break;
    case f32x4_gt: compare(f, t.f32x4, Predicate::FCMP_OGT); break;
    case f32x4_le: compare(f, t.f32x4, Predicate::FCMP_OLE); break;
    case f32x4_ge: compare(f, t.f32x4, Predicate::FCMP_OGE); break;
    case f64x2_add: arithmetic(f, t.f64x2, Binary::FAdd); break;
    case f64x2_sub: arithmetic(f, t.f64x2, Binary::FSub); break;
    case f64x2_mul: arithmetic(f, t.f64x2, Binary::FMul); break;
    case f64x2_div: arithmetic(f, t.f64x2, Binary::FDiv); break;
    case f64x2_abs: unary(f, t.f64x2, ids::fabs); break;
    case f64x2_sqrt: unary(f, t.f64x2, ids::sqrt); break;
    case f64x2_ceil: unary(f, t.f64x2, ids::ceil); break;
    case f64x2_floor: unary(f, t.f64x2, ids::floor); break;
    case f64x2_trunc: unary(f, t.f64x2, ids::trunc); break;
    case f64x2_nearest: unary(f, t.f64x2, ids::roundeven); break;
    case f64x2_neg: negate(f, t.f64x2); break;
    case f64x2_min: extremum(f, t.f64x2, Extremum::kMin); break;
    case f64x2_max: extremum(f, t.f64x2, Extremum::kMax); break;
    case f64x2_pmin: pseudo_extremum(f, t.f64x2, Extremum::kMin); break;
    case f64x2_pmax: pseudo_extremum(f, t.f64x2, Extremum::kMax); break;
    case f64x2_eq: compare(f, t.f64x2, Predicate::FCMP_OEQ); break;
    case f64x2_ne: compare(f, t.f64x2, Predicate::FCMP_UNE); break;
    case f64x2_lt: compare(f, t.f64x2, Predicate::FCMP_OLT); break;
    case f64x2_gt: compare(f, t.f64x2, Predicate::FCMP_OGT); break;
    case f64x2_le: compare(f, t.f64x2, Predicate::FCMP_OLE); break;
    case f64x2_ge: compare(f, t.f64x2, Predicate::FCMP_OGE); break;
    case f32x4_convert_i32x4_s: convert(f, llvm::Instruction::SIToFP); break;
    case f32x4_convert_i32x4_u: convert(f, llvm::Instruction::UIToFP); break;
    case f64x2_convert_low_i32x4_s: convert_low(f, llvm::Instruction::SIToFP); break;
    case f64x2_convert_low_i32x4_u: convert_low(f, llvm::Instruction::UIToFP); break;
    case f64x2_promote_low_f32x4: promote_low(f); break;
    case f32x4_demote_f64x2_zero: demote_zero(f); break;
    case i32x4_trunc_sat_f32x4_s: truncate_f32x4_signed(f); break;
    case i32x4_trunc_sat_f32x4_u: truncate_f32x4_unsigned(f); break;
    case i32x4_trunc_sat_f64x2_s_zero: truncate_f64x2_signed_zero(f); break;
    case i32x4_trunc_sat_f64x2_u_zero: truncate_f64x2_unsigned_zero(f); break;
    default: return false;
  }
  return true;
}
// clang-format on

}  // namespace mayfly::compiler
