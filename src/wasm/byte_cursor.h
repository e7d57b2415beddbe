// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ByteCursor reads the binary format's primitive values from bytes that nobody trusts.
// After the first failure all reads answer zero, so a caller may check once per construct.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace mayfly::wasm {

// "at offset 0x..." is the last part of every message of the decoder.
Error invalid_at(std::string_view what, uint64_t offset);
Error limit_at(std::string_view what, uint64_t value, uint64_t maximum, uint64_t offset);

class ByteCursor {
 public:
  // Reads [begin, end) of the module. Positions count from the module's first byte.
  ByteCursor(std::span<const uint8_t> module_bytes, uint64_t begin, uint64_t end)
      : first_(module_bytes.data()), next_(first_ + begin), end_(first_ + end) {}

  uint64_t position() const { return static_cast<uint64_t>(next_ - first_); }
  uint64_t end() const { return static_cast<uint64_t>(end_ - first_); }
  uint64_t remaining() const { return static_cast<uint64_t>(end_ - next_); }
  bool at_end() const { return next_ == end_; }

  // What has not been read.
  std::span<const uint8_t> rest() const { return {next_, end_}; }
  // Precondition: at most remaining().
  void skip(uint64_t bytes) { next_ += bytes; }

  bool failed() const { return failure_ != nullptr; }
  // Precondition: failed().
  Error error() const { return invalid_at(failure_, failure_offset_); }
  // Keeps the first failure. The text must live for ever.
  void fail(const char* text, uint64_t offset) {
    if (failed()) return;
    failure_ = text;
    failure_offset_ = offset;
    next_ = end_;
  }

  // The next byte without consuming it; 0 at the end.
  uint8_t peek() const { return next_ != end_ ? *next_ : uint8_t{0}; }
  uint8_t u8() {
    if (next_ == end_) [[unlikely]] {
      fail_end();
      return 0;
    }
    return *next_++;
  }
  uint32_t u32() {
    if (next_ != end_ && *next_ < 0x80) [[likely]] {
      return *next_++;
    }
    return static_cast<uint32_t>(unsigned_leb(32));
  }
  uint64_t u64() {
    if (next_ != end_ && *next_ < 0x80) [[likely]] {
      return *next_++;
    }
    return unsigned_leb(64);
  }
  int32_t s32() { return static_cast<int32_t>(small_or_signed_leb(32)); }
  int64_t s33() { return small_or_signed_leb(33); }
  int64_t s64() { return small_or_signed_leb(64); }
  uint32_t fixed_u32() { return fixed<uint32_t>(); }
  uint64_t fixed_u64() { return fixed<uint64_t>(); }

  // The next size bytes, which are part of the module's bytes; empty after a failure.
  std::span<const uint8_t> bytes(uint64_t size) {
    if (size > remaining()) {
      fail("unexpected end of section or function: length out of bounds", position());
      return {};
    }
    const std::span<const uint8_t> result(next_, static_cast<size_t>(size));
    next_ += size;
    return result;
  }
  // A size and that many bytes of UTF-8.
  std::string_view name();

 private:
  void fail_end() { fail("unexpected end of section or function", end()); }
  int64_t small_or_signed_leb(unsigned bits) {
    if (next_ != end_ && *next_ < 0x80) [[likely]] {
      const uint8_t byte = *next_++;
      return static_cast<int64_t>(byte & 0x3F) - static_cast<int64_t>(byte & 0x40);
    }
    return signed_leb(bits);
  }
  uint64_t unsigned_leb(unsigned bits);
  int64_t signed_leb(unsigned bits);
  template <typename T>
  T fixed() {
    T value{};
    if (remaining() < sizeof value) {
      fail_end();
      return 0;
    }
    std::memcpy(&value, next_, sizeof value);
    next_ += sizeof value;
    return value;
  }

  const uint8_t* first_;
  const uint8_t* next_;
  const uint8_t* end_;
  const char* failure_ = nullptr;
  uint64_t failure_offset_ = 0;
};

// wasm-3.0 #binary-utf8: no overlong forms, no surrogates, nothing past U+10FFFF.
bool is_utf8(std::span<const uint8_t> bytes);

}  // namespace mayfly::wasm
