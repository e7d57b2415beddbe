// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One token of lookahead over the text of one file.
#include "component/wit_lexer.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "wasm/byte_cursor.h"

namespace mayfly::component::wit {
namespace {

constexpr std::array<std::string_view, 44> kKeywords = {
    "as",        "async", "bool",          "borrow", "char", "constructor", "enum",   "export",
    "f32",       "f64",   "flags",         "from",   "func", "future",      "import", "include",
    "interface", "list",  "map",           "option", "own",  "package",     "record", "resource",
    "result",    "s16",   "s32",           "s64",    "s8",   "static",      "stream", "string",
    "tuple",     "type",  "u16",           "u32",    "u64",  "u8",          "use",    "variant",
    "with",      "world", "error-context", "_"};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) { return is_letter(c) || is_digit(c) || c == '-'; }

std::string utf8(uint32_t code) {
  std::string bytes;
  const auto push = [&](uint32_t byte) { bytes.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    push(code);
  } else if (code < 0x800) {
    push(0xC0 | code >> 6);
    push(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    push(0xE0 | code >> 12);
    push(0x80 | ((code >> 6) & 0x3F));
    push(0x80 | (code & 0x3F));
  } else {
    push(0xF0 | code >> 18);
    push(0x80 | ((code >> 12) & 0x3F));
    push(0x80 | ((code >> 6) & 0x3F));
    push(0x80 | (code & 0x3F));
  }
  return bytes;
}

std::optional<uint32_t> hex_number(std::string_view text) {
  uint32_t value = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (text.empty() || end.ec != std::errc() || end.ptr != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

// What WIT forbids besides control codes: overrides of direction, and deprecated characters.
bool is_forbidden(uint32_t code) {
  if (code < 0x20 || code == 0x7f) return code != '\n' && code != '\r' && code != '\t';
  if (code >= 0x80 && code < 0xa0) return true;
  if (code >= 0x202a && code <= 0x202e) return true;
  if (code >= 0x2066 && code <= 0x2069) return true;
  static constexpr std::array<uint32_t, 11> kDeprecated = {
      0x149, 0x673, 0xf77, 0xf79, 0x17a3, 0x17a4, 0x17b4, 0x17b5, 0x2329, 0x232a, 0xe0001};
  return std::ranges::find(kDeprecated, code) != kDeprecated.end();
}

// The code point at `at` of valid UTF-8; at moves past it.
uint32_t next_code(std::string_view text, size_t& at) {
  const auto lead = static_cast<uint8_t>(text[at++]);
  if (lead < 0x80) return lead;
  const int tails = lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
  uint32_t code = lead & (0x3Fu >> tails);
  for (int i = 0; i < tails; ++i) code = code << 6 | (static_cast<uint8_t>(text[at++]) & 0x3Fu);
  return code;
}

std::string_view trim_line(std::string_view line) {
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t')) {
    line.remove_suffix(1);
  }
  return line.starts_with(' ') ? line.substr(1) : line;
}

}  // namespace

bool is_keyword(std::string_view text) {
  return std::ranges::find(kKeywords, text) != kKeywords.end();
}

Result<std::string> unescape(std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      result.push_back(text[i]);
      continue;
    }
    constexpr std::string_view kNames = "tnr\"'\\";
    constexpr std::string_view kValues = "\t\n\r\"'\\";
    const std::string_view rest = text.substr(i + 1);
    const size_t known = rest.empty() ? std::string_view::npos : kNames.find(rest[0]);
    if (known != std::string_view::npos) {
      result.push_back(kValues[known]);
      i += 1;
    } else if (rest.starts_with("u{")) {
      const size_t close = rest.find('}');
      const auto code =
          close == std::string_view::npos ? std::nullopt : hex_number(rest.substr(2, close - 2));
      if (!code || *code > 0x10ffff || (*code >= 0xd800 && *code < 0xe000)) {
        return invalid("bad character in a string");
      }
      result += utf8(*code);
      i += close + 1;
    } else {
      const auto byte = hex_number(rest.substr(0, 2));
      if (!byte || rest.size() < 2) return invalid("bad escape in a string");
      result.push_back(static_cast<char>(*byte));
      i += 2;
    }
  }
  const auto* first = static_cast<const void*>(result.data());
  if (!wasm::is_utf8({static_cast<const uint8_t*>(first), result.size()})) {
    return invalid("a string is not UTF-8");
  }
  return result;
}

Result<Lexer> Lexer::create(const std::vector<SourceFile>& files, uint32_t file,
                            const WitLimits& limits) {
  Lexer lexer(files, file, limits);
  if (lexer.text_.size() > limits.file_bytes_max) {
    return lexer.error(
        size_t{0}, "the file has more than " + std::to_string(limits.file_bytes_max) + " bytes");
  }
  MAYFLY_TRY(lexer.check_characters());
  lexer.next_ = MAYFLY_TRY(lexer.scan());
  return lexer;
}

Result<void> Lexer::check_characters() const {
  const auto* first = static_cast<const void*>(text_.data());
  if (!wasm::is_utf8({static_cast<const uint8_t*>(first), text_.size()})) {
    return error(size_t{0}, "the file is not UTF-8");
  }
  for (size_t at = 0; at < text_.size();) {
    const size_t start = at;
    if (is_forbidden(next_code(text_, at))) return error(start, "character not allowed");
  }
  return {};
}

Result<void> Lexer::skip_block_comment(std::vector<std::string_view>& docs) {
  const size_t start = at_;
  const bool is_doc = text_.substr(at_).starts_with("/**") &&
                      !text_.substr(at_).starts_with("/***") &&
                      !text_.substr(at_).starts_with("/**/");
  uint32_t depth = 0;
  do {
    const std::string_view rest = text_.substr(at_);
    if (rest.empty()) return error(start, "comment without end");
    if (rest.starts_with("/*")) {
      if (++depth > limits_.comment_depth_max) return error(at_, "comments nest too deep");
      at_ += 2;
    } else if (rest.starts_with("*/")) {
      --depth;
      at_ += 2;
    } else {
      ++at_;
    }
  } while (depth > 0);
  if (!is_doc) return {};
  std::string_view body = text_.substr(start + 3, at_ - start - 5);
  while (!body.empty()) {
    const size_t newline = body.find('\n');
    std::string_view line = body.substr(0, newline);
    const size_t text = line.find_first_not_of(" \t");
    if (text != std::string_view::npos && line[text] == '*') line.remove_prefix(text + 1);
    if (!trim_line(line).empty() || newline != std::string_view::npos) {
      docs.push_back(trim_line(line));
    }
    body = newline == std::string_view::npos ? std::string_view() : body.substr(newline + 1);
  }
  return {};
}

Result<void> Lexer::skip_space(std::vector<std::string_view>& docs) {
  while (at_ < text_.size()) {
    const std::string_view rest = text_.substr(at_);
    if (rest[0] == ' ' || rest[0] == '\n' || rest[0] == '\r' || rest[0] == '\t') {
      ++at_;
    } else if (rest.starts_with("//")) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      if (line.starts_with("///") && !line.starts_with("////")) {
        docs.push_back(trim_line(line.substr(3)));
      }
      at_ += line.size();
    } else if (rest.starts_with("/*")) {
      MAYFLY_TRY(skip_block_comment(docs));
    } else {
      break;
    }
  }
  return {};
}

Result<void> Lexer::scan_string(Token& token) {
  size_t at = at_ + 1;
  while (at < text_.size() && text_[at] != '"' && text_[at] != '\n') {
    const bool escapes = text_[at] == '\\' && text_.substr(at + 1, 1) != "\n";
    at += escapes ? 2 : 1;
  }
  if (at >= text_.size() || text_[at] != '"') return error(at_, "string without end");
  token.kind = TokenKind::kString;
  token.text = text_.substr(at_ + 1, at - at_ - 1);
  at_ = at + 1;
  return {};
}

Result<Token> Lexer::scan() {
  Token token;
  MAYFLY_TRY(skip_space(token.docs));
  token.begin = static_cast<uint32_t>(at_);
  const std::string_view rest = text_.substr(at_);
  if (rest.empty()) {
    token.end = token.begin;
    return token;
  }
  const size_t skipped = rest[0] == '%' ? 1 : 0;
  size_t size = skipped;
  if (rest.size() > skipped && is_letter(rest[skipped])) {
    while (size < rest.size() && is_word(rest[size])) ++size;
    token.kind = TokenKind::kIdentifier;
    token.text = rest.substr(skipped, size - skipped);
    token.is_escaped = skipped == 1;
  } else if (skipped == 1) {
    return error(at_, "a name must follow '%'");
  } else if (is_digit(rest[0])) {
    while (size < rest.size() && is_digit(rest[size])) ++size;
    token.kind = TokenKind::kInteger;
    token.text = rest.substr(0, size);
  } else if (rest.starts_with("->")) {
    size = 2;
    token.kind = TokenKind::kArrow;
    token.text = rest.substr(0, 2);
  } else if (rest[0] == '"') {
    MAYFLY_TRY(scan_string(token));
    token.end = static_cast<uint32_t>(at_);
    return token;
  } else if (std::string_view("=,:;(){}<>*/.@+_").find(rest[0]) != std::string_view::npos) {
    size = 1;
    token.kind = TokenKind::kOperator;
    token.text = rest.substr(0, 1);
  } else {
    return error(at_, "unexpected character");
  }
  at_ += size;
  token.end = static_cast<uint32_t>(at_);
  return token;
}

Result<Token> Lexer::take() {
  Token token = std::move(next_);
  next_ = MAYFLY_TRY(scan());
  return token;
}

Result<std::string_view> Lexer::take_version() {
  const size_t start = next_.begin;
  size_t end = start;
  while (end < text_.size() && (is_word(text_[end]) || text_[end] == '.' || text_[end] == '+')) {
    ++end;
  }
  // In `use a:b/c@1.0.0.{d}` the last dot is not the version's.
  while (end > start && text_[end - 1] == '.') --end;
  at_ = end;
  next_ = MAYFLY_TRY(scan());
  return text_.substr(start, end - start);
}

}  // namespace mayfly::component::wit
