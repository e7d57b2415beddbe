// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ChaCha20's block function: 64 bytes of key stream from a key, a block number and a nonce, of four
// numbers at once.
// RFC 8439 #section-2.3
#pragma once

#include <cstdint>

namespace mayfly::guest {

inline constexpr uint64_t kChaCha20BlockBytes = 64;

struct ChaCha20Input {
  uint32_t key[8];
  uint64_t number;  // the RFC's counter, and the first word of its nonce
  uint32_t nonce[2];
};

// The blocks `number` to `number + 3`. Nothing of the input stays on the stack but in what the
// compiler spilled.
void chacha20_four_blocks(const ChaCha20Input& input, uint8_t output[4 * kChaCha20BlockBytes]);

// Zeros that the compiler does not leave out because nobody reads them.
void forget(void* secret, uint64_t bytes);

}  // namespace mayfly::guest
