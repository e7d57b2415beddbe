// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ten double rounds over sixteen words, as the RFC writes them down, of four blocks at once: each
// vector is one word of all four.
#include "guest/wasi/chacha20.h"

namespace mayfly::guest {

namespace {

using Lanes = uint32_t __attribute__((vector_size(16)));

Lanes rotate_left(Lanes value, unsigned count) {
  return (value << count) | (value >> (32 - count));
}

void quarter_round(Lanes& a, Lanes& b, Lanes& c, Lanes& d) {
  a += b;
  d = rotate_left(d ^ a, 16);
  c += d;
  b = rotate_left(b ^ c, 12);
  a += b;
  d = rotate_left(d ^ a, 8);
  c += d;
  b = rotate_left(b ^ c, 7);
}

Lanes in_all(uint32_t word) { return Lanes{word, word, word, word}; }

// Four words of each of four blocks.
void store(const Lanes words[4], uint8_t* output) {
  const Lanes low01 = __builtin_shufflevector(words[0], words[1], 0, 4, 1, 5);
  const Lanes low23 = __builtin_shufflevector(words[2], words[3], 0, 4, 1, 5);
  const Lanes high01 = __builtin_shufflevector(words[0], words[1], 2, 6, 3, 7);
  const Lanes high23 = __builtin_shufflevector(words[2], words[3], 2, 6, 3, 7);
  const Lanes blocks[4] = {__builtin_shufflevector(low01, low23, 0, 1, 4, 5),
                           __builtin_shufflevector(low01, low23, 2, 3, 6, 7),
                           __builtin_shufflevector(high01, high23, 0, 1, 4, 5),
                           __builtin_shufflevector(high01, high23, 2, 3, 6, 7)};
  for (unsigned i = 0; i < 4; ++i) {
    __builtin_memcpy(output + i * kChaCha20BlockBytes, &blocks[i], sizeof blocks[i]);
  }
}

}  // namespace

void chacha20_four_blocks(const ChaCha20Input& input, uint8_t output[4 * kChaCha20BlockBytes]) {
  // "expand 32-byte k"
  constexpr uint32_t kConstants[4] = {0x61707865, 0x3320646E, 0x79622D32, 0x6B206574};
  Lanes start[16];
  for (unsigned i = 0; i < 4; ++i) start[i] = in_all(kConstants[i]);
  for (unsigned i = 0; i < 8; ++i) start[4 + i] = in_all(input.key[i]);
  for (unsigned i = 0; i < 4; ++i) {
    start[12][i] = static_cast<uint32_t>(input.number + i);
    start[13][i] = static_cast<uint32_t>((input.number + i) >> 32);
  }
  for (unsigned i = 0; i < 2; ++i) start[14 + i] = in_all(input.nonce[i]);

  Lanes x[16];
  __builtin_memcpy(x, start, sizeof x);
  for (unsigned round = 0; round < 10; ++round) {
    for (unsigned i = 0; i < 4; ++i) quarter_round(x[i], x[4 + i], x[8 + i], x[12 + i]);
    for (unsigned i = 0; i < 4; ++i) {
      quarter_round(x[i], x[4 + (i + 1) % 4], x[8 + (i + 2) % 4], x[12 + (i + 3) % 4]);
    }
  }
  for (unsigned i = 0; i < 16; ++i) x[i] += start[i];
  for (unsigned i = 0; i < 4; ++i) store(x + 4 * i, output + 16 * i);
  forget(start, sizeof start);
  forget(x, sizeof x);
}

void forget(void* secret, uint64_t bytes) {
  __builtin_memset(secret, 0, bytes);
  // SAFETY: no instruction; says that somebody may look at the bytes.
  asm volatile("" : : "r"(secret) : "memory");
}

}  // namespace mayfly::guest
