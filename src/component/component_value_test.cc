// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a ComponentValue says of itself, and when two are equal.
#include "mayfly/component_value.h"

#include <gtest/gtest.h>

#include <limits>

namespace mayfly {
namespace {

using Values = std::vector<ComponentValue>;

TEST(ComponentValue, HasTheTypeOfTheNumberThatItIsMadeFrom) {
  EXPECT_EQ(ComponentValue(1).kind(), ComponentKind::kS32);
  EXPECT_EQ(ComponentValue(uint8_t{1}).kind(), ComponentKind::kU8);
  EXPECT_EQ(ComponentValue(U'x').kind(), ComponentKind::kChar);
  EXPECT_EQ(ComponentValue("x").kind(), ComponentKind::kString);
  EXPECT_EQ(ComponentValue(true).kind(), ComponentKind::kBool);
  EXPECT_EQ(ComponentValue(1LL).kind(), ComponentKind::kS64);
}

TEST(ComponentValue, GivesANumberBackInItsOwnTypeOnly) {
  EXPECT_EQ(*ComponentValue(int8_t{-5}).get<int8_t>(), -5);
  EXPECT_EQ(*ComponentValue(2.5).get<double>(), 2.5);
  const auto wrong = ComponentValue(2.5).get<float>();
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().message, "the value is of type f64, not f32");
}

TEST(ComponentValue, KeepsAListOfNumbersAsOneArray) {
  const auto list = ComponentValue::list(std::vector<uint16_t>{1, 2});
  EXPECT_EQ(list.numbers<uint16_t>().size(), 2U);
  EXPECT_TRUE(list.numbers<int16_t>().empty());
  EXPECT_TRUE(list.items().empty());
  EXPECT_EQ(list.size(), 2U);
  EXPECT_EQ(list.item(1), ComponentValue(uint16_t{2}));
}

TEST(ComponentValue, ComparesListsWhicheverWayTheyAreKept) {
  const auto numbers = ComponentValue::list(std::vector<uint8_t>{1, 2});
  EXPECT_EQ(numbers, ComponentValue::list(Values{uint8_t{1}, uint8_t{2}}));
  EXPECT_NE(numbers, ComponentValue::list(Values{uint8_t{1}, uint8_t{3}}));
  EXPECT_NE(numbers, ComponentValue::list(Values{1, 2}));
  EXPECT_EQ(ComponentValue::list(Values{}), ComponentValue::list(std::vector<float>{}));
}

TEST(ComponentValue, HasOneNanAndTwoZeros) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(ComponentValue(nan), ComponentValue(-nan));
  EXPECT_NE(ComponentValue(0.0F), ComponentValue(-0.0F));
  EXPECT_EQ(ComponentValue::list(std::vector<float>{nan}),
            ComponentValue::list(std::vector<float>{-nan}));
}

TEST(ComponentValue, HasFlagsAsASetAndFieldsInOrder) {
  EXPECT_EQ(ComponentValue::flags({"a", "b"}), ComponentValue::flags({"b", "a"}));
  EXPECT_NE(ComponentValue::record({{"a", 1}, {"b", 2}}),
            ComponentValue::record({{"b", 2}, {"a", 1}}));
  EXPECT_EQ(*ComponentValue::record({{"a", 1}, {"b", 2}}).field("b"), ComponentValue(2));
}

TEST(ComponentValue, TellsCasesApart) {
  EXPECT_NE(ComponentValue::ok(), ComponentValue::error());
  EXPECT_NE(ComponentValue::some(1), ComponentValue::none());
  EXPECT_NE(ComponentValue::variant("a"), ComponentValue::variant("b"));
  EXPECT_NE(ComponentValue::variant("a"), ComponentValue::enumeration("a"));
  EXPECT_EQ(ComponentValue::variant("a", 1).text(), "a");
  EXPECT_EQ(*ComponentValue::variant("a", 1).payload(), ComponentValue(1));
  EXPECT_EQ(ComponentValue::variant("a").payload(), nullptr);
}

TEST(ComponentValue, ComparesWithoutTheGuessOfAPosition) {
  auto value = ComponentValue::enumeration("a");
  value.set_position(7);
  EXPECT_EQ(value, ComponentValue::enumeration("a"));
}

TEST(ComponentValue, IsSmall) { EXPECT_LE(sizeof(ComponentValue), 48U); }

}  // namespace
}  // namespace mayfly
