// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which results a script's expectations accept.
#include "runtime/wast_value.h"

#include <gtest/gtest.h>

namespace mayfly::runtime {
namespace {

ExpectedValue scalar(std::string type, std::string text) {
  return *parse_expected({std::move(type), "", true, {std::move(text)}});
}

TEST(ExpectedValue, ComparesBitsOfIntegersWrittenSigned) {
  EXPECT_TRUE(matches(scalar("i32", "-1"), Value::i32(0xffff'ffff)));
  EXPECT_FALSE(matches(scalar("i32", "-1"), Value::i64(0xffff'ffff)));
}

TEST(ExpectedValue, TellsPositiveFromNegativeZero) {
  EXPECT_TRUE(matches(scalar("f32", "2147483648"), Value::f32_bits(0x8000'0000)));
  EXPECT_FALSE(matches(scalar("f32", "2147483648"), Value::f32_bits(0)));
}

TEST(ExpectedValue, TakesACanonicalNanOfEitherSignAndNoOther) {
  const auto canonical = scalar("f32", "nan:canonical");
  EXPECT_TRUE(matches(canonical, Value::f32_bits(0x7fc0'0000)));
  EXPECT_TRUE(matches(canonical, Value::f32_bits(0xffc0'0000)));
  EXPECT_FALSE(matches(canonical, Value::f32_bits(0x7fc0'0001)));
  EXPECT_FALSE(matches(canonical, Value::f32_bits(0x7fa0'0000)));
}

TEST(ExpectedValue, TakesAnyQuietNanAsArithmetic) {
  const auto arithmetic = scalar("f64", "nan:arithmetic");
  EXPECT_TRUE(matches(arithmetic, Value::f64_bits(0xfff8'0000'0000'0001)));
  EXPECT_FALSE(matches(arithmetic, Value::f64_bits(0x7ff4'0000'0000'0000)));
  EXPECT_FALSE(matches(arithmetic, Value::f64_bits(0x7ff0'0000'0000'0000)));
}

TEST(ExpectedValue, ComparesLanesFromTheLowestBits) {
  const auto lanes = *parse_expected({"v128", "i32", true, {"1", "2", "3", "-1"}});
  EXPECT_TRUE(matches(lanes, Value::v128(0x2'0000'0001, 0xffff'ffff'0000'0003)));
  EXPECT_FALSE(matches(lanes, Value::v128(0x2'0000'0001, 0xffff'ffff'0000'0004)));
}

TEST(ExpectedValue, TakesNansInLanes) {
  const auto lanes = *parse_expected({"v128", "f64", true, {"0", "nan:canonical"}});
  EXPECT_TRUE(matches(lanes, Value::v128(0, 0xfff8'0000'0000'0000)));
  EXPECT_FALSE(matches(lanes, Value::v128(0xfff8'0000'0000'0000, 0)));
}

TEST(ExpectedValue, RefusesAVectorWithTheWrongNumberOfLanes) {
  EXPECT_FALSE(parse_expected({"v128", "i64", true, {"1", "2", "3"}}));
}

TEST(ExpectedValue, TellsNullFromOtherReferences) {
  const auto null = *parse_expected({"externref", "", true, {"null"}});
  const auto seven = *parse_expected({"externref", "", true, {"7"}});
  const auto any = *parse_expected({"externref", "", false, {}});
  EXPECT_TRUE(matches(null, Value::null(wasm::kExternref)));
  EXPECT_FALSE(matches(null, Value::externref(0)));
  EXPECT_TRUE(matches(seven, Value::externref(7)));
  EXPECT_FALSE(matches(seven, Value::externref(8)));
  EXPECT_TRUE(matches(any, Value::externref(0)));
  EXPECT_FALSE(matches(any, Value::null(wasm::kExternref)));
}

TEST(Argument, PutsLanesIntoOneVector) {
  const auto value =
      parse_argument({"v128", "i16", true, {"1", "2", "3", "4", "5", "6", "7", "8"}});
  ASSERT_TRUE(value);
  EXPECT_EQ(value->bits.low, 0x0004'0003'0002'0001U);
  EXPECT_EQ(value->bits.high, 0x0008'0007'0006'0005U);
}

TEST(Argument, RefusesAValueThatIsNoText) {
  EXPECT_FALSE(parse_argument({"externref", "", true, {}}));
  EXPECT_FALSE(parse_argument({"record", "", true, {}}));
}

TEST(Argument, RefusesAClassOfNans) {
  EXPECT_FALSE(parse_argument({"f32", "", true, {"nan:canonical"}}));
}

}  // namespace
}  // namespace mayfly::runtime
