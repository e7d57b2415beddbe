// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What may stand in an HTTP message. Guest and host ask the same: the guest's answers are what a
// program is told, the host's are what counts.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mayfly::guest_abi {

// Bytes that outlive it.
class HttpText {
 public:
  HttpText(const void* bytes, size_t size)
      : bytes_(static_cast<const uint8_t*>(bytes)), size_(size) {}
  // Strings, views, spans.
  template <typename Text>
    requires requires(const Text& text) { text.data() + text.size(); }
  HttpText(const Text& text) : HttpText(text.data(), text.size()) {}  // NOLINT: it is the same
  template <size_t kSize>
  HttpText(const char (&literal)[kSize])
      : HttpText(literal, kSize - 1) {}  // NOLINT: it is the same

  const uint8_t* begin() const { return bytes_; }
  const uint8_t* end() const { return bytes_ + size_; }
  size_t size() const { return size_; }

 private:
  const uint8_t* bytes_;
  size_t size_;
};

constexpr uint8_t http_lower(uint8_t letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<uint8_t>(letter - 'A' + 'a') : letter;
}

inline bool is_same_name(const HttpText& one, const HttpText& other) {
  if (one.size() != other.size()) return false;
  const uint8_t* expected = other.begin();
  for (const uint8_t letter : one) {
    if (http_lower(letter) != http_lower(*expected++)) return false;
  }
  return true;
}

// rfc 9110 #tokens: names of fields and methods.
inline bool is_token(const HttpText& text) {
  for (const uint8_t letter : text) {
    const uint8_t small = http_lower(letter);
    if ((small >= 'a' && small <= 'z') || (small >= '0' && small <= '9')) continue;
    bool is_mark = false;
    for (const char* mark = "!#$%&'*+-.^_`|~"; *mark != 0; ++mark) {
      is_mark = is_mark || letter == static_cast<uint8_t>(*mark);
    }
    if (!is_mark) return false;
  }
  return text.size() != 0;
}

// rfc 9110 #field.values.
inline bool is_field_value(const HttpText& text) {
  for (const uint8_t byte : text) {
    if ((byte < 0x20 && byte != '\t') || byte == 0x7F) return false;
  }
  return true;
}

// rfc 9112 #request.target, as far as a request's line needs it: no space, control character or
// fragment.
inline bool is_request_target(const HttpText& text) {
  for (const uint8_t byte : text) {
    if (byte <= ' ' || byte == 0x7F || byte == '#') return false;
  }
  return true;
}

// Whether a field belongs to the connection, which is the host's: programs neither send nor see it.
inline bool is_forbidden_field(const HttpText& name) {
  return is_same_name(name, "connection") || is_same_name(name, "keep-alive") ||
         is_same_name(name, "proxy-authenticate") || is_same_name(name, "proxy-authorization") ||
         is_same_name(name, "proxy-connection") || is_same_name(name, "transfer-encoding") ||
         is_same_name(name, "upgrade") || is_same_name(name, "host") ||
         is_same_name(name, "http2-settings");
}

}  // namespace mayfly::guest_abi
