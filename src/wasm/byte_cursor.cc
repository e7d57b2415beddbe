// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The slow paths of ByteCursor: long LEB128 numbers and names.
#include "wasm/byte_cursor.h"

#include <array>
#include <charconv>
#include <cstring>

namespace mayfly::wasm {
namespace {

std::string hex(uint64_t value) {
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, 16);
  return "0x" + std::string(digits.data(), end.ptr);
}

}  // namespace

Error invalid_at(std::string_view what, uint64_t offset) {
  return invalid(std::string(what) + " at offset " + hex(offset));
}

Error limit_at(std::string_view what, uint64_t value, uint64_t maximum, uint64_t offset) {
  return limit(std::string(what) + ": " + std::to_string(value) + " is more than " +
               std::to_string(maximum) + " at offset " + hex(offset));
}

// wasm-3.0 #binary-int: at most ceil(bits / 7) bytes, unused bits of the last byte clear.
uint64_t ByteCursor::unsigned_leb(unsigned bits) {
  const uint64_t start = position();
  uint64_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    const uint8_t byte = u8();
    if (failed()) return 0;
    if (shift + 7 >= bits) {
      const unsigned used = bits - shift;
      if ((byte & 0x80) != 0) {
        fail("integer representation too long", start);
        return 0;
      }
      if ((byte >> used) != 0) {
        fail("integer too large", start);
        return 0;
      }
    }
    value |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if ((byte & 0x80) == 0) return value;
  }
}

// As above, with the unused bits of the last byte equal to the sign bit.
int64_t ByteCursor::signed_leb(unsigned bits) {
  const uint64_t start = position();
  uint64_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    const uint8_t byte = u8();
    if (failed()) return 0;
    if (shift + 7 >= bits) {
      const unsigned used = bits - shift;
      if ((byte & 0x80) != 0) {
        fail("integer representation too long", start);
        return 0;
      }
      const unsigned sign_and_unused = (byte & 0x7Fu) >> (used - 1);
      if (sign_and_unused != 0 && sign_and_unused != (0x7Fu >> (used - 1))) {
        fail("integer too large", start);
        return 0;
      }
    }
    value |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if ((byte & 0x80) == 0) {
      const unsigned width = shift + 7;
      if (width < 64 && (byte & 0x40) != 0) value |= ~uint64_t{0} << width;
      return static_cast<int64_t>(value);
    }
  }
}

std::string_view ByteCursor::name() {
  const uint32_t size = u32();
  const uint64_t start = position();
  const auto text = bytes(size);
  if (failed()) return {};
  if (!is_utf8(text)) {
    fail("malformed UTF-8 encoding", start);
    return {};
  }
  // char may alias any byte; the view lives as long as the module's bytes.
  const void* first = text.data();
  return {static_cast<const char*>(first), text.size()};
}

namespace {

// Where the first byte that is not ASCII is, or a few before it: eight are looked at together.
size_t skip_ascii(std::span<const uint8_t> bytes, size_t from) {
  constexpr uint64_t kHighBits = 0x8080'8080'8080'8080;
  for (uint64_t word = 0; bytes.size() - from >= sizeof word; from += sizeof word) {
    std::memcpy(&word, bytes.data() + from, sizeof word);
    if ((word & kHighBits) != 0) break;
  }
  return from;
}

}  // namespace

bool is_utf8(std::span<const uint8_t> bytes) {
  const auto is_tail = [&](size_t index) {
    return index < bytes.size() && (bytes[index] & 0xC0) == 0x80;
  };
  for (size_t i = 0; i < bytes.size();) {
    const uint8_t lead = bytes[i];
    if (lead < 0x80) {
      i = skip_ascii(bytes, i + 1);
    } else if (lead < 0xC2) {
      return false;  // a tail byte, or an overlong form of U+0000 to U+007F
    } else if (lead < 0xE0) {
      if (!is_tail(i + 1)) return false;
      i += 2;
    } else if (lead < 0xF0) {
      if (!is_tail(i + 1) || !is_tail(i + 2)) return false;
      if (lead == 0xE0 && bytes[i + 1] < 0xA0) return false;
      if (lead == 0xED && bytes[i + 1] >= 0xA0) return false;
      i += 3;
    } else if (lead < 0xF5) {
      if (!is_tail(i + 1) || !is_tail(i + 2) || !is_tail(i + 3)) return false;
      if (lead == 0xF0 && bytes[i + 1] < 0x90) return false;
      if (lead == 0xF4 && bytes[i + 1] >= 0x90) return false;
      i += 4;
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace mayfly::wasm
