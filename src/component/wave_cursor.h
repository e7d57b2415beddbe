// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// WaveCursor: the tokens of WAVE, the text form of values of components
// (wasm-wave's wave_ebnf.md): labels, numbers, chars, strings.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace mayfly::component {

// What a label must not be where a case stands, unless it begins with %.
bool is_wave_keyword(std::string_view label);

// Goes forward over text, which outlives it. Errors: kInvalid, "... at byte N", counted from 0.
class WaveCursor {
 public:
  // Precondition: text is UTF-8. Bytes of messages are counted from `first`.
  explicit WaveCursor(std::string_view text, size_t first = 0) : text_(text), first_(first) {}

  struct Label {
    std::string_view name;
    bool is_escaped = false;  // it began with %
    bool is(std::string_view word) const { return !is_escaped && name == word; }
  };

  size_t position() const { return at_; }
  void move_to(size_t position) { at_ = position; }
  // Before a token: blanks and comments.
  void skip_blanks();
  bool at_end();
  // Whether the next token is that character; consumes it.
  bool take(char wanted);
  bool next_is(char wanted);
  Result<void> expect(char wanted);
  Result<void> expect_end();
  Result<Label> label();
  // The text of a number: digits, perhaps with sign, fraction and exponent; or nan, inf, -inf.
  Result<std::string_view> number();
  Result<char32_t> quoted_char();
  Result<std::string> string();
  // `wanted`: "a number", "')'".
  Error expected(std::string_view wanted);
  Error error_at(size_t position, std::string message) const;

 private:
  bool has(std::string_view word) const { return text_.substr(at_).starts_with(word); }
  size_t digits_end(size_t from) const;
  Result<void> one_char(char quote, std::string& out);
  Result<void> escape(std::string& out);
  Result<void> unicode_escape(size_t start, std::string& out);
  Result<std::string> multiline_string();

  std::string_view text_;
  size_t first_ = 0;
  size_t at_ = 0;
};

void append_utf8(char32_t code, std::string& out);
// Takes the first character off. Precondition: text is UTF-8 and not empty.
char32_t take_char(std::string_view& text);

}  // namespace mayfly::component
