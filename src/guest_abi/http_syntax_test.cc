// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which bytes may stand where in an HTTP message.
#include "guest_abi/http_syntax.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace mayfly::guest_abi {
namespace {

std::string of(uint8_t byte) { return {static_cast<char>(byte)}; }

TEST(HttpSyntax, ATokenHasLettersDigitsAndMarks) {
  const std::string_view marks = "!#$%&'*+-.^_`|~";
  for (int byte = 0; byte < 256; ++byte) {
    const bool is_word = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                         (byte >= '0' && byte <= '9');
    const std::string text = of(static_cast<uint8_t>(byte));
    EXPECT_EQ(is_token(text), is_word || marks.find(text[0]) != std::string_view::npos) << byte;
  }
  EXPECT_FALSE(is_token(""));
  EXPECT_FALSE(is_token("two words"));
  EXPECT_TRUE(is_token("X-Field_1"));
}

TEST(HttpSyntax, AValueHasNoControlCharacterButTabs) {
  for (int byte = 0; byte < 256; ++byte) {
    const bool is_control = (byte < 0x20 && byte != '\t') || byte == 0x7F;
    EXPECT_EQ(is_field_value("a" + of(static_cast<uint8_t>(byte))), !is_control) << byte;
  }
  EXPECT_TRUE(is_field_value(""));
}

TEST(HttpSyntax, ATargetHasNoSpaceControlCharacterOrFragment) {
  for (int byte = 0; byte < 256; ++byte) {
    const bool is_wrong = byte <= 0x20 || byte == 0x7F || byte == '#';
    EXPECT_EQ(is_request_target("/" + of(static_cast<uint8_t>(byte))), !is_wrong) << byte;
  }
}

TEST(HttpSyntax, NamesAreComparedWithoutCase) {
  EXPECT_TRUE(is_same_name("Content-Length", "content-lengtH"));
  EXPECT_FALSE(is_same_name("content-length", "content-lengt"));
  EXPECT_FALSE(is_same_name("@", "`"));  // they differ in the bit that tells cases apart
  EXPECT_TRUE(is_forbidden_field("HOST"));
  EXPECT_TRUE(is_forbidden_field("http2-Settings"));
  EXPECT_FALSE(is_forbidden_field("hosts"));
  EXPECT_FALSE(is_forbidden_field(""));
}

}  // namespace
}  // namespace mayfly::guest_abi
