// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scalar arithmetic, comparisons and constants. The operands' LLVM types carry the width, so the
// i32 and i64 (f32 and f64) forms of an instruction are one. Conversions: emit_conversion.cc.
#include <llvm/IR/Intrinsics.h>

#include <utility>

#include "base/check.h"
#include "compiler/emit_families.h"
#include "compiler/float_semantics.h"

namespace mayfly::compiler {
namespace {

using guest_abi::TrapCode;
using llvm::CmpInst;
using llvm::Value;
using Binary = llvm::Instruction::BinaryOps;

struct Pair {
  Value* left;
  Value* right;
};

Pair pop_pair(FunctionEmitter& f) {
  Value* right = f.pop();
  Value* left = f.pop();
  return {left, right};
}

void push_bool(FunctionEmitter& f, Value* condition) {
  f.push(f.ir().CreateZExt(condition, f.ir().getInt32Ty()));
}

void integer_binary(FunctionEmitter& f, Binary operation) {
  const auto [left, right] = pop_pair(f);
  f.push(f.ir().CreateBinOp(operation, left, right));
}

// wasm-3.0 #op-ishl: the count is taken modulo the width; LLVM's result is poison past it.
void shift(FunctionEmitter& f, Binary operation) {
  const auto [left, right] = pop_pair(f);
  const uint64_t mask = left->getType()->getIntegerBitWidth() - 1;
  f.push(f.ir().CreateBinOp(operation, left, f.ir().CreateAnd(right, mask)));
}

// The funnel shifts take their count modulo the width themselves.
void rotate(FunctionEmitter& f, llvm::Intrinsic::ID funnel_shift) {
  const auto [left, right] = pop_pair(f);
  f.push(f.ir().CreateIntrinsic(funnel_shift, {left->getType()}, {left, left, right}));
}

void count_zeros(FunctionEmitter& f, llvm::Intrinsic::ID intrinsic) {
  Value* value = f.pop();
  // false: the count of zero is the width, not poison.
  f.push(f.ir().CreateIntrinsic(intrinsic, {value->getType()}, {value, f.ir().getFalse()}));
}

void unary_intrinsic(FunctionEmitter& f, llvm::Intrinsic::ID intrinsic) {
  f.push(f.ir().CreateUnaryIntrinsic(intrinsic, f.pop()));
}

void trap_if_zero(FunctionEmitter& f, Value* divisor) {
  f.trap_if(f.ir().CreateIsNull(divisor), TrapCode::kIntegerDivideByZero);
}

void divide_signed(FunctionEmitter& f) {
  const auto [left, right] = pop_pair(f);
  llvm::Type* type = left->getType();
  trap_if_zero(f, right);
  Value* least =
      llvm::ConstantInt::get(type, llvm::APInt::getSignedMinValue(type->getIntegerBitWidth()));
  Value* overflows =
      f.ir().CreateAnd(f.ir().CreateICmpEQ(left, least),
                       f.ir().CreateICmpEQ(right, llvm::Constant::getAllOnesValue(type)));
  f.trap_if(overflows, TrapCode::kIntegerOverflow);
  f.push(f.ir().CreateSDiv(left, right));
}

// The remainder by -1 is 0, as by 1, for which the least number does not overflow.
void remainder_signed(FunctionEmitter& f) {
  const auto [left, right] = pop_pair(f);
  llvm::Type* type = left->getType();
  trap_if_zero(f, right);
  Value* minus_one = f.ir().CreateICmpEQ(right, llvm::Constant::getAllOnesValue(type));
  Value* divisor = f.ir().CreateSelect(minus_one, llvm::ConstantInt::get(type, 1), right);
  f.push(f.ir().CreateSRem(left, divisor));
}

void divide_unsigned(FunctionEmitter& f, Binary operation) {
  const auto [left, right] = pop_pair(f);
  trap_if_zero(f, right);
  f.push(f.ir().CreateBinOp(operation, left, right));
}

void compare_integers(FunctionEmitter& f, CmpInst::Predicate predicate) {
  const auto [left, right] = pop_pair(f);
  push_bool(f, f.ir().CreateICmp(predicate, left, right));
}

void compare_floats(FunctionEmitter& f, CmpInst::Predicate predicate) {
  const auto [left, right] = pop_pair(f);
  push_bool(f, f.ir().CreateFCmp(predicate, visible(left), visible(right)));
}

void float_binary(FunctionEmitter& f, Binary operation) {
  const auto [left, right] = pop_pair(f);
  f.push(float_arithmetic(f.ir(), operation, left, right));
}

void extremum(FunctionEmitter& f, Extremum which) {
  const auto [left, right] = pop_pair(f);
  f.push(float_extremum(f.ir(), which, left, right));
}

void copysign(FunctionEmitter& f) {
  const auto [left, right] = pop_pair(f);
  f.push(f.ir().CreateBinaryIntrinsic(llvm::Intrinsic::copysign, left, visible(right)));
}

void float_constant(FunctionEmitter& f, const llvm::fltSemantics& semantics, uint64_t bits) {
  const unsigned width = llvm::APFloat::getSizeInBits(semantics);
  const llvm::APFloat value(semantics, llvm::APInt(64, bits).trunc(width));
  f.push(opaque(f.ir(), llvm::ConstantFP::get(f.ir().getContext(), value)));
}

// Pushes the low and the high half of a 128-bit number.
void push_wide(FunctionEmitter& f, Value* wide) {
  f.push(f.ir().CreateTrunc(wide, f.ir().getInt64Ty()));
  f.push(f.ir().CreateTrunc(f.ir().CreateLShr(wide, 64), f.ir().getInt64Ty()));
}

Value* pop_wide(FunctionEmitter& f) {
  llvm::Type* type = f.ir().getInt128Ty();
  const auto [low, high] = pop_pair(f);
  Value* top = f.ir().CreateShl(f.ir().CreateZExt(high, type), 64);
  return f.ir().CreateOr(top, f.ir().CreateZExt(low, type));
}

void add_wide(FunctionEmitter& f, Binary operation) {
  Value* right = pop_wide(f);
  Value* left = pop_wide(f);
  push_wide(f, f.ir().CreateBinOp(operation, left, right));
}

void multiply_wide(FunctionEmitter& f, llvm::Instruction::CastOps extend) {
  llvm::Type* type = f.ir().getInt128Ty();
  const auto [left, right] = pop_pair(f);
  push_wide(f, f.ir().CreateMul(f.ir().CreateCast(extend, left, type),
                                f.ir().CreateCast(extend, right, type)));
}

}  // namespace

// One line per instruction.
// clang-format off
static bool emit_integer(FunctionEmitter& f, const wasm::Instruction& instruction) {
  using enum wasm::Opcode;
  namespace ids = llvm::Intrinsic;
  switch (instruction.opcode) {
    case i32_const: f.push(f.ir().getInt32(static_cast<uint32_t>(instruction.constant))); break;
    case i64_const: f.push(f.ir().getInt64(instruction.constant)); break;
    case i32_add: case i64_add: integer_binary(f, Binary::Add); break;
    case i32_sub: case i64_sub: integer_binary(f, Binary::Sub); break;
    case i32_mul: case i64_mul: integer_binary(f, Binary::Mul); break;
    case i32_and: case i64_and: integer_binary(f, Binary::And); break;
    case i32_or: case i64_or: integer_binary(f, Binary::Or); break;
    case i32_xor: case i64_xor: integer_binary(f, Binary::Xor); break;
    case i32_div_s: case i64_div_s: divide_signed(f); break;
    case i32_rem_s: case i64_rem_s: remainder_signed(f); break;
    case i32_div_u: case i64_div_u: divide_unsigned(f, Binary::UDiv); break;
    case i32_rem_u: case i64_rem_u: divide_unsigned(f, Binary::URem); break;
    case i32_shl: case i64_shl: shift(f, Binary::Shl); break;
    case i32_shr_s: case i64_shr_s: shift(f, Binary::AShr); break;
    case i32_shr_u: case i64_shr_u: shift(f, Binary::LShr); break;
    case i32_rotl: case i64_rotl: rotate(f, ids::fshl); break;
    case i32_rotr: case i64_rotr: rotate(f, ids::fshr); break;
    case i32_clz: case i64_clz: count_zeros(f, ids::ctlz); break;
    case i32_ctz: case i64_ctz: count_zeros(f, ids::cttz); break;
    case i32_popcnt: case i64_popcnt: unary_intrinsic(f, ids::ctpop); break;
    case i32_eqz: case i64_eqz: push_bool(f, f.ir().CreateIsNull(f.pop())); break;
    case i32_eq: case i64_eq: compare_integers(f, CmpInst::ICMP_EQ); break;
    case i32_ne: case i64_ne: compare_integers(f, CmpInst::ICMP_NE); break;
    case i32_lt_s: case i64_lt_s: compare_integers(f, CmpInst::ICMP_SLT); break;
    case i32_lt_u: case i64_lt_u: compare_integers(f, CmpInst::ICMP_ULT); break;
    case i32_gt_s: case i64_gt_s: compare_integers(f, CmpInst::ICMP_SGT); break;
    case i32_gt_u: case i64_gt_u: compare_integers(f, CmpInst::ICMP_UGT); break;
    case i32_le_s: case i64_le_s: compare_integers(f, CmpInst::ICMP_SLE); break;
    case i32_le_u: case i64_le_u: compare_integers(f, CmpInst::ICMP_ULE); break;
    case i32_ge_s: case i64_ge_s: compare_integers(f, CmpInst::ICMP_SGE); break;
    case i32_ge_u: case i64_ge_u: compare_integers(f, CmpInst::ICMP_UGE); break;
    case i64_add128: add_wide(f, Binary::Add); break;
    case i64_sub128: add_wide(f, Binary::Sub); break;
    case i64_mul_wide_s: multiply_wide(f, llvm::Instruction::SExt); break;
    case i64_mul_wide_u: multiply_wide(f, llvm::Instruction::ZExt); break;
    default: return false;
  }
  return true;
}

static bool emit_float(FunctionEmitter& f, const wasm::Instruction& instruction) {
  using enum wasm::Opcode;
  namespace ids = llvm::Intrinsic;
  switch (instruction.opcode) {
    case f32_const: float_constant(f, llvm::APFloat::IEEEsingle(), instruction.constant); break;
    case f64_const: float_constant(f, llvm::APFloat::IEEEdouble(), instruction.constant); break;
    case f32_add: case f64_add: float_binary(f, Binary::FAdd); break;
    case f32_sub: case f64_sub: float_binary(f, Binary::FSub); break;
    case f32_mul: case f64_mul: float_binary(f, Binary::FMul); break;
    case f32_div: case f64_div: float_binary(f, Binary::FDiv); break;
    case f32_min: case f64_min: extremum(f, Extremum::kMin); break;
    case f32_max: case f64_max: extremum(f, Extremum::kMax); break;
    case f32_copysign: case f64_copysign: copysign(f); break;
    case f32_neg: case f64_neg: f.push(f.ir().CreateFNeg(f.pop())); break;
    case f32_abs: case f64_abs: unary_intrinsic(f, ids::fabs); break;
    case f32_sqrt: case f64_sqrt: unary_intrinsic(f, ids::sqrt); break;
    case f32_ceil: case f64_ceil: unary_intrinsic(f, ids::ceil); break;
    case f32_floor: case f64_floor: unary_intrinsic(f, ids::floor); break;
    case f32_trunc: case f64_trunc: unary_intrinsic(f, ids::trunc); break;
    case f32_nearest: case f64_nearest: unary_intrinsic(f, ids::roundeven); break;
    case f32_eq: case f64_eq: compare_floats(f, CmpInst::FCMP_OEQ); break;
    case f32_ne: case f64_ne: compare_floats(f, CmpInst::FCMP_UNE); break;
    case f32_lt: case f64_lt: compare_floats(f, CmpInst::FCMP_OLT); break;
    case f32_gt: case f64_gt: compare_floats(f, CmpInst::FCMP_OGT); break;
    case f32_le: case f64_le: compare_floats(f, CmpInst::FCMP_OLE); break;
    case f32_ge: case f64_ge: compare_floats(f, CmpInst::FCMP_OGE); break;
    default: return false;
  }
  return true;
}
// clang-format on

void emit_numeric(FunctionEmitter& f, const wasm::Instruction& instruction) {
  if (emit_integer(f, instruction) || emit_float(f, instruction)) return;
  CHECK(emit_conversion(f, instruction.opcode), wasm::to_string(instruction.opcode));
}

}  // namespace mayfly::compiler
