// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// First a loop is looked at whole, then it is changed whole.
#include "compiler/fuel_loops.h"

#include <llvm/ADT/SmallVector.h>
#include <llvm/Analysis/LoopInfo.h>
#include <llvm/IR/CFG.h>
#include <llvm/IR/Dominators.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/MDBuilder.h>
#include <llvm/IR/PatternMatch.h>

#include <algorithm>
#include <optional>

namespace mayfly::compiler {

namespace {

using llvm::BasicBlock;
using llvm::BranchInst;
using llvm::PHINode;
using llvm::Value;

// A loop whose head is the check and nothing else that acts.
struct CheckedLoop {
  BasicBlock* head = nullptr;
  BasicBlock* body = nullptr;   // where the check leads while there is fuel
  BasicBlock* empty = nullptr;  // and where it leads when there is none
  PHINode* fuel = nullptr;
};

// `empty` is the loop's own, and knows of the loop's values the fuel only.
bool is_of_loop(const CheckedLoop& loop) {
  if (loop.empty->getSinglePredecessor() != loop.head) return false;
  if (loop.empty->phis().begin() != loop.empty->phis().end()) return false;
  if (!llvm::isa<llvm::UnreachableInst>(loop.empty->getTerminator())) return false;
  return std::all_of(loop.empty->begin(), loop.empty->end(), [&](const llvm::Instruction& user) {
    return std::all_of(user.op_begin(), user.op_end(), [&](const Value* used) {
      const auto* made = llvm::dyn_cast<llvm::Instruction>(used);
      return made == nullptr || made == loop.fuel || made->getParent() == loop.empty;
    });
  });
}

std::optional<CheckedLoop> checked_loop(BasicBlock* head) {
  using namespace llvm::PatternMatch;  // NOLINT: its names are a language of their own
  CheckedLoop loop{.head = head};
  Value* fuel = nullptr;
  llvm::ICmpInst::Predicate predicate{};
  if (!match(head->getTerminator(), m_Br(m_ICmp(predicate, m_Value(fuel), m_Value()),
                                         m_BasicBlock(loop.empty), m_BasicBlock(loop.body)))) {
    return std::nullopt;
  }
  const auto* compared =
      llvm::cast<llvm::ICmpInst>(llvm::cast<BranchInst>(head->getTerminator())->getCondition());
  const bool is_negative =
      predicate == llvm::ICmpInst::ICMP_SLT && match(compared->getOperand(1), m_Zero());
  const bool is_positive =
      predicate == llvm::ICmpInst::ICMP_SGT && match(compared->getOperand(1), m_AllOnes());
  if (!is_negative && !is_positive) return std::nullopt;
  if (is_positive) std::swap(loop.empty, loop.body);
  loop.fuel = llvm::dyn_cast<PHINode>(fuel);
  if (loop.fuel == nullptr || loop.fuel->getParent() != head || !is_of_loop(loop) ||
      loop.body == head) {
    return std::nullopt;
  }
  const bool acts = std::any_of(head->begin(), std::prev(head->end()),
                                [](const auto& in_head) { return in_head.mayHaveSideEffects(); });
  return acts ? std::nullopt : std::optional(loop);
}

bool has_plain_edges(const CheckedLoop& loop) {
  return llvm::all_of(llvm::predecessors(loop.head), [&](const BasicBlock* from) {
    const auto* branch = llvm::dyn_cast<BranchInst>(from->getTerminator());
    return branch != nullptr &&
           (branch->isUnconditional() || branch->getSuccessor(0) != branch->getSuccessor(1));
  });
}

class Mover {
 public:
  Mover(const CheckedLoop& loop, llvm::LoopInfo& loops)
      : loop_(loop),
        loops_(loops),
        around_(*loops.getLoopFor(loop.head)),
        function_(*loop.head->getParent()) {}

  void run() {
    llvm::IRBuilder<> ir(loop_.empty, loop_.empty->begin());
    left_ = ir.CreatePHI(ir.getInt64Ty(), 2, "left");
    loop_.fuel->replaceUsesWithIf(left_,
                                  [&](const llvm::Use& use) { return in_empty(use.getUser()); });
    for (BasicBlock* from : llvm::SmallVector<BasicBlock*>(llvm::predecessors(loop_.head))) {
      move_to(from);
    }
    auto* check = llvm::cast<BranchInst>(loop_.head->getTerminator());
    llvm::IRBuilder<>(check).CreateBr(loop_.body);
    auto* condition = llvm::cast<llvm::Instruction>(check->getCondition());
    check->eraseFromParent();
    if (condition->use_empty()) condition->eraseFromParent();
  }

 private:
  bool in_empty(const llvm::User* user) const {
    const auto* instruction = llvm::dyn_cast<llvm::Instruction>(user);
    return instruction != nullptr && instruction->getParent() == loop_.empty && user != left_;
  }

  // Before `at`. With f - cost, f at least 0 and so below 2^63: the carry of the subtraction.
  Value* is_spent(llvm::IRBuilder<>& ir, Value* fuel) const {
    using namespace llvm::PatternMatch;  // NOLINT: as above
    const llvm::APInt* taken = nullptr;
    if (match(fuel, m_Add(m_Specific(loop_.fuel), m_APInt(taken))) && taken->isNegative()) {
      return ir.CreateICmpULT(loop_.fuel, ir.getInt(-*taken));
    }
    return ir.CreateICmpSLT(fuel, ir.getInt64(0));
  }

  // In the innermost of the loops that `to` is in, or in the one around this loop.
  BasicBlock* new_block(const char* name, const BasicBlock* to, BasicBlock* after) {
    auto* block =
        BasicBlock::Create(function_.getContext(), name, &function_, after->getNextNode());
    llvm::Loop* const loop = to == nullptr ? around_.getParentLoop() : loops_.getLoopFor(to);
    if (loop != nullptr) loop->addBasicBlockToLoop(block, loops_);
    return block;
  }

  void branch_if_spent(llvm::IRBuilder<>& ir, Value* fuel, BasicBlock* spent, BasicBlock* going) {
    llvm::MDBuilder metadata(function_.getContext());
    ir.CreateCondBr(is_spent(ir, fuel), spent, going, metadata.createUnlikelyBranchWeights());
  }

  void move_to(BasicBlock* from) {
    auto* branch = llvm::cast<BranchInst>(from->getTerminator());
    if (branch->isUnconditional()) {
      check_instead_of(branch);
    } else if (loops_.getLoopFor(from) == &around_) {
      check_before(branch);
    } else {
      check_instead_of(new_edge(branch));
    }
  }

  void check_instead_of(BranchInst* jump) {
    llvm::IRBuilder<> ir(jump);
    Value* fuel = loop_.fuel->getIncomingValueForBlock(jump->getParent());
    branch_if_spent(ir, fuel, loop_.empty, loop_.head);
    left_->addIncoming(fuel, jump->getParent());
    jump->eraseFromParent();
  }

  // The jump of a block that is between this branch and the head.
  BranchInst* new_edge(BranchInst* branch) {
    BasicBlock* const from = branch->getParent();
    BasicBlock* const edge = new_block("edge", around_.contains(from) ? loop_.head : nullptr, from);
    branch->replaceSuccessorWith(loop_.head, edge);
    loop_.head->replacePhiUsesWith(from, edge);
    return BranchInst::Create(loop_.head, edge);
  }

  void check_before(BranchInst* branch) {
    BasicBlock* const from = branch->getParent();
    Value* fuel = loop_.fuel->getIncomingValueForBlock(from);
    const bool again = branch->getSuccessor(0) == loop_.head;
    BasicBlock* const other = branch->getSuccessor(again ? 1 : 0);
    BasicBlock* const early = new_block("early", loop_.head, from);
    BasicBlock* const late = new_block("late", other, early);
    llvm::IRBuilder<> ir(branch);
    branch_if_spent(ir, fuel, late, early);
    left_->addIncoming(fuel, late);
    const auto branch_in = [&](BasicBlock* block, BasicBlock* next) {
      ir.SetInsertPoint(block);
      ir.CreateCondBr(branch->getCondition(), again ? next : other, again ? other : next);
    };
    branch_in(early, loop_.head);
    branch_in(late, loop_.empty);
    loop_.head->replacePhiUsesWith(from, early);
    for (PHINode& phi : other->phis()) {
      phi.addIncoming(phi.getIncomingValueForBlock(from), late);
    }
    other->replacePhiUsesWith(from, early);
    branch->eraseFromParent();
  }

  const CheckedLoop& loop_;
  llvm::LoopInfo& loops_;
  llvm::Loop& around_;
  llvm::Function& function_;
  PHINode* left_ = nullptr;
};

}  // namespace

llvm::PreservedAnalyses FuelLoopsPass::run(llvm::Function& function,
                                           llvm::FunctionAnalysisManager& analyses) {
  auto& loops = analyses.getResult<llvm::LoopAnalysis>(function);
  bool has_changed = false;
  for (const llvm::Loop* each : loops.getLoopsInPreorder()) {
    // In larger loops the layout of the blocks decides, which this would change.
    if (each->getNumBlocks() > 2) continue;
    const auto loop = checked_loop(each->getHeader());
    if (!loop.has_value() || !has_plain_edges(*loop)) continue;
    Mover(*loop, loops).run();
    has_changed = true;
  }
  return has_changed ? llvm::PreservedAnalyses::none() : llvm::PreservedAnalyses::all();
}

}  // namespace mayfly::compiler
