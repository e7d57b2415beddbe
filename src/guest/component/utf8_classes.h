// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What two bytes in a row can be wrong for in UTF-8, as three tables of 16 that a byte shuffle
// looks up: by the first byte's high and low half, and the second byte's high half. The AND of
// the three has a bit for each class that the pair is in. The idea is from Keiser and Lemire,
// "Validating UTF-8 in less than one instruction per byte" (2020).
#pragma once

#include <cstdint>

namespace mayfly::guest {

// A set of half bytes: bit n says that n is in it.
using Nibbles = uint16_t;

constexpr Nibbles nibbles(uint32_t first, uint32_t last) {
  return static_cast<Nibbles>((1U << (last + 1)) - (1U << first));
}

struct PairClass {
  Nibbles first_high;
  Nibbles first_low;
  Nibbles second_high;
};

inline constexpr Nibbles kAny = nibbles(0, 15);
inline constexpr Nibbles kContinuation = nibbles(0x8, 0xB);

// unicode-16 #table 3-7. The last one is wrong unless the byte is the third of three or the third
// or fourth of four, and is the sign bit for that reason.
inline constexpr PairClass kPairClasses[] = {
    {nibbles(0xC, 0xF), kAny, static_cast<Nibbles>(kAny & ~kContinuation)},  // too short
    {nibbles(0x0, 0x7), kAny, kContinuation},                                // nothing to continue
    {nibbles(0xC, 0xC), nibbles(0, 1), kContinuation},                       // C0, C1: below U+0080
    {nibbles(0xE, 0xE), nibbles(0, 0), nibbles(0x8, 0x9)},                   // below U+0800
    {nibbles(0xE, 0xE), nibbles(0xD, 0xD), nibbles(0xA, 0xB)},               // a surrogate
    {nibbles(0xF, 0xF), nibbles(4, 15), nibbles(0x9, 0xB)},                  // past U+10FFFF
    {nibbles(0xF, 0xF), static_cast<Nibbles>(nibbles(0, 0) | nibbles(5, 15)),
     nibbles(0x8, 0x8)},                   // below U+10000 or past U+10FFFF
    {kContinuation, kAny, kContinuation},  // a third byte
};

struct NibbleTable {
  uint8_t of[16];
};

constexpr NibbleTable table_of(Nibbles PairClass::* part) {
  NibbleTable table{};
  for (uint32_t nibble = 0; nibble < 16; ++nibble) {
    uint32_t bit = 1;
    for (const PairClass& pair : kPairClasses) {
      if ((pair.*part >> nibble & 1) != 0) table.of[nibble] |= static_cast<uint8_t>(bit);
      bit <<= 1;
    }
  }
  return table;
}

inline constexpr NibbleTable kFirstHigh = table_of(&PairClass::first_high);
inline constexpr NibbleTable kFirstLow = table_of(&PairClass::first_low);
inline constexpr NibbleTable kSecondHigh = table_of(&PairClass::second_high);

}  // namespace mayfly::guest
