// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ChaCha20's block function: 64 bytes of key stream from a key, a counter and a nonce.
// RFC 8439 #section-2.3
#pragma once

#include <cstdint>

namespace mayfly::guest {

struct ChaCha20Input {
  uint32_t key[8];
  uint32_t counter;
  uint32_t nonce[3];
};

void chacha20_block(const ChaCha20Input& input, uint8_t output[64]);

}  // namespace mayfly::guest
