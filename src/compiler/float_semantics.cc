// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Floating-point arithmetic as WebAssembly has it.
// float_semantics.h says which of LLVM's folds are wrong here and how they are kept out.
#include "compiler/float_semantics.h"

#include <llvm/IR/Constants.h>
#include <llvm/IR/InlineAsm.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/Intrinsics.h>

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

// The processor's minimum answers its second operand for equal or unordered ones, so asked both
// ways it answers both zeros, which one logic operation joins. `first_wins` orders a pair.
llvm::Value* extremum(llvm::IRBuilder<>& ir, llvm::CmpInst::Predicate first_wins,
                      llvm::Instruction::BinaryOps join, llvm::Value* left, llvm::Value* right) {
  llvm::Value* one = ir.CreateSelect(ir.CreateFCmp(first_wins, left, right), left, right);
  llvm::Value* other = ir.CreateSelect(ir.CreateFCmp(first_wins, right, left), right, left);
  llvm::Type* type = left->getType();
  llvm::Type* bits = integer_type_like(type);
  llvm::Value* joined =
      ir.CreateBinOp(join, ir.CreateBitCast(one, bits), ir.CreateBitCast(other, bits));
  return ir.CreateSelect(ir.CreateFCmpUNO(left, right), llvm::ConstantFP::getQNaN(type),
                         ir.CreateBitCast(joined, type));
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

llvm::Value* float_min(llvm::IRBuilder<>& ir, llvm::Value* left, llvm::Value* right) {
  return extremum(ir, llvm::CmpInst::FCMP_OLT, llvm::Instruction::Or, left, right);
}

llvm::Value* float_max(llvm::IRBuilder<>& ir, llvm::Value* left, llvm::Value* right) {
  return extremum(ir, llvm::CmpInst::FCMP_OGT, llvm::Instruction::And, left, right);
}

}  // namespace mayfly::compiler
