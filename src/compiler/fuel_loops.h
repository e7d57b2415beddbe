// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// FuelLoopsPass: moves the check for fuel from the head of a loop to the edges that lead there.
//
//   head:  f = phi(f0, f1)                     before: br f0 < 0 ? empty : head
//          br f < 0 ? empty : body       ->    head:   f = phi(f0, f1)
//   latch: f1 = f - cost                       latch:  f1 = f - cost
//          br again ? head : exit                      br f1 < 0 ? late : early
//                                              early:  br again ? head : exit
//                                              late:   br again ? empty : exit
//
// A guest stops where it did, with as much left. What the processor runs for a round is a
// subtraction and a branch on its carry, which it joins to one operation, where it was three of
// them: f is at least 0 at the head, so that f - cost is below 0 exactly when f is below cost
// without signs.
#pragma once

#include <llvm/IR/PassManager.h>

namespace mayfly::compiler {

// Only for functions that count fuel. Runs after whatever could join the branches again.
struct FuelLoopsPass : llvm::PassInfoMixin<FuelLoopsPass> {
  llvm::PreservedAnalyses run(llvm::Function& function, llvm::FunctionAnalysisManager& analyses);
};

}  // namespace mayfly::compiler
