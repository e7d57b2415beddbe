// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ten double rounds over sixteen words, as the RFC writes them down.
#include "guest/wasi/chacha20.h"

namespace mayfly::guest {

namespace {

constexpr uint32_t rotate_left(uint32_t value, unsigned count) {
  return (value << count) | (value >> (32 - count));
}

void quarter_round(uint32_t& a, uint32_t& b, uint32_t& c, uint32_t& d) {
  a += b;
  d = rotate_left(d ^ a, 16);
  c += d;
  b = rotate_left(b ^ c, 12);
  a += b;
  d = rotate_left(d ^ a, 8);
  c += d;
  b = rotate_left(b ^ c, 7);
}

}  // namespace

void chacha20_block(const ChaCha20Input& input, uint8_t output[64]) {
  // "expand 32-byte k"
  uint32_t start[16] = {0x61707865, 0x3320646E, 0x79622D32, 0x6B206574};
  for (unsigned i = 0; i < 8; ++i) start[4 + i] = input.key[i];
  start[12] = input.counter;
  for (unsigned i = 0; i < 3; ++i) start[13 + i] = input.nonce[i];

  uint32_t x[16];
  __builtin_memcpy(x, start, sizeof x);
  for (unsigned round = 0; round < 10; ++round) {
    for (unsigned i = 0; i < 4; ++i) quarter_round(x[i], x[4 + i], x[8 + i], x[12 + i]);
    for (unsigned i = 0; i < 4; ++i) {
      quarter_round(x[i], x[4 + (i + 1) % 4], x[8 + (i + 2) % 4], x[12 + (i + 3) % 4]);
    }
  }
  for (unsigned i = 0; i < 16; ++i) x[i] += start[i];
  __builtin_memcpy(output, x, sizeof x);
}

}  // namespace mayfly::guest
