// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The loops of StringKernels over a type of vectors, V. Only string_kernels_*_x86_64.cc include
// this: each is compiled for its processor, and its V is its own, so that none of this code is
// shared between the two.
#pragma once

#include "guest/component/string_kernels.h"
#include "guest/component/utf8_classes.h"

namespace mayfly::guest {

template <typename V>
struct StringLoops {
  static constexpr size_t kBytes = V::kBytes;
  static constexpr size_t kBlock = 64;
  static constexpr size_t kVectors = kBlock / kBytes;
  static constexpr uint16_t kNotAscii = 0xFF80;
  static constexpr uint16_t kNotLatin1 = 0xFF00;

  // Whether UTF-8 that comes in blocks is valid.
  class Validator {
   public:
    void add(const V (&block)[kVectors]) {
      if (!V::any_sign(all_bits(block))) {
        add_ascii();
      } else {
        for (const V& vector : block) add_vector(vector);
      }
      last_ = block[kVectors - 1];
    }
    // Any number of bytes.
    void add_ascii() {
      error_ = error_ | open_;
      open_ = V();
    }
    bool is_valid() const { return !(error_ | open_).any(); }

   private:
    void add_vector(const V& vector) {
      const V before = vector.after(last_, 1);
      const V classes = V::lookup(kFirstHigh, before.high_nibbles()) &
                        V::lookup(kFirstLow, before.low_nibbles()) &
                        V::lookup(kSecondHigh, vector.high_nibbles());
      // The third byte of three or four, the fourth byte of four: there two continuations in a row
      // have to be, and nowhere else. The sign bit is exactly that.
      const V third = vector.after(last_, 2).minus_saturated(V::all(0xE0 - 0x80));
      const V fourth = vector.after(last_, 3).minus_saturated(V::all(0xF0 - 0x80));
      error_ = error_ | (((third | fourth) & V::all(0x80)) ^ classes);
      open_ = vector.minus_saturated(V::last_three(0xEF, 0xDF, 0xBF));
      last_ = vector;
    }

    V last_;   // the vector before
    V open_;   // not zero: it ends inside a code point
    V error_;  // not zero: something was wrong
  };

  static V all_bits(const V (&block)[kVectors]) {
    V all = block[0];
    for (size_t i = 1; i < kVectors; ++i) all = all | block[i];
    return all;
  }

  static bool copy_utf8(const uint8_t* from, size_t size, uint8_t* to) {
    Validator validator;
    V block[kVectors];
    size_t i = 0;
    for (; i + kBlock <= size; i += kBlock) {
      for (size_t k = 0; k < kVectors; ++k) block[k] = V::load(from + i + k * kBytes);
      validator.add(block);
      for (size_t k = 0; k < kVectors; ++k) block[k].store(to + i + k * kBytes);
    }
    if (copy_ascii_rest(from, i, size, to)) {
      validator.add_ascii();
    } else {
      alignas(kBlock) uint8_t rest[kBlock] = {};
      copy_bytes(rest, from + i, size - i);
      for (size_t k = 0; k < kVectors; ++k) block[k] = V::load(rest + k * kBytes);
      validator.add(block);
      copy_bytes(to + i, rest, size - i);
    }
    return validator.is_valid();
  }

  // The bytes from `begin` on, fewer than a block, if all are ASCII. The last of a kind overlap
  // those before them.
  static bool copy_ascii_rest(const uint8_t* from, size_t begin, size_t size, uint8_t* to) {
    if (size < kBytes) return copy_ascii_small(from, size, to);
    const size_t last = size - kBytes;
    V all = V::load(from + last);
    for (size_t i = begin; i < last; i += kBytes) all = all | V::load(from + i);
    if (V::any_sign(all)) return false;
    for (size_t i = begin; i < last; i += kBytes) V::load(from + i).store(to + i);
    V::load(from + last).store(to + last);
    return true;
  }
  // As copy_ascii_rest(), of a string that is shorter than a vector.
  static bool copy_ascii_small(const uint8_t* from, size_t size, uint8_t* to) {
    if (size < sizeof(uint64_t)) {
      for (size_t i = 0; i < size; ++i) {
        if (from[i] >= 0x80) return false;
        to[i] = from[i];
      }
      return true;
    }
    const size_t last = size - sizeof(uint64_t);
    uint64_t all = load_word(from + last);
    for (size_t i = 0; i < last; i += sizeof(uint64_t)) all |= load_word(from + i);
    if ((all & 0x8080'8080'8080'8080) != 0) return false;
    for (size_t i = 0; i < last; i += sizeof(uint64_t)) store_word(to + i, load_word(from + i));
    store_word(to + last, load_word(from + last));
    return true;
  }
  static uint64_t load_word(const uint8_t* from) {
    uint64_t word;
    __builtin_memcpy(&word, from, sizeof word);
    return word;
  }
  static void store_word(uint8_t* to, uint64_t word) { __builtin_memcpy(to, &word, sizeof word); }

  static bool copy_utf16(const uint8_t* from, size_t size, uint8_t* to, uint32_t& bits) {
    constexpr size_t kUnits = kBytes;  // two vectors
    V all;
    size_t i = 0;
    while (i + kUnits <= size) {
      const V a = V::load(from + 2 * i);
      const V b = V::load(from + 2 * i + kBytes);
      if (V::any_surrogate(a) || V::any_surrogate(b)) {
        if (!copy_utf16_until(from, size, i + kUnits, to, i, bits)) return false;
        continue;
      }
      a.store(to + 2 * i);
      b.store(to + 2 * i + kBytes);
      all = all | a | b;
      i += kUnits;
    }
    bits |= all.any_of_units(kNotLatin1) ? uint32_t{kNotLatin1} : 0;
    return copy_utf16_until(from, size, size, to, i, bits);
  }

  static size_t ascii_from_latin1(const uint8_t* from, size_t size, uint8_t* to) {
    size_t i = copy_ascii(from, size, to, 0);
    for (; i < size && from[i] < 0x80; ++i) to[i] = from[i];
    return i;
  }

  // Whole vectors of ASCII from `begin` on.
  static size_t copy_ascii(const uint8_t* from, size_t size, uint8_t* to, size_t begin) {
    size_t i = begin;
    for (; i + kBytes <= size; i += kBytes) {
      const V vector = V::load(from + i);
      if (V::any_sign(vector)) break;
      vector.store(to + i);
    }
    return i;
  }

  // Units without the bits of `wide`, to bytes.
  static size_t narrow(const uint8_t* from, size_t size, uint8_t* to, uint16_t wide) {
    size_t i = 0;
    for (; i + kBytes <= size; i += kBytes) {
      const V a = V::load(from + 2 * i);
      const V b = V::load(from + 2 * i + kBytes);
      if ((a | b).any_of_units(wide)) break;
      V::narrowed(a, b).store(to + i);
    }
    for (; i < size; ++i) {
      uint16_t unit;
      __builtin_memcpy(&unit, from + 2 * i, sizeof unit);
      if ((unit & wide) != 0) break;
      to[i] = static_cast<uint8_t>(unit);
    }
    return i;
  }
  static size_t ascii_from_utf16(const uint8_t* from, size_t size, uint8_t* to) {
    return narrow(from, size, to, kNotAscii);
  }
  static size_t latin1_from_utf16(const uint8_t* from, size_t size, uint8_t* to) {
    return narrow(from, size, to, kNotLatin1);
  }

  // From the end on: what is still to be read lies before what is written.
  static void utf16_from_latin1(const uint8_t* from, size_t size, uint8_t* to) {
    size_t i = size;
    for (; i >= kBytes; i -= kBytes) {
      V::load(from + i - kBytes).store_wide(to + 2 * (i - kBytes));
    }
    while (i > 0) {
      --i;
      const uint16_t unit = from[i];
      __builtin_memcpy(to + 2 * i, &unit, sizeof unit);
    }
  }

  static size_t utf8_from_latin1(const uint8_t* from, size_t size, uint8_t* to) {
    Progress at;
    while (size - at.read >= kBytes) {
      const V vector = V::load(from + at.read);
      if (V::any_sign(vector)) {
        utf8_from_latin1_until(from, at.read + kBytes, to, at);
        continue;
      }
      vector.store(to + at.written);
      at.read += kBytes;
      at.written += kBytes;
    }
    utf8_from_latin1_until(from, size, to, at);
    return at.written;
  }

  static bool utf8_from_utf16(const uint8_t* from, size_t size, uint8_t* to, Progress& at) {
    while (at.read < size && size - at.read >= kBytes) {
      const V a = V::load(from + 2 * at.read);
      const V b = V::load(from + 2 * at.read + kBytes);
      if ((a | b).any_of_units(kNotAscii)) {
        if (!utf8_from_utf16_until(from, size, at.read + kBytes, to, at)) return false;
        continue;
      }
      V::narrowed(a, b).store(to + at.written);
      at.read += kBytes;
      at.written += kBytes;
    }
    return utf8_from_utf16_until(from, size, size, to, at);
  }

  static bool utf16_from_utf8(const uint8_t* from, size_t size, uint8_t* to, Progress& at) {
    while (size - at.read >= kBytes) {
      const V vector = V::load(from + at.read);
      if (V::any_sign(vector)) {
        if (!utf16_from_utf8_until(from, size, at.read + kBytes, to, at)) return false;
        continue;
      }
      vector.store_wide(to + 2 * at.written);
      at.read += kBytes;
      at.written += kBytes;
    }
    return utf16_from_utf8_until(from, size, size, to, at);
  }

  static Latin1Step latin1_from_utf8(const uint8_t* from, size_t size, uint8_t* to, Progress& at) {
    while (size - at.read >= kBytes) {
      const V vector = V::load(from + at.read);
      if (V::any_sign(vector)) {
        const auto step = latin1_from_utf8_until(from, size, at.read + kBytes, to, at);
        if (step != Latin1Step::kOn) return step;
        continue;
      }
      vector.store(to + at.written);
      at.read += kBytes;
      at.written += kBytes;
    }
    return latin1_from_utf8_until(from, size, size, to, at);
  }

  // Fewer than a block.
  static void copy_bytes(uint8_t* to, const uint8_t* from, size_t size) {
    size_t i = 0;
    for (; i + sizeof(uint64_t) <= size; i += sizeof(uint64_t)) {
      store_word(to + i, load_word(from + i));
    }
    for (; i < size; ++i) to[i] = from[i];
  }

  static constexpr StringKernels kernels() {
    return {copy_utf8,         copy_utf16,        ascii_from_latin1, ascii_from_utf16,
            latin1_from_utf16, utf16_from_latin1, utf8_from_latin1,  utf8_from_utf16,
            utf16_from_utf8,   latin1_from_utf8};
  }
};

}  // namespace mayfly::guest
