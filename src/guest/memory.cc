// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// memcpy, memmove, memset, memcmp and bcmp under the names that compilers call.
// Compiled code checks the bounds of bulk operations before it calls them.
#include "guest/copy.h"
#include "guest/port.h"

using mayfly::guest::call_page;
using mayfly::guest::compare_bytes;
using mayfly::guest::fill_bytes;
using mayfly::guest::move_bytes;

extern "C" {

void* memmove(void* to, const void* from, size_t size) {
  move_bytes(static_cast<uint8_t*>(to), static_cast<const uint8_t*>(from), size,
             call_page().has_avx2 != 0);
  return to;
}

void* memcpy(void* to, const void* from, size_t size) { return memmove(to, from, size); }

void* memset(void* to, int value, size_t size) {
  fill_bytes(static_cast<uint8_t*>(to), static_cast<uint8_t>(value), size);
  return to;
}

int memcmp(const void* a, const void* b, size_t size) {
  return compare_bytes(static_cast<const uint8_t*>(a), static_cast<const uint8_t*>(b), size);
}

int bcmp(const void* a, const void* b, size_t size) {
  return compare_bytes(static_cast<const uint8_t*>(a), static_cast<const uint8_t*>(b), size);
}

}  // extern "C"
