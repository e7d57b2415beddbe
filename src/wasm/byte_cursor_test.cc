// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// LEB128 limits, UTF-8 strictness and the first failure of a ByteCursor.
#include "wasm/byte_cursor.h"

#include <gtest/gtest.h>

#include <vector>

namespace mayfly::wasm {
namespace {

using Bytes = std::vector<uint8_t>;

ByteCursor over(const Bytes& bytes) { return ByteCursor(bytes, 0, bytes.size()); }

uint32_t u32_of(const Bytes& bytes) {
  ByteCursor cursor = over(bytes);
  const uint32_t value = cursor.u32();
  EXPECT_FALSE(cursor.failed());
  EXPECT_TRUE(cursor.at_end());
  return value;
}

int64_t s64_of(const Bytes& bytes) {
  ByteCursor cursor = over(bytes);
  const int64_t value = cursor.s64();
  EXPECT_FALSE(cursor.failed());
  return value;
}

std::string u32_error(const Bytes& bytes) {
  ByteCursor cursor = over(bytes);
  cursor.u32();
  return cursor.failed() ? cursor.error().message : "none";
}

std::string s32_error(const Bytes& bytes) {
  ByteCursor cursor = over(bytes);
  cursor.s32();
  return cursor.failed() ? cursor.error().message : "none";
}

TEST(ByteCursor, ReadsUnsignedNumbersUpToTheirWidth) {
  EXPECT_EQ(u32_of({0x7F}), 127u);
  EXPECT_EQ(u32_of({0x80, 0x01}), 128u);
  EXPECT_EQ(u32_of({0x81, 0x80, 0x80, 0x80, 0x00}), 1u);
  EXPECT_EQ(u32_of({0xFF, 0xFF, 0xFF, 0xFF, 0x0F}), UINT32_MAX);
}

TEST(ByteCursor, ReadsSignedNumbersUpToTheirWidth) {
  EXPECT_EQ(s64_of({0x40}), -64);
  EXPECT_EQ(s64_of({0x3F}), 63);
  EXPECT_EQ(s64_of({0x80, 0x7F}), -128);
  EXPECT_EQ(s64_of({0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7F}), INT64_MIN);
  EXPECT_EQ(s64_of({0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00}), INT64_MAX);
}

TEST(ByteCursor, RefusesUnusedBitsAndLongNumbers) {
  EXPECT_EQ(u32_error({0x80, 0x80, 0x80, 0x80, 0x10}), "integer too large at offset 0x0");
  EXPECT_EQ(u32_error({0x80, 0x80, 0x80, 0x80, 0x80, 0x00}),
            "integer representation too long at offset 0x0");
  EXPECT_EQ(s32_error({0xFF, 0xFF, 0xFF, 0xFF, 0x0F}), "integer too large at offset 0x0");
  EXPECT_EQ(s32_error({0x80, 0x80, 0x80, 0x80, 0x70}), "integer too large at offset 0x0");
  EXPECT_EQ(s32_error({0x80, 0x80, 0x80, 0x80, 0x78}), "none");
  EXPECT_EQ(s32_error({0xFF, 0xFF, 0xFF, 0xFF, 0x07}), "none");
}

TEST(ByteCursor, KeepsItsFirstFailureAndThenReadsZeros) {
  const Bytes bytes = {0x80, 0x05};
  ByteCursor cursor(bytes, 0, 1);
  EXPECT_EQ(cursor.u32(), 0u);
  EXPECT_TRUE(cursor.at_end());
  EXPECT_EQ(cursor.u8(), 0u);
  cursor.fail("another", 7);
  EXPECT_EQ(cursor.error().message, "unexpected end of section or function at offset 0x1");
}

TEST(ByteCursor, RefusesANameThatIsLongerThanTheBytes) {
  const Bytes bytes = {0x05, 'a', 'b'};
  ByteCursor cursor = over(bytes);
  EXPECT_EQ(cursor.name(), "");
  EXPECT_NE(cursor.error().message.find("length out of bounds"), std::string::npos);
}

TEST(Utf8, AcceptsTheShortestFormsOnly) {
  EXPECT_TRUE(is_utf8(Bytes{'a', 0xC2, 0x80, 0xE0, 0xA0, 0x80, 0xF0, 0x90, 0x80, 0x80}));
  EXPECT_FALSE(is_utf8(Bytes{0xC1, 0xBF}));
  EXPECT_FALSE(is_utf8(Bytes{0xE0, 0x9F, 0xBF}));
  EXPECT_FALSE(is_utf8(Bytes{0xF0, 0x8F, 0xBF, 0xBF}));
}

TEST(Utf8, SeesEveryByteOfALongText) {
  const Bytes ascii(40, 'a');
  EXPECT_TRUE(is_utf8(ascii));
  for (size_t at = 0; at < ascii.size(); ++at) {
    Bytes text = ascii;
    text[at] = 0x80;
    EXPECT_FALSE(is_utf8(text)) << at;
    text[at] = 0xC2;
    EXPECT_FALSE(is_utf8(text)) << at;
    if (at + 1 < text.size()) text[at + 1] = 0x80;
    EXPECT_EQ(is_utf8(text), at + 1 < text.size()) << at;
  }
}

TEST(Utf8, RefusesSurrogatesAndWhatIsPastUnicode) {
  EXPECT_TRUE(is_utf8(Bytes{0xED, 0x9F, 0xBF}));
  EXPECT_FALSE(is_utf8(Bytes{0xED, 0xA0, 0x80}));
  EXPECT_TRUE(is_utf8(Bytes{0xF4, 0x8F, 0xBF, 0xBF}));
  EXPECT_FALSE(is_utf8(Bytes{0xF4, 0x90, 0x80, 0x80}));
}

TEST(Utf8, RefusesLoneAndMissingTails) {
  EXPECT_FALSE(is_utf8(Bytes{0x80}));
  EXPECT_FALSE(is_utf8(Bytes{0xC2}));
  EXPECT_FALSE(is_utf8(Bytes{0xE1, 0x80}));
  EXPECT_FALSE(is_utf8(Bytes{0xF1, 0x80, 0x80, 'a'}));
}

}  // namespace
}  // namespace mayfly::wasm
