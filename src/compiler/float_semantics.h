// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Floating-point arithmetic as WebAssembly has it: what LLVM's optimizer may know of its operands,
// and minimum and maximum. Scalars and vectors alike.
//
// LLVM keeps a signalling NaN where it folds x * 1, x / 1, x - 0, x + -0, 0 - -x or a demotion of
// a promotion to x; WebAssembly wants a quiet one, and the processor gives it. All these folds
// need an operand that is a constant. So, by construction:
//   1. No scalar float is a constant to LLVM: constants, zeros of locals, globals, conversions from
//      integers and lanes of vectors pass through opaque(). What needs a constant (a comparison, a
//      multiplication by 2) looks behind it with visible().
//   2. Vector arithmetic uses the constrained intrinsics, which do not fold so; a vector may come
//      from integer arithmetic, so rule 1 cannot hold for it.
#pragma once

#include <llvm/IR/IRBuilder.h>

#include <cstdint>

namespace mayfly::compiler {

// The same value, of which the optimizer knows nothing. Costs no instruction.
llvm::Value* opaque(llvm::IRBuilder<>& ir, llvm::Value* value);

// opaque() for a scalar float constant, else the value itself.
llvm::Value* hidden_if_float(llvm::IRBuilder<>& ir, llvm::Value* value);

// The constant behind an opaque one, else the value itself.
llvm::Value* visible(llvm::Value* value);

// fadd, fsub, fmul or fdiv; a NaN result is quiet.
llvm::Value* float_arithmetic(llvm::IRBuilder<>& ir, llvm::Instruction::BinaryOps operation,
                              llvm::Value* left, llvm::Value* right);

enum class Extremum : uint8_t { kMin, kMax };

// wasm-3.0 #op-fmin, #op-fmax: -0 < +0; a NaN operand gives the canonical NaN.
llvm::Value* float_extremum(llvm::IRBuilder<>& ir, Extremum which, llvm::Value* left,
                            llvm::Value* right);

// The processor's own: left where it is less (greater), else right, also when either is NaN or
// both are zeros. The bits are the operand's.
llvm::Value* processor_extremum(llvm::IRBuilder<>& ir, Extremum which, llvm::Value* left,
                                llvm::Value* right);

}  // namespace mayfly::compiler
