// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each candidate starts at u >> 32, from which everything else is an operand or a neighbour in the
// same sum.
#include "compiler/wide_multiply.h"

#include <llvm/ADT/SmallVector.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/PatternMatch.h>
#include <llvm/Transforms/Utils/Local.h>

#include <algorithm>
#include <optional>

namespace mayfly::compiler {

namespace {

using llvm::Value;
using llvm::PatternMatch::m_Add;
using llvm::PatternMatch::m_And;
using llvm::PatternMatch::m_c_Add;
using llvm::PatternMatch::m_c_Or;
using llvm::PatternMatch::m_LShr;
using llvm::PatternMatch::m_Mul;
using llvm::PatternMatch::m_Shl;
using llvm::PatternMatch::m_Specific;
using llvm::PatternMatch::m_SpecificInt;
using llvm::PatternMatch::m_Value;
using llvm::PatternMatch::match;

constexpr uint64_t kLowHalf = 0xFFFF'FFFF;
// Sums longer than this are not looked through: the form has up to five terms.
constexpr size_t kTermsMax = 16;

bool is_low(Value* half, Value* whole) {
  return match(half, m_And(m_Specific(whole), m_SpecificInt(kLowHalf)));
}

bool is_high(Value* half, Value* whole) {
  return match(half, m_LShr(m_Specific(whole), m_SpecificInt(32)));
}

// The product of a half of `a` and a half of `b`.
using IsHalf = bool (*)(Value* half, Value* whole);
bool is_product(Value* product, IsHalf half_of_a, Value* a, IsHalf half_of_b, Value* b) {
  Value* left = nullptr;
  Value* right = nullptr;
  if (!match(product, m_Mul(m_Value(left), m_Value(right)))) return false;
  return (half_of_a(left, a) && half_of_b(right, b)) || (half_of_a(right, a) && half_of_b(left, b));
}

struct Form {
  Value* a = nullptr;
  Value* b = nullptr;
  Value* p = nullptr;
  Value* t = nullptr;
  llvm::Instruction* u = nullptr;
};

// p, and a and b with it.
bool match_low_product(Form& form) {
  Value* left = nullptr;
  Value* right = nullptr;
  return match(form.p, m_Mul(m_Value(left), m_Value(right))) &&
         match(left, m_And(m_Value(form.a), m_SpecificInt(kLowHalf))) &&
         match(right, m_And(m_Value(form.b), m_SpecificInt(kLowHalf)));
}

bool are_cross_products(Value* x, Value* y, const Form& form) {
  return is_product(x, is_high, form.a, is_low, form.b) &&
         is_product(y, is_low, form.a, is_high, form.b);
}

// u = y + (t & m); t = x + (p >> 32).
std::optional<Form> match_form(llvm::Instruction* u) {
  Form form;
  form.u = u;
  Value* x = nullptr;
  Value* y = nullptr;
  if (!match(u, m_c_Add(m_And(m_Value(form.t), m_SpecificInt(kLowHalf)), m_Value(y))) ||
      !match(form.t, m_c_Add(m_LShr(m_Value(form.p), m_SpecificInt(32)), m_Value(x))) ||
      !match_low_product(form)) {
    return std::nullopt;
  }
  if (!are_cross_products(x, y, form) && !are_cross_products(y, x, form)) return std::nullopt;
  return form;
}

bool is_sum_of_one_use(Value* value) {
  return value->hasOneUse() && match(value, m_Add(m_Value(), m_Value()));
}

// The sum that `term` is a part of, as far up as nothing else uses the sums in between.
llvm::Instruction* whole_sum(llvm::Instruction* term) {
  llvm::Instruction* sum = term;
  while (sum->hasOneUse()) {
    auto* user = llvm::cast<llvm::Instruction>(sum->user_back());
    if (!match(user, m_Add(m_Value(), m_Value()))) break;
    sum = user;
  }
  return sum;
}

llvm::SmallVector<Value*, kTermsMax> terms_of(llvm::Instruction* sum) {
  llvm::SmallVector<Value*, kTermsMax> terms = {sum->getOperand(0), sum->getOperand(1)};
  for (size_t i = 0; i < terms.size() && terms.size() < kTermsMax;) {
    if (!is_sum_of_one_use(terms[i])) {
      ++i;
      continue;
    }
    auto* inner = llvm::cast<llvm::Instruction>(terms[i]);
    terms[i] = inner->getOperand(0);
    terms.push_back(inner->getOperand(1));
  }
  return terms;
}

// Takes the first term that fits out of the list.
template <typename Fits>
bool take(llvm::SmallVectorImpl<Value*>& terms, Fits fits) {
  Value** found = std::find_if(terms.begin(), terms.end(), fits);
  if (found == terms.end()) return false;
  terms.erase(found);
  return true;
}

// low = (u << 32) | (p & m), each time it is there.
void replace_low(const Form& form, Value* low) {
  llvm::SmallVector<llvm::Instruction*, 4> found;
  for (llvm::User* shifted : form.u->users()) {
    if (!match(shifted, m_Shl(m_Specific(form.u), m_SpecificInt(32)))) continue;
    for (llvm::User* joined : shifted->users()) {
      if (match(joined,
                m_c_Or(m_Specific(shifted), m_And(m_Specific(form.p), m_SpecificInt(kLowHalf))))) {
        found.push_back(llvm::cast<llvm::Instruction>(joined));
      }
    }
  }
  for (llvm::Instruction* joined : found) joined->replaceAllUsesWith(low);
}

bool replace(llvm::Instruction* shifted_u) {
  auto* u = llvm::dyn_cast<llvm::Instruction>(shifted_u->getOperand(0));
  if (u == nullptr) return false;
  const std::optional<Form> form = match_form(u);
  llvm::Instruction* sum = whole_sum(shifted_u);
  if (!form || sum == shifted_u) return false;
  llvm::SmallVector<Value*, kTermsMax> terms = terms_of(sum);
  const bool is_whole = take(terms, [&](Value* term) { return term == shifted_u; }) &&
                        take(terms, [&](Value* term) { return is_high(term, form->t); }) &&
                        take(terms, [&](Value* term) {
                          return is_product(term, is_high, form->a, is_high, form->b);
                        });
  if (!is_whole) return false;

  llvm::IRBuilder<> ir(u);
  Value* product = ir.CreateMul(ir.CreateZExt(form->a, ir.getInt128Ty()),
                                ir.CreateZExt(form->b, ir.getInt128Ty()));
  Value* low = ir.CreateTrunc(product, ir.getInt64Ty());
  Value* high = ir.CreateTrunc(ir.CreateLShr(product, 64), ir.getInt64Ty());
  ir.SetInsertPoint(sum);
  for (Value* term : terms) high = ir.CreateAdd(high, term);
  replace_low(*form, low);
  sum->replaceAllUsesWith(high);
  llvm::RecursivelyDeleteTriviallyDeadInstructions(sum);
  return true;
}

}  // namespace

llvm::PreservedAnalyses WideMultiplyPass::run(llvm::Function& function,
                                              llvm::FunctionAnalysisManager&) {
  llvm::SmallVector<llvm::WeakTrackingVH, 16> candidates;
  for (llvm::Instruction& instruction : llvm::instructions(function)) {
    const bool is_shifted_sum =
        instruction.getType()->isIntegerTy(64) &&
        match(&instruction, m_LShr(m_Add(m_Value(), m_Value()), m_SpecificInt(32)));
    if (is_shifted_sum) candidates.emplace_back(&instruction);
  }
  bool changed = false;
  for (const llvm::WeakTrackingVH& candidate : candidates) {
    auto* shifted = llvm::dyn_cast_or_null<llvm::Instruction>(candidate);
    if (shifted != nullptr && replace(shifted)) changed = true;
  }
  if (!changed) return llvm::PreservedAnalyses::all();
  llvm::PreservedAnalyses preserved;
  preserved.preserveSet<llvm::CFGAnalyses>();
  return preserved;
}

}  // namespace mayfly::compiler
