// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// unicode-16 #table 3-7: which bytes follow which. UTF-16 is little-endian, at any address.
// Positions are local to a loop: what is written could be the caller's Progress, for all that is
// known.
#include "guest/component/string_scalar.h"

namespace mayfly::guest {
namespace {

constexpr uint32_t kInvalid = UINT32_MAX;

uint32_t load_unit(const uint8_t* from, size_t index) {
  uint16_t unit;
  __builtin_memcpy(&unit, from + 2 * index, sizeof unit);
  return unit;
}
void store_unit(uint8_t* to, size_t index, uint32_t value) {
  const auto unit = static_cast<uint16_t>(value);
  __builtin_memcpy(to + 2 * index, &unit, sizeof unit);
}

struct CodePoint {
  uint32_t value;
  uint32_t size;  // bytes or units that it takes; 0: invalid
};

constexpr bool is_continuation(uint32_t byte) { return (byte & 0xC0) == 0x80; }

// Inlined, so that how far a loop goes on is a branch taken, and not a number that it waits for.
// The code point that begins with a byte that is not ASCII, in a word of which bytes past the
// string's end are zero.
[[gnu::always_inline]] inline CodePoint decode_utf8(uint32_t word) {
  if ((word & 0x00C0'C0F0) == 0x0080'80E0) {
    const uint32_t value = (word & 0x0F) << 12 | (word >> 2 & 0xFC0) | (word >> 16 & 0x3F);
    if (value < 0x800 || (value >= 0xD800 && value < 0xE000)) return {kInvalid, 0};
    return {value, 3};
  }
  if ((word & 0xC0E0) == 0x80C0) {
    const uint32_t value = (word & 0x1F) << 6 | (word >> 8 & 0x3F);
    if (value < 0x80) return {kInvalid, 0};
    return {value, 2};
  }
  if ((word & 0xC0C0'C0F8) == 0x8080'80F0) {
    const uint32_t value =
        (word & 0x07) << 18 | (word << 4 & 0x3'F000) | (word >> 10 & 0xFC0) | (word >> 24 & 0x3F);
    if (value < 0x1'0000 || value > 0x10'FFFF) return {kInvalid, 0};
    return {value, 4};
  }
  return {kInvalid, 0};
}

// `left`: bytes from there on, at least one.
[[gnu::always_inline]] inline CodePoint decode_utf8(const uint8_t* from, size_t left) {
  uint32_t word = 0;
  if (left >= sizeof word) {
    __builtin_memcpy(&word, from, sizeof word);
  } else {
    for (size_t i = 0; i < left; ++i) word |= uint32_t{from[i]} << (8 * i);
  }
  return decode_utf8(word);
}

// Whether the bytes begin a code point that has more of them. Precondition: `left` bytes are no
// whole code point.
bool is_begun(const uint8_t* from, size_t left) {
  const uint32_t first = from[0];
  const size_t size = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (first < 0xC2 || first > 0xF4 || left >= size) return false;
  if (left == 1) return true;
  const uint32_t second = from[1];
  const uint32_t low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const uint32_t high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  if (second < low || second > high) return false;
  return left == 2 || is_continuation(from[2]);
}

constexpr bool is_surrogate(uint32_t unit) { return (unit & 0xF800) == 0xD800; }

// Precondition: the unit at index is a surrogate.
CodePoint decode_pair(const uint8_t* from, size_t size, size_t index) {
  const uint32_t high = load_unit(from, index);
  if (high >= 0xDC00 || index + 1 == size) return {kInvalid, 0};
  const uint32_t low = load_unit(from, index + 1);
  if ((low & 0xFC00) != 0xDC00) return {kInvalid, 0};
  return {0x1'0000 + ((high & 0x3FF) << 10 | (low & 0x3FF)), 2};
}

// Precondition: value >= 0x80. The bytes written.
size_t encode_utf8(uint32_t value, uint8_t* to) {
  const auto continuation = [value](uint32_t shift) {
    return static_cast<uint8_t>(0x80 | (value >> shift & 0x3F));
  };
  if (value < 0x800) {
    to[0] = static_cast<uint8_t>(0xC0 | value >> 6);
    to[1] = continuation(0);
    return 2;
  }
  if (value < 0x1'0000) {
    to[0] = static_cast<uint8_t>(0xE0 | value >> 12);
    to[1] = continuation(6);
    to[2] = continuation(0);
    return 3;
  }
  to[0] = static_cast<uint8_t>(0xF0 | value >> 18);
  to[1] = continuation(12);
  to[2] = continuation(6);
  to[3] = continuation(0);
  return 4;
}

// The units written.
size_t encode_utf16(uint32_t value, uint8_t* to, size_t index) {
  if (value < 0x1'0000) {
    store_unit(to, index, value);
    return 1;
  }
  store_unit(to, index, 0xD7C0 + (value >> 10));
  store_unit(to, index + 1, 0xDC00 | (value & 0x3FF));
  return 2;
}

}  // namespace

Utf8Fault utf8_fault(const uint8_t* from, size_t size) {
  for (size_t i = 0; i < size;) {
    if (from[i] < 0x80) {
      ++i;
      continue;
    }
    const uint32_t taken = decode_utf8(from + i, size - i).size;
    if (taken == 0) {
      return is_begun(from + i, size - i) ? Utf8Fault::kIncomplete : Utf8Fault::kInvalid;
    }
    i += taken;
  }
  return Utf8Fault::kNone;
}

bool utf16_from_utf8_until(const uint8_t* from, size_t size, size_t stop, uint8_t* to,
                           Progress& at) {
  size_t read = at.read;
  size_t written = at.written;
  bool is_valid = true;
  while (read < stop) {
    const uint32_t first = from[read];
    if (first < 0x80) {
      store_unit(to, written++, first);
      ++read;
      continue;
    }
    const CodePoint point = decode_utf8(from + read, size - read);
    is_valid = point.size != 0;
    if (!is_valid) break;
    read += point.size;
    written += encode_utf16(point.value, to, written);
  }
  at = {read, written};
  return is_valid;
}

bool utf8_from_utf16_until(const uint8_t* from, size_t size, size_t stop, uint8_t* to,
                           Progress& at) {
  size_t read = at.read;
  size_t written = at.written;
  bool is_valid = true;
  while (read < stop) {
    const uint32_t unit = load_unit(from, read);
    if (unit < 0x80) {
      to[written++] = static_cast<uint8_t>(unit);
      ++read;
      continue;
    }
    CodePoint point{unit, 1};
    if (is_surrogate(unit)) point = decode_pair(from, size, read);
    is_valid = point.size != 0;
    if (!is_valid) break;
    read += point.size;
    written += encode_utf8(point.value, to + written);
  }
  at = {read, written};
  return is_valid;
}

void utf8_from_latin1_until(const uint8_t* from, size_t stop, uint8_t* to, Progress& at) {
  size_t read = at.read;
  size_t written = at.written;
  for (; read < stop; ++read) {
    const uint8_t byte = from[read];
    if (byte < 0x80) {
      to[written++] = byte;
    } else {
      written += encode_utf8(byte, to + written);
    }
  }
  at = {read, written};
}

Latin1Step latin1_from_utf8_until(const uint8_t* from, size_t size, size_t stop, uint8_t* to,
                                  Progress& at) {
  // 0xC4 begins U+0100.
  constexpr uint8_t kWideMin = 0xC4;
  size_t read = at.read;
  size_t written = at.written;
  auto step = Latin1Step::kOn;
  while (read < stop) {
    const uint8_t first = from[read];
    if (first < 0x80) {
      to[written++] = first;
      ++read;
      continue;
    }
    const CodePoint point = first < kWideMin ? decode_utf8(from + read, size - read) : CodePoint{};
    if (point.size == 0) {
      step = first < kWideMin ? Latin1Step::kInvalid : Latin1Step::kWide;
      break;
    }
    to[written++] = static_cast<uint8_t>(point.value);
    read += point.size;
  }
  at = {read, written};
  return step;
}

bool copy_utf16_until(const uint8_t* from, size_t size, size_t stop, uint8_t* to, size_t& at,
                      uint32_t& bits) {
  while (at < stop) {
    const uint32_t unit = load_unit(from, at);
    bits |= unit;
    if (is_surrogate(unit)) {
      if (decode_pair(from, size, at).size == 0) return false;
      store_unit(to, at + 1, load_unit(from, at + 1));
      store_unit(to, at, unit);
      at += 2;
      continue;
    }
    store_unit(to, at, unit);
    ++at;
  }
  return true;
}

}  // namespace mayfly::guest
