// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The operand stack of FunctionValidator, past the fast path: subtypes, lists, unreachable code.
#include <algorithm>
#include <cstring>

#include "wasm/validate_function.h"

namespace mayfly::wasm {

void FunctionValidator::fail_operand(PackedType expected, PackedType found) {
  fail("type mismatch: instruction requires [" + context_.text(expected) + "] but stack has [" +
       context_.text(found) + "]");
}

void FunctionValidator::fail_missing(PackedType expected) {
  fail("type mismatch: instruction requires [" + context_.text(expected) + "] but stack has []");
}

PackedType FunctionValidator::pop_unequal(PackedType found, PackedType expected) {
  if (context_.matches(found, expected)) return found;
  fail_operand(expected, found);
  return packed::kBottom;
}

PackedType FunctionValidator::pop_missing(PackedType expected) {
  if (!frames_.back().is_unreachable) fail_missing(expected);
  return packed::kBottom;
}

PackedType FunctionValidator::pop_any() {
  if (stack_.size() > height_) {
    const PackedType found = stack_.back();
    stack_.pop_back();
    return found;
  }
  if (!frames_.back().is_unreachable) {
    fail("type mismatch: instruction requires a value but stack has []");
  }
  return packed::kBottom;
}

PackedType FunctionValidator::pop_ref() {
  const PackedType found = pop_any();
  if (found.is_bottom()) return packed::kBottomRef;
  if (!found.is_ref()) {
    fail("type mismatch: instruction requires a reference but stack has [" + context_.text(found) +
         "]");
    return packed::kBottomRef;
  }
  return found;
}

bool FunctionValidator::check_top(Types types) {
  const size_t there = std::min(types.size(), stack_.size() - height_);
  if (there < types.size() && !frames_.back().is_unreachable) {
    fail_missing(types[types.size() - there - 1]);
    return false;
  }
  if (there == 0) return true;
  const Types expected = types.last(there);
  const Types found = stack_.types().last(there);
  const std::optional<size_t> wrong = mismatch(found, expected);
  if (wrong) fail_operand(expected[*wrong], found[*wrong]);
  return !wrong;
}

// A call of two bytes takes up to 1,000 operands, so lists are compared as bytes first, and what
// is left has a budget.
std::optional<size_t> FunctionValidator::mismatch(Types found, Types expected) {
  if (std::memcmp(found.data(), expected.data(), found.size_bytes()) == 0) return std::nullopt;
  if (found.size() > matches_left_) {
    fail_limit("too many operand comparisons in one function", found.size(), matches_left_);
    return std::nullopt;
  }
  matches_left_ -= found.size();
  for (size_t i = found.size(); i-- > 0;) {
    if (!context_.matches(found[i], expected[i])) return i;
  }
  return std::nullopt;
}

bool FunctionValidator::matches(Types found, Types expected) {
  if (found.size() != expected.size()) return false;
  return found.empty() || !mismatch(found, expected);
}

void FunctionValidator::pop_some(Types types) {
  if (!check_top(types)) return;
  stack_.set_size(stack_.size() - std::min(types.size(), stack_.size() - height_));
}

void FunctionValidator::pop_many(PackedType type, uint32_t count) {
  for (uint32_t i = 0; i < count && !cursor_.failed(); ++i) {
    if (stack_.size() == height_ && frames_.back().is_unreachable) return;
    pop(type);
  }
}

void FunctionValidator::push_some(Types types) {
  const uint64_t size = stack_.size() + types.size();
  if (size > context_.options.limits.function_operands_max) {
    fail_limit("too many operands", size, context_.options.limits.function_operands_max);
    return;
  }
  if (types.size() == 1) return push(types[0]);
  stack_.append(types);
}

}  // namespace mayfly::wasm
