// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which sizes and times the flags take.
#include "cli/quantity.h"

#include <gtest/gtest.h>

namespace mayfly::cli {
namespace {

using namespace std::chrono_literals;

TEST(ParseBytes, TakesBinaryUnitsAndPlainBytes) {
  EXPECT_EQ(*parse_bytes("64MiB"), uint64_t{64} << 20);
  EXPECT_EQ(*parse_bytes("1.5KiB"), 1536U);
  EXPECT_EQ(*parse_bytes("1000"), 1000U);
}

TEST(ParseBytes, RefusesOtherUnitsSignsAndWhatIsTooLarge) {
  for (const char* text : {"", "64MB", "-1", "1 MiB", "MiB", "1e3", "99999999999TiB", "inf"}) {
    EXPECT_FALSE(parse_bytes(text)) << text;
  }
}

TEST(ParseDuration, TakesUnitsAndPlainSeconds) {
  EXPECT_EQ(*parse_duration("500ms"), 500ms);
  EXPECT_EQ(*parse_duration("1.5s"), 1500ms);
  EXPECT_EQ(*parse_duration("2"), 2s);
  EXPECT_EQ(*parse_duration("1m"), 60s);
}

TEST(ParseDuration, RefusesOtherUnits) {
  for (const char* text : {"", "2h", "s", "-1s", "nan"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(FormatMilliseconds, HasTwoDecimals) { EXPECT_EQ(format_milliseconds(1234us), "1.23 ms"); }

}  // namespace
}  // namespace mayfly::cli
