// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Transcoding one code point after the other: what the vector loops (string_kernels.h) do not take,
// the ends of strings and the blocks that are not ASCII.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mayfly::guest {

// How far a loop has come in both strings: bytes of Latin-1 and UTF-8, units of UTF-16.
struct Progress {
  size_t read = 0;
  size_t written = 0;
};

enum class Utf8Fault : uint8_t { kNone, kInvalid, kIncomplete };

// What is wrong first with a string. kIncomplete: it ends inside a code point.
Utf8Fault utf8_fault(const uint8_t* from, size_t size);

// Each goes on from `at` while at.read < stop, a code point at a time, so that it ends up to three
// past it. `size` is the string's. false: invalid there, and `at` is before it.
bool utf16_from_utf8_until(const uint8_t* from, size_t size, size_t stop, uint8_t* to,
                           Progress& at);
bool utf8_from_utf16_until(const uint8_t* from, size_t size, size_t stop, uint8_t* to,
                           Progress& at);
void utf8_from_latin1_until(const uint8_t* from, size_t stop, uint8_t* to, Progress& at);

// As utf16_from_utf8_until(); also stops before the first code point that is not Latin-1, which it
// does not validate.
enum class Latin1Step : uint8_t { kOn, kWide, kInvalid };
Latin1Step latin1_from_utf8_until(const uint8_t* from, size_t size, size_t stop, uint8_t* to,
                                  Progress& at);

// Copies UTF-16 as the others do. `bits` collects all bits of all units.
bool copy_utf16_until(const uint8_t* from, size_t size, size_t stop, uint8_t* to, size_t& at,
                      uint32_t& bits);

}  // namespace mayfly::guest
