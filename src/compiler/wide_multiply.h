// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// WideMultiplyPass: WebAssembly has no 64 x 64 -> 128 bit multiplication, so producers write it as
// four products of halves (C's __int128, Rust's u128). The pass finds that sum and makes one
// multiplication of it.
//
// With a = ah:al, b = bh:bl in halves of 32 bits, and all arithmetic modulo 2^64:
//   p = al * bl;  t = x + (p >> 32);  u = y + (t & m);     {x, y} = {ah * bl, al * bh}
//   high = ah * bh + (t >> 32) + (u >> 32)
//   low  = (u << 32) | (p & m)
// No sum of t and u wraps: (2^32 - 1)^2 + 2^32 - 1 < 2^64. So high and low are the words of a * b,
// whatever a and b are. A form is recognised by this and nothing else.
#pragma once

#include <llvm/IR/PassManager.h>

namespace mayfly::compiler {

struct WideMultiplyPass : llvm::PassInfoMixin<WideMultiplyPass> {
  llvm::PreservedAnalyses run(llvm::Function& function, llvm::FunctionAnalysisManager& analyses);
};

}  // namespace mayfly::compiler
