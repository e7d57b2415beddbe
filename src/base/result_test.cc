// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Result, MAYFLY_TRY and CHECK: a value or an error passes on unchanged, and bugs end the process.
#include "base/result.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <memory>
#include <string>

#include "base/check.h"

namespace mayfly {
namespace {

Result<int> half(int number) {
  if (number % 2 != 0) return invalid("odd: " + std::to_string(number));
  return number / 2;
}

Result<int> quarter(int number) {
  const int once = MAYFLY_TRY(half(number));
  return MAYFLY_TRY(half(once));
}

Result<void> need_even(int number) {
  MAYFLY_TRY(half(number));
  return {};
}

TEST(Result, HoldsAValue) {
  const Result<int> result = half(8);
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(*result, 4);
}

TEST(Result, HoldsAnError) {
  const Result<int> result = half(7);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(result.error().message, "odd: 7");
  EXPECT_EQ(result.error().errno_value, 0);
}

TEST(Result, TryTakesTheValue) { EXPECT_EQ(*quarter(12), 3); }

TEST(Result, TryReturnsTheFirstErrorUnchanged) {
  EXPECT_EQ(quarter(7).error().message, "odd: 7");
  EXPECT_EQ(quarter(6).error().message, "odd: 3");
}

TEST(Result, TryServesVoid) {
  EXPECT_TRUE(need_even(2));
  EXPECT_EQ(need_even(3).error().message, "odd: 3");
}

TEST(Result, MovesWhatCannotBeCopied) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(5);
  const std::unique_ptr<int> moved = *std::move(result);
  EXPECT_EQ(*moved, 5);
}

TEST(Result, ValueOrAnswersTheFallbackOnlyForAnError) {
  EXPECT_EQ(half(8).value_or(-1), 4);
  EXPECT_EQ(half(7).value_or(-1), -1);
}

TEST(Error, KeepsErrnoAndItsText) {
  errno = ENOENT;
  const Error error = host_error("open");
  EXPECT_EQ(error.kind, ErrorKind::kHost);
  EXPECT_EQ(error.errno_value, ENOENT);
  EXPECT_EQ(error.message, "open: No such file or directory");
}

TEST(Error, PutsContextInFront) {
  EXPECT_EQ(with_context("a.wasm", limit("too large")).message, "a.wasm: too large");
  EXPECT_EQ(with_context("a.wasm", limit("too large")).kind, ErrorKind::kLimit);
}

TEST(Check, PassesWhatHolds) {
  int evaluated = 0;
  CHECK(++evaluated == 1, "unused");
  EXPECT_EQ(evaluated, 1);
}

TEST(CheckDeathTest, PrintsTheConditionAndTheValues) {
  EXPECT_DEATH(CHECK(1 > 2, "sizes", 1, 2), "result_test.cc:[0-9]+: CHECK failed: 1 > 2 sizes 1 2");
}

TEST(ResultDeathTest, RefusesTheValueOfAnError) {
  EXPECT_DEATH(static_cast<void>(half(7).value()), "");
  EXPECT_DEATH(need_even(7).value(), "");
}

TEST(ResultDeathTest, RefusesTheErrorOfAValue) {
  EXPECT_DEATH(static_cast<void>(half(8).error()), "");
  EXPECT_DEATH(static_cast<void>(need_even(8).error()), "");
}

}  // namespace
}  // namespace mayfly
