// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The vector instructions: which part emits which, and the shapes.
// A v128 on the operand stack is a <2 x i64>; each instruction sees it in its own shape.
#include <llvm/IR/Constants.h>

#include "base/check.h"
#include "compiler/emit_families.h"

namespace mayfly::compiler {

Shapes::Shapes(llvm::IRBuilder<>& ir)
    : i8x16(llvm::FixedVectorType::get(ir.getInt8Ty(), 16)),
      i16x8(llvm::FixedVectorType::get(ir.getInt16Ty(), 8)),
      i32x4(llvm::FixedVectorType::get(ir.getInt32Ty(), 4)),
      i64x2(llvm::FixedVectorType::get(ir.getInt64Ty(), 2)),
      f32x4(llvm::FixedVectorType::get(ir.getFloatTy(), 4)),
      f64x2(llvm::FixedVectorType::get(ir.getDoubleTy(), 2)) {}

llvm::Constant* integer_splat(llvm::Type* type, uint64_t value) {
  return llvm::ConstantInt::get(type, value);
}

llvm::Constant* float_splat(llvm::Type* type, double value) {
  return llvm::ConstantFP::get(type, value);
}

void emit_simd(FunctionEmitter& f, const wasm::Instruction& instruction) {
  const wasm::Opcode opcode = instruction.opcode;
  const bool emitted = emit_simd_memory(f, instruction) || emit_simd_lane(f, instruction) ||
                       emit_simd_integer(f, opcode) || emit_simd_widening(f, opcode) ||
                       emit_simd_float(f, opcode) || emit_simd_relaxed(f, opcode);
  CHECK(emitted, wasm::to_string(opcode));
}

}  // namespace mayfly::compiler
