// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// StringKernels: the loops behind the string functions for one kind of vectors. The processor says
// which of the two is used.
#pragma once

#include <cstddef>
#include <cstdint>

#include "guest/component/string_scalar.h"

namespace mayfly::guest {

// Sizes and results count bytes of Latin-1 and UTF-8, units of UTF-16. Only the bytes of the
// results are written. Where the two strings overlap, and no comment allows it, what is written is
// still what the encoding allows.
struct StringKernels {
  bool (*copy_utf8)(const uint8_t* from, size_t size, uint8_t* to);  // false: invalid
  // Adds all bits of the units to `bits`. false: invalid.
  bool (*copy_utf16)(const uint8_t* from, size_t size, uint8_t* to, uint32_t& bits);
  // How many there are before the first one that is not ASCII, or not Latin-1. `to` may be `from`
  // in those of UTF-16.
  size_t (*ascii_from_latin1)(const uint8_t* from, size_t size, uint8_t* to);
  size_t (*ascii_from_utf16)(const uint8_t* from, size_t size, uint8_t* to);
  size_t (*latin1_from_utf16)(const uint8_t* from, size_t size, uint8_t* to);
  // `to` may be `from`.
  void (*utf16_from_latin1)(const uint8_t* from, size_t size, uint8_t* to);

  size_t (*utf8_from_latin1)(const uint8_t* from, size_t size, uint8_t* to);
  // false: invalid, at.read is where.
  bool (*utf8_from_utf16)(const uint8_t* from, size_t size, uint8_t* to, Progress& at);
  bool (*utf16_from_utf8)(const uint8_t* from, size_t size, uint8_t* to, Progress& at);
  Latin1Step (*latin1_from_utf8)(const uint8_t* from, size_t size, uint8_t* to, Progress& at);
};

extern const StringKernels kSse41Kernels;
extern const StringKernels kAvx2Kernels;

}  // namespace mayfly::guest
