// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tokens of short texts, and where characters are wrong.
#include "component/wit_lexer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mayfly::component::wit {
namespace {

// The texts of all tokens with '|' between them, or the error.
std::string tokens(const std::string& text, const WitLimits& limits = {}) {
  const std::vector<SourceFile> files = {{"a.wit", text}};
  auto lexer = Lexer::create(files, 0, limits);
  if (!lexer) return lexer.error().message;
  std::string all;
  for (;;) {
    const auto token = lexer->take();
    if (!token) return token.error().message;
    if (token->kind == TokenKind::kEnd) return all;
    all += (all.empty() ? "" : "|") +
           std::string(token->kind == TokenKind::kArrow ? "->" : token->text);
  }
}

TEST(WitLexer, TakesNamesOperatorsAndNumbersApart) {
  EXPECT_EQ(tokens("f:func(x:list<u8,4>)->%type;"), "f|:|func|(|x|:|list|<|u8|,|4|>|)|->|type|;");
  EXPECT_EQ(tokens("a-b a1-b2 HTTP-x"), "a-b|a1-b2|HTTP-x");
}

TEST(WitLexer, SkipsSpaceAndComments) {
  EXPECT_EQ(tokens(" a // b\n/* c /* d */ e */ f\t\r\n"), "a|f");
  EXPECT_EQ(tokens(""), "");
}

TEST(WitLexer, KeepsDocsOfTheNextToken) {
  const std::vector<SourceFile> files = {{"a.wit", "/// one\n/// two\na b"}};
  auto lexer = Lexer::create(files, 0, {});
  ASSERT_TRUE(lexer);
  const auto first = lexer->take();
  ASSERT_TRUE(first);
  ASSERT_EQ(first->docs.size(), 2U);
  EXPECT_NE(first->docs[0].find("one"), std::string_view::npos);
  EXPECT_NE(first->docs[1].find("two"), std::string_view::npos);
  EXPECT_TRUE(lexer->peek().docs.empty());
}

TEST(WitLexer, KnowsWhatIsEscaped) {
  const std::vector<SourceFile> files = {{"a.wit", "%record record"}};
  auto lexer = Lexer::create(files, 0, {});
  ASSERT_TRUE(lexer);
  EXPECT_TRUE(lexer->take()->is_escaped);
  EXPECT_FALSE(lexer->peek().is_escaped);
  EXPECT_TRUE(is_keyword("record"));
  EXPECT_FALSE(is_keyword("records"));
}

TEST(WitLexer, SaysWhereACharacterIsWrong) {
  EXPECT_TRUE(tokens("a\n  $").starts_with("a.wit:2:3: ")) << tokens("a\n  $");
  EXPECT_TRUE(tokens("a /* b").starts_with("a.wit:1:3: ")) << tokens("a /* b");
  EXPECT_TRUE(tokens(std::string("a\0", 2)).starts_with("a.wit:1:2: "));
  EXPECT_TRUE(tokens("// \xe2\x80\xae").starts_with("a.wit:1:4: "));  // it turns text around
}

TEST(WitLexer, EndsAtCommentsInComments) {
  const WitLimits limits = {.comment_depth_max = 2};
  EXPECT_EQ(tokens("/*/**/*/a", limits), "a");
  EXPECT_NE(tokens("/*/*/**/*/*/a", limits).find("nest too deep"), std::string::npos);
}

TEST(WitLexer, ReplacesEscapesOfStrings) {
  EXPECT_EQ(unescape("a\\\"b\\\\c").value(), "a\"b\\c");
  EXPECT_FALSE(unescape("a\\"));
}

}  // namespace
}  // namespace mayfly::component::wit
