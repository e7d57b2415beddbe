// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Values of a configuration file, and which are none.
#include "cli/services.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mayfly::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

TEST(Services, ReadTextsNumbersAndBooleansAsText) {
  const auto values = parse_config_file("f", R"({"b": "x\ny", "a": 1.5, "c": true, "d": -3})");
  ASSERT_TRUE(values.has_value()) << values.error().message;
  EXPECT_THAT(*values,
              ElementsAre(Pair("a", "1.5"), Pair("b", "x\ny"), Pair("c", "true"), Pair("d", "-3")));
}

TEST(Services, RefuseWhatIsNoObjectOfValues) {
  for (const char* text : {"", "{", "[]", "1", "{\"a\": \"\xff\"}"}) {
    const auto values = parse_config_file("f", text);
    ASSERT_FALSE(values.has_value()) << text;
    EXPECT_THAT(values.error().message, HasSubstr("f: not a JSON object"));
  }
  for (const char* text : {R"({"a\u001b": []})", R"({"a\u001b": {}})", R"({"a\u001b": null})"}) {
    const auto values = parse_config_file("f", text);
    ASSERT_FALSE(values.has_value()) << text;
    EXPECT_THAT(values.error().message, HasSubstr("the value of 'a\\x1b' is neither"));
  }
}

TEST(Services, LaterValuesHold) {
  RunOptions options;
  options.config = {"a=1", "b=2=3", "a="};
  const auto values = config_values(options);
  ASSERT_TRUE(values.has_value());
  EXPECT_THAT(*values, ElementsAre(Pair("a", ""), Pair("b", "2=3")));
}

TEST(Services, KnowTheLevelsOfMessages) {
  EXPECT_TRUE(is_log_level("critical"));
  EXPECT_TRUE(is_log_level("off"));
  EXPECT_FALSE(is_log_level("all"));
  EXPECT_EQ(log_config("warn").from, wasi::LogLevel::kWarn);
  EXPECT_FALSE(log_config("off").sink);
}

}  // namespace
}  // namespace mayfly::cli
