// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tokens of WIT (WIT.md #lexical-structure).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "component/wit_source.h"

namespace mayfly::component::wit {

enum class TokenKind : uint8_t {
  kEnd,
  kIdentifier,  // text without '%'; is_keyword() tells whether it may be a name
  kInteger,
  kString,    // text: the contents, escapes and all
  kArrow,     // ->
  kOperator,  // text: one of = , : ; ( ) { } < > * / . @ + _
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string_view text;  // of the file
  uint32_t begin = 0;
  uint32_t end = 0;
  bool is_escaped = false;  // written with '%'
  // Doc comments right before the token, one for each line, without the slashes.
  std::vector<std::string_view> docs;
};

bool is_keyword(std::string_view text);

// The contents of a string token: escapes replaced. Errors: kInvalid, without a position.
Result<std::string> unescape(std::string_view text);

class Lexer {
 public:
  // The files must live as long as the lexer. Checks the characters of the whole file.
  static Result<Lexer> create(const std::vector<SourceFile>& files, uint32_t file,
                              const WitLimits& limits);

  const Token& peek() const { return next_; }
  // The token that peek() showed.
  Result<Token> take();
  // Takes a version off the text at the current token, which need not be one token.
  Result<std::string_view> take_version();

  Position position_of(const Token& token) const { return {file_, token.begin}; }
  Error error(const Token& token, std::string_view what) const {
    return error_at(*files_, position_of(token), what);
  }

 private:
  Lexer(const std::vector<SourceFile>& files, uint32_t file, const WitLimits& limits)
      : files_(&files), text_(files[file].text), file_(file), limits_(limits) {}
  Result<void> check_characters() const;
  Result<void> skip_space(std::vector<std::string_view>& docs);
  Result<void> skip_block_comment(std::vector<std::string_view>& docs);
  Result<Token> scan();
  Result<void> scan_string(Token& token);
  Error error(size_t offset, std::string_view what) const {
    return error_at(*files_, {file_, static_cast<uint32_t>(offset)}, what);
  }

  const std::vector<SourceFile>* files_;
  std::string_view text_;
  uint32_t file_;
  WitLimits limits_;
  size_t at_ = 0;
  Token next_;
};

}  // namespace mayfly::component::wit
