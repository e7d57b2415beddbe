// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Floating-point arithmetic as WebAssembly has it.
// float_semantics.h says which of LLVM's folds are wrong here and how they are kept out.
#include "compiler/float_semantics.h"

#include <llvm/IR/Constants.h>
#include <llvm/IR/InlineAsm.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/Intrinsics.h>
#include <llvm/IR/IntrinsicsX86.h>

#include "base/check.h"

namespace mayfly::compiler {
namespace {

// Constants with which an operation is the identity or a negation, and what folds to a NaN.
bool folds_keep_nan(const llvm::Value* value) {
  const auto* constant = llvm::dyn_cast<llvm::ConstantFP>(value);
  if (constant == nullptr) return false;
  const llvm::APFloat& number = constant->getValueAPF();
  return number.isZero() || number.isNaN() || constant->isExactlyValue(1.0) ||
         constant->isExactlyValue(-1.0);
}

llvm::Intrinsic::ID constrained_intrinsic(llvm::Instruction::BinaryOps operation) {
  switch (operation) {
    case llvm::Instruction::FAdd:
      return llvm::Intrinsic::experimental_constrained_fadd;
    case llvm::Instruction::FSub:
      return llvm::Intrinsic::experimental_constrained_fsub;
    case llvm::Instruction::FMul:
      return llvm::Intrinsic::experimental_constrained_fmul;
    default:
      CHECK(operation == llvm::Instruction::FDiv, "operation", int{operation});
      return llvm::Intrinsic::experimental_constrained_fdiv;
  }
}

llvm::Type* integer_type_like(llvm::Type* type) {
  if (auto* vector = llvm::dyn_cast<llvm::VectorType>(type)) {
    return llvm::VectorType::getInteger(vector);
  }
  return llvm::IntegerType::get(type->getContext(), type->getScalarSizeInBits());
}

llvm::Intrinsic::ID vector_extremum(Extremum which, const llvm::Type* lane) {
  if (lane->isFloatTy()) {
    return which == Extremum::kMin ? llvm::Intrinsic::x86_sse_min_ps
                                   : llvm::Intrinsic::x86_sse_max_ps;
  }
  return which == Extremum::kMin ? llvm::Intrinsic::x86_sse2_min_pd
                                 : llvm::Intrinsic::x86_sse2_max_pd;
}

}  // namespace

llvm::Value* opaque(llvm::IRBuilder<>& ir, llvm::Value* value) {
  llvm::Type* type = value->getType();
  auto* signature = llvm::FunctionType::get(type, {type}, false);
  // SAFETY: the assembly is empty; "0" says that the result is where the operand is.
  auto* nothing = llvm::InlineAsm::get(signature, "", "=x,0", /*hasSideEffects=*/false);
  llvm::CallInst* call = ir.CreateCall(signature, nothing, {value});
  call->setDoesNotThrow();
  call->setDoesNotAccessMemory();
  call->addFnAttr(llvm::Attribute::WillReturn);
  return call;
}

llvm::Value* hidden_if_float(llvm::IRBuilder<>& ir, llvm::Value* value) {
  const bool hides = value->getType()->isFloatingPointTy() && llvm::isa<llvm::Constant>(value);
  return hides ? opaque(ir, value) : value;
}

llvm::Value* visible(llvm::Value* value) {
  auto* call = llvm::dyn_cast<llvm::CallInst>(value);
  if (call == nullptr || !call->isInlineAsm()) return value;
  return llvm::isa<llvm::Constant>(call->getArgOperand(0)) ? call->getArgOperand(0) : value;
}

llvm::Value* float_arithmetic(llvm::IRBuilder<>& ir, llvm::Instruction::BinaryOps operation,
                              llvm::Value* left, llvm::Value* right) {
  if (left->getType()->isVectorTy()) {
    return ir.CreateConstrainedFPBinOp(constrained_intrinsic(operation), left, right, nullptr, "",
                                       nullptr, llvm::RoundingMode::NearestTiesToEven,
                                       llvm::fp::ebMayTrap);
  }
  llvm::Value* left_seen = visible(left);
  llvm::Value* right_seen = visible(right);
  const bool both_constant =
      llvm::isa<llvm::Constant>(left_seen) && llvm::isa<llvm::Constant>(right_seen);
  if (both_constant || folds_keep_nan(left_seen)) left_seen = left;
  if (both_constant || folds_keep_nan(right_seen)) right_seen = right;
  return ir.CreateBinOp(operation, left_seen, right_seen);
}

// Asked both ways, the processor answers both of two zeros, which one logic operation joins.
llvm::Value* float_extremum(llvm::IRBuilder<>& ir, Extremum which, llvm::Value* left,
                            llvm::Value* right) {
  llvm::Type* type = left->getType();
  llvm::Type* bits = integer_type_like(type);
  llvm::Value* one = ir.CreateBitCast(processor_extremum(ir, which, left, right), bits);
  llvm::Value* other = ir.CreateBitCast(processor_extremum(ir, which, right, left), bits);
  llvm::Value* joined =
      which == Extremum::kMin ? ir.CreateOr(one, other) : ir.CreateAnd(one, other);
  return ir.CreateSelect(ir.CreateFCmpUNO(left, right), llvm::ConstantFP::getQNaN(type),
                         ir.CreateBitCast(joined, type));
}

// For a scalar LLVM knows the instruction by its select; for vectors it loses it where a select
// of doubles becomes one of integers, so they name the instruction.
llvm::Value* processor_extremum(llvm::IRBuilder<>& ir, Extremum which, llvm::Value* left,
                                llvm::Value* right) {
  llvm::Type* type = left->getType();
  if (type->isVectorTy()) {
    return ir.CreateIntrinsic(vector_extremum(which, type->getScalarType()), {}, {left, right});
  }
  const auto wins = which == Extremum::kMin ? llvm::CmpInst::FCMP_OLT : llvm::CmpInst::FCMP_OGT;
  return ir.CreateSelect(ir.CreateFCmp(wins, left, right), left, right);
}

}  // namespace mayfly::compiler
