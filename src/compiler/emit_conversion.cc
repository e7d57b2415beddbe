// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Conversions between scalar types: wrap, extend, truncate, convert, demote, promote, reinterpret.
// LLVM's fptosi and fptoui are poison out of range, so the range is checked here, exactly.
#include <llvm/IR/IntrinsicsX86.h>
#include <llvm/IR/MDBuilder.h>

#include "base/check.h"
#include "compiler/emit_families.h"
#include "compiler/float_semantics.h"

namespace mayfly::compiler {
namespace {

using guest_abi::TrapCode;
using llvm::Value;
using Cast = llvm::Instruction::CastOps;

void cast(FunctionEmitter& f, Cast operation, llvm::Type* to) {
  f.push(f.ir().CreateCast(operation, f.pop(), to));
}

// Its float result may follow from an integer constant: opaque (float_semantics.h).
void cast_to_float(FunctionEmitter& f, Cast operation, llvm::Type* to) {
  f.push(opaque(f.ir(), f.ir().CreateCast(operation, f.pop(), to)));
}

void sign_extend_within(FunctionEmitter& f, unsigned from_bits) {
  Value* value = f.pop();
  Value* narrow = f.ir().CreateTrunc(value, f.ir().getIntNTy(from_bits));
  f.push(f.ir().CreateSExt(narrow, value->getType()));
}

// cvttss2si / cvttsd2si to 64 bits: -2^63 for NaN and for what does not fit.
Value* truncate_to_i64(FunctionEmitter& f, Value* value) {
  const bool single = value->getType()->isFloatTy();
  auto* vector = llvm::FixedVectorType::get(value->getType(), single ? 4 : 2);
  Value* lanes =
      f.ir().CreateInsertElement(llvm::PoisonValue::get(vector), value, f.ir().getInt64(0));
  const llvm::Intrinsic::ID intrinsic =
      single ? llvm::Intrinsic::x86_sse_cvttss2si64 : llvm::Intrinsic::x86_sse2_cvttsd2si64;
  return f.ir().CreateIntrinsic(intrinsic, {}, {lanes});
}

// Goes on in a block that is entered only when `suspicious`; returns where the rest continues.
llvm::BasicBlock* begin_unlikely(FunctionEmitter& f, Value* suspicious) {
  auto& context = f.ir().getContext();
  auto* unlikely = llvm::BasicBlock::Create(context, "", &f.function());
  auto* rest = llvm::BasicBlock::Create(context, "", &f.function());
  f.ir().CreateCondBr(suspicious, unlikely, rest,
                      llvm::MDBuilder(context).createUnlikelyBranchWeights());
  f.ir().SetInsertPoint(unlikely);
  return rest;
}

void trap_if_nan(FunctionEmitter& f, Value* value) {
  f.trap_if(f.ir().CreateFCmpUNO(value, value), TrapCode::kInvalidConversionToInteger);
}

// The 64-bit truncation fits 32 bits exactly when the value is in range: the range's bounds lie
// well inside those of 64 bits, and the answer for NaN does not fit.
void truncate_to_i32(FunctionEmitter& f, Cast extend) {
  Value* value = f.pop();
  Value* wide = truncate_to_i64(f, value);
  Value* narrow = f.ir().CreateTrunc(wide, f.ir().getInt32Ty());
  Value* back = f.ir().CreateCast(extend, narrow, f.ir().getInt64Ty());
  llvm::BasicBlock* rest = begin_unlikely(f, f.ir().CreateICmpNE(wide, back));
  trap_if_nan(f, value);
  f.trap(TrapCode::kIntegerOverflow);
  f.ir().SetInsertPoint(rest);
  f.push(narrow);
}

void truncate_to_i64_signed(FunctionEmitter& f) {
  Value* value = f.pop();
  Value* truncated = truncate_to_i64(f, value);
  Value* least = f.ir().getInt64(uint64_t{1} << 63);
  llvm::BasicBlock* rest = begin_unlikely(f, f.ir().CreateICmpEQ(truncated, least));
  trap_if_nan(f, value);
  // No float or double is between -2^63 - 1 and -2^63, so in range is only -2^63 itself.
  f.trap_if(f.ir().CreateFCmpONE(value, llvm::ConstantFP::get(value->getType(), -0x1p63)),
            TrapCode::kIntegerOverflow);
  f.ir().CreateBr(rest);
  f.ir().SetInsertPoint(rest);
  f.push(truncated);
}

void truncate_to_i64_unsigned(FunctionEmitter& f) {
  Value* value = f.pop();
  llvm::Type* type = value->getType();
  Value* above = f.ir().CreateFCmpOGT(value, llvm::ConstantFP::get(type, -1.0));
  Value* below = f.ir().CreateFCmpOLT(value, llvm::ConstantFP::get(type, 0x1p64));
  Value* outside = f.ir().CreateNot(f.ir().CreateAnd(above, below));
  llvm::BasicBlock* rest = begin_unlikely(f, outside);
  trap_if_nan(f, value);
  f.trap(TrapCode::kIntegerOverflow);
  f.ir().SetInsertPoint(rest);
  f.push(f.ir().CreateFPToUI(value, f.ir().getInt64Ty()));
}

void saturate(FunctionEmitter& f, llvm::Intrinsic::ID intrinsic, llvm::Type* to) {
  Value* value = f.pop();
  f.push(f.ir().CreateIntrinsic(intrinsic, {to, value->getType()}, {value}));
}

}  // namespace

// One line per instruction.
// clang-format off
bool emit_conversion(FunctionEmitter& f, wasm::Opcode opcode) {
  using enum wasm::Opcode;
  namespace ids = llvm::Intrinsic;
  llvm::Type* i32 = f.ir().getInt32Ty();
  llvm::Type* i64 = f.ir().getInt64Ty();
  llvm::Type* f32 = f.ir().getFloatTy();
  llvm::Type* f64 = f.ir().getDoubleTy();
  switch (opcode) {
    case i32_wrap_i64: cast(f, Cast::Trunc, i32); break;
    case i64_extend_i32_s: cast(f, Cast::SExt, i64); break;
    case i64_extend_i32_u: cast(f, Cast::ZExt, i64); break;
    case i32_extend8_s: case i64_extend8_s: sign_extend_within(f, 8); break;
    case i32_extend16_s: case i64_extend16_s: sign_extend_within(f, 16); break;
    case i64_extend32_s: sign_extend_within(f, 32); break;
    case i32_trunc_f32_s: case i32_trunc_f64_s: truncate_to_i32(f, Cast::SExt); break;
    case i32_trunc_f32_u: case i32_trunc_f64_u: truncate_to_i32(f, Cast::ZExt); break;
    case i64_trunc_f32_s: case i64_trunc_f64_s: truncate_to_i64_signed(f); break;
    case i64_trunc_f32_u: case i64_trunc_f64_u: truncate_to_i64_unsigned(f); break;
    case i32_trunc_sat_f32_s: case i32_trunc_sat_f64_s: saturate(f, ids::fptosi_sat, i32); break;
    case i32_trunc_sat_f32_u: case i32_trunc_sat_f64_u: saturate(f, ids::fptoui_sat, i32); break;
    case i64_trunc_sat_f32_s: case i64_trunc_sat_f64_s: saturate(f, ids::fptosi_sat, i64); break;
    case i64_trunc_sat_f32_u: case i64_trunc_sat_f64_u: saturate(f, ids::fptoui_sat, i64); break;
    case f32_convert_i32_s: case f32_convert_i64_s: cast_to_float(f, Cast::SIToFP, f32); break;
    case f32_convert_i32_u: case f32_convert_i64_u: cast_to_float(f, Cast::UIToFP, f32); break;
    case f64_convert_i32_s: case f64_convert_i64_s: cast_to_float(f, Cast::SIToFP, f64); break;
    case f64_convert_i32_u: case f64_convert_i64_u: cast_to_float(f, Cast::UIToFP, f64); break;
    case f32_demote_f64: cast(f, Cast::FPTrunc, f32); break;
    case f64_promote_f32: cast_to_float(f, Cast::FPExt, f64); break;
    case i32_reinterpret_f32: cast(f, Cast::BitCast, i32); break;
    case i64_reinterpret_f64: cast(f, Cast::BitCast, i64); break;
    case f32_reinterpret_i32: cast_to_float(f, Cast::BitCast, f32); break;
    case f64_reinterpret_i64: cast_to_float(f, Cast::BitCast, f64); break;
    default: return false;
  }
  return true;
}
// clang-format on

}  // namespace mayfly::compiler
