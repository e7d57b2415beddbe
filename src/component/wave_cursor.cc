// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each token by hand: there are few, and none needs to look back.
#include "component/wave_cursor.h"

#include <algorithm>
#include <array>

#include "mayfly/transfer.h"

namespace mayfly::component {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

uint32_t hex_digit(char c) {
  if (is_digit(c)) return static_cast<uint32_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<uint32_t>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<uint32_t>(c - 'A' + 10);
  return 16;
}

// Of a character in valid UTF-8, by its first byte.
size_t utf8_bytes(char first) {
  const auto byte = static_cast<uint8_t>(first);
  if (byte < 0x80) return 1;
  if (byte < 0xe0) return 2;
  return byte < 0xf0 ? 3 : 4;
}

}  // namespace

char32_t take_char(std::string_view& text) {
  const size_t bytes = utf8_bytes(text[0]);
  const auto first = static_cast<uint8_t>(text[0]);
  char32_t code = bytes == 1 ? first : static_cast<char32_t>(first & (0x7f >> bytes));
  for (size_t i = 1; i < bytes; ++i) code = code << 6 | (static_cast<uint8_t>(text[i]) & 0x3f);
  text.remove_prefix(bytes);
  return code;
}

bool is_wave_keyword(std::string_view label) {
  static constexpr std::array<std::string_view, 8> kKeywords = {"true", "false", "inf", "nan",
                                                                "some", "none",  "ok",  "err"};
  return std::ranges::find(kKeywords, label) != kKeywords.end();
}

void append_utf8(char32_t code, std::string& out) {
  const auto byte = [&](char32_t bits) { out.push_back(static_cast<char>(bits)); };
  if (code < 0x80) {
    byte(code);
  } else if (code < 0x800) {
    byte(0xc0 | code >> 6);
    byte(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    byte(0xe0 | code >> 12);
    byte(0x80 | (code >> 6 & 0x3f));
    byte(0x80 | (code & 0x3f));
  } else {
    byte(0xf0 | code >> 18);
    byte(0x80 | (code >> 12 & 0x3f));
    byte(0x80 | (code >> 6 & 0x3f));
    byte(0x80 | (code & 0x3f));
  }
}

void WaveCursor::skip_blanks() {
  while (at_ < text_.size()) {
    if (is_blank(text_[at_])) {
      ++at_;
    } else if (has("//")) {
      at_ = std::min(text_.find('\n', at_), text_.size());
    } else {
      return;
    }
  }
}

bool WaveCursor::at_end() {
  skip_blanks();
  return at_ == text_.size();
}

bool WaveCursor::next_is(char wanted) { return !at_end() && text_[at_] == wanted; }

bool WaveCursor::take(char wanted) {
  if (!next_is(wanted)) return false;
  ++at_;
  return true;
}

Result<void> WaveCursor::expect(char wanted) {
  if (!take(wanted)) return expected("'" + std::string(1, wanted) + "'");
  return {};
}

Result<void> WaveCursor::expect_end() {
  if (!at_end()) return expected("the end");
  return {};
}

Error WaveCursor::error_at(size_t position, std::string message) const {
  return invalid(std::move(message) + " at byte " + std::to_string(first_ + position));
}

Error WaveCursor::expected(std::string_view wanted) {
  skip_blanks();
  return error_at(at_, "expected " + std::string(wanted));
}

Result<WaveCursor::Label> WaveCursor::label() {
  skip_blanks();
  const size_t start = at_;
  const bool is_escaped = has("%");
  if (is_escaped) ++at_;
  const size_t name = at_;
  while (at_ < text_.size() &&
         (is_letter(text_[at_]) || is_digit(text_[at_]) || (text_[at_] == '-' && at_ > name))) {
    ++at_;
  }
  if (at_ == name || !is_letter(text_[name])) {
    at_ = start;
    return expected("a label");
  }
  return Label{text_.substr(name, at_ - name), is_escaped};
}

size_t WaveCursor::digits_end(size_t from) const {
  while (from < text_.size() && is_digit(text_[from])) ++from;
  return from;
}

Result<std::string_view> WaveCursor::number() {
  skip_blanks();
  const size_t start = at_;
  for (const std::string_view word : {"nan", "inf", "-inf"}) {
    if (!has(word)) continue;
    at_ += word.size();
    return word;
  }
  size_t end = start + (has("-") ? 1 : 0);
  const size_t first = end;
  end = digits_end(first);
  if (end == first) return expected("a number");
  if (end > first + 1 && text_[first] == '0') {
    return error_at(start, "a number must not begin with 0");
  }
  if (end < text_.size() && text_[end] == '.') {
    const size_t fraction = end + 1;
    end = digits_end(fraction);
    if (end == fraction) return error_at(end, "expected digits");
  }
  if (end < text_.size() && (text_[end] == 'e' || text_[end] == 'E')) {
    size_t exponent = end + 1;
    if (exponent < text_.size() && (text_[exponent] == '+' || text_[exponent] == '-')) ++exponent;
    end = digits_end(exponent);
    if (end == exponent) return error_at(end, "expected digits");
  }
  at_ = end;
  return text_.substr(start, end - start);
}

Result<void> WaveCursor::unicode_escape(size_t start, std::string& out) {
  uint32_t code = 0;
  const size_t first = at_;
  while (at_ < text_.size() && hex_digit(text_[at_]) < 16) {
    code = std::min<uint32_t>(code << 4 | hex_digit(text_[at_]), 0x110000);
    ++at_;
  }
  const auto character = detail::to_char(code);
  if (at_ == first || !has("}") || !character) return error_at(start, "invalid escape");
  ++at_;
  append_utf8(*character, out);
  return {};
}

Result<void> WaveCursor::escape(std::string& out) {
  static constexpr std::string_view kNames = "'\"\\tnr";
  static constexpr std::string_view kMeanings = "'\"\\\t\n\r";
  const size_t start = at_;
  ++at_;
  if (has("u{")) {
    at_ += 2;
    return unicode_escape(start, out);
  }
  const size_t known = at_ < text_.size() ? kNames.find(text_[at_]) : std::string_view::npos;
  if (known == std::string_view::npos) return error_at(start, "invalid escape");
  out.push_back(kMeanings[known]);
  ++at_;
  return {};
}

// A character of a char or string that ends with `quote`.
Result<void> WaveCursor::one_char(char quote, std::string& out) {
  if (at_ == text_.size()) return expected("'" + std::string(1, quote) + "'");
  const char first = text_[at_];
  if (first == '\\') return escape(out);
  if (first == '\n' || first == quote) {
    return error_at(at_, "a character that must be escaped");
  }
  const size_t bytes = utf8_bytes(first);
  out.append(text_.substr(at_, bytes));
  at_ += bytes;
  return {};
}

Result<char32_t> WaveCursor::quoted_char() {
  if (!next_is('\'')) return expected("a char");
  ++at_;
  std::string utf8;
  MAYFLY_TRY(one_char('\'', utf8));
  if (!has("'")) return error_at(at_, "expected '''");
  ++at_;
  std::string_view text = utf8;
  return take_char(text);
}

Result<std::string> WaveCursor::string() {
  if (!next_is('"')) return expected("a string");
  if (has("\"\"\"")) return multiline_string();
  ++at_;
  std::string text;
  while (!has("\"")) MAYFLY_TRY(one_char('"', text));
  ++at_;
  return text;
}

// The spaces before the closing quotes are those that every line begins with.
Result<std::string> WaveCursor::multiline_string() {
  const size_t start = at_;
  const size_t end = text_.find("\"\"\"", start + 3);
  if (end == std::string_view::npos) return error_at(start, "a string without an end");
  at_ += 3;
  if (has("\r")) ++at_;
  if (!has("\n")) return error_at(at_, "expected a line break after the quotes");
  ++at_;
  const size_t last_break = text_.rfind('\n', end);
  const size_t indent = end - last_break - 1;
  if (text_.find_first_not_of(' ', last_break + 1) != end) {
    return error_at(end, "expected only spaces before the quotes");
  }
  std::string text;
  for (bool is_first = true; at_ <= last_break; is_first = false) {
    const size_t next_break = text_.find('\n', at_);
    const bool has_return = next_break > at_ && text_[next_break - 1] == '\r';
    const size_t line_end = next_break - (has_return ? 1 : 0);
    if (line_end - at_ < indent ||
        text_.substr(at_, indent).find_first_not_of(' ') != std::string_view::npos) {
      return error_at(at_, "expected " + std::to_string(indent) + " spaces");
    }
    if (!is_first) text.push_back('\n');
    at_ += indent;
    while (at_ < line_end) MAYFLY_TRY(one_char('\n', text));
    at_ = next_break + 1;
  }
  at_ = end + 3;
  return text;
}

}  // namespace mayfly::component
