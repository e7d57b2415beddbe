// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The text form of values, and of invocations.
#include "runtime/value.h"

#include <gtest/gtest.h>

namespace mayfly::runtime {
namespace {

std::string round_trip(std::string_view text, wasm::ValType type) {
  const auto value = parse_value(text, type);
  return value ? to_string(*value) : value.error().message;
}

TEST(Value, PrintsIntegersSigned) {
  EXPECT_EQ(to_string(Value::i32(0xffff'ffff)), "-1");
  EXPECT_EQ(to_string(Value::i64(UINT64_MAX)), "-1");
}

TEST(Value, ReadsIntegersSignedAndUnsignedAndHexadecimal) {
  EXPECT_EQ(round_trip("4294967295", wasm::kI32), "-1");
  EXPECT_EQ(round_trip("-2147483648", wasm::kI32), "-2147483648");
  EXPECT_EQ(round_trip(" 0x10 ", wasm::kI64), "16");
}

TEST(Value, RefusesAnIntegerThatDoesNotFit) {
  EXPECT_EQ(round_trip("4294967296", wasm::kI32), "'4294967296' is not a value of type i32");
  EXPECT_EQ(round_trip("-2147483649", wasm::kI32), "'-2147483649' is not a value of type i32");
}

TEST(Value, RefusesTextAfterANumber) {
  EXPECT_EQ(round_trip("1x", wasm::kI32), "'1x' is not a value of type i32");
  EXPECT_EQ(round_trip("", wasm::kF64), "'' is not a value of type f64");
}

TEST(Value, PrintsFloatsSoThatReadingGivesTheSameBits) {
  EXPECT_EQ(round_trip("0.1", wasm::kF32), "0.1");
  EXPECT_EQ(round_trip("-inf", wasm::kF64), "-inf");
  EXPECT_EQ(round_trip("nan:0x7fa00000", wasm::kF32), "nan:0x7fa00000");
}

TEST(Value, WritesAVectorWithItsLastByteFirst) {
  EXPECT_EQ(to_string(Value::v128(0x0706050403020100, 0x0f0e0d0c0b0a0908)),
            "0x0f0e0d0c0b0a09080706050403020100");
  EXPECT_EQ(round_trip("0x0f0e0d0c0b0a09080706050403020100", wasm::kV128),
            "0x0f0e0d0c0b0a09080706050403020100");
}

TEST(Value, TellsNullFromHostReferenceZero) {
  EXPECT_EQ(to_string(Value::null(wasm::kExternref)), "null");
  EXPECT_EQ(to_string(Value::externref(0)), "externref 0");
}

TEST(Value, DropsWhatAGuestLeavesInTheRestOfASlot) {
  const guest_abi::Slot slot = significant_bits(wasm::kI32, {0x1'0000'0002, 7});
  EXPECT_EQ(slot.low, 2U);
  EXPECT_EQ(slot.high, 0U);
}

TEST(Invocation, SplitsNameAndArguments) {
  const auto invocation = parse_invocation("f(1, 2.5)");
  ASSERT_TRUE(invocation);
  EXPECT_EQ(invocation->name, "f");
  EXPECT_EQ(invocation->arguments, (std::vector<std::string>{"1", "2.5"}));
}

TEST(Invocation, TakesANameAloneAndAnEmptyList) {
  EXPECT_EQ(parse_invocation("f")->name, "f");
  EXPECT_TRUE(parse_invocation("f()")->arguments.empty());
}

TEST(Invocation, RefusesANamelessCallAndAHangingComma) {
  EXPECT_FALSE(parse_invocation("(1)"));
  EXPECT_FALSE(parse_invocation("f(1,)"));
}

TEST(Arguments, NameTheTypeWhenTheCountIsWrong) {
  const auto arguments = parse_arguments({"f", {"1"}}, {{wasm::kI32, wasm::kI32}, {wasm::kI32}});
  ASSERT_FALSE(arguments);
  EXPECT_EQ(arguments.error().message, "f takes 2 arguments, not 1: it is (i32, i32) -> (i32)");
}

}  // namespace
}  // namespace mayfly::runtime
