// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loads in program order: of several operands only the last one that was loaded can be folded, so
// its place is the one that stays.
#include "compiler/load_place.h"

#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>

namespace mayfly::compiler {

namespace {

// A conversion, an operation, a comparison or a store: the most that one machine instruction does.
constexpr int kFoldedMax = 3;

// The one user of a value, where selection sees both.
llvm::Instruction* neighbour(llvm::Instruction& value) {
  if (!value.hasOneUse()) return nullptr;
  auto* user = llvm::cast<llvm::Instruction>(*value.user_begin());
  const bool is_near = user->getParent() == value.getParent() && !llvm::isa<llvm::PHINode>(user);
  return is_near ? user : nullptr;
}

// A store to where the load has been does not fault after it.
bool stores_back(const llvm::Instruction& user, const llvm::LoadInst& load) {
  const auto* store = llvm::dyn_cast<llvm::StoreInst>(&user);
  return store != nullptr && store->getPointerOperand() == load.getPointerOperand() &&
         store->getValueOperand()->getType() == load.getType();
}

void place(llvm::LoadInst& load) {
  llvm::Instruction* user = neighbour(load);
  for (int i = 0; user != nullptr && i < kFoldedMax; ++i) {
    const bool is_last = stores_back(*user, load);
    if ((user->mayReadOrWriteMemory() || user->isTerminator()) && !is_last) return;
    user->setDebugLoc(load.getDebugLoc());
    if (is_last) return;
    user = neighbour(*user);
  }
}

}  // namespace

void place_loads(llvm::Function& function) {
  for (llvm::Instruction& instruction : llvm::instructions(function)) {
    auto* load = llvm::dyn_cast<llvm::LoadInst>(&instruction);
    if (load != nullptr && load->getDebugLoc()) place(*load);
  }
}

}  // namespace mayfly::compiler
