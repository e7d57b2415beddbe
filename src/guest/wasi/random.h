// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// RandomStream: ChaCha20 with a key that is replaced after each use, and bytes that are erased when
// they are given out, so that they cannot be computed again from the guest's memory. The host gives
// a new seed at each start, reset and fork; the next bytes come from it.
#pragma once

#include <cstdint>

#include "guest/wasi/chacha20.h"
#include "guest_abi/call_page.h"

namespace mayfly::guest {

class RandomStream {
 public:
  void fill(const guest_abi::CallPage& page, uint8_t* to, uint64_t bytes);

 private:
  void seed(const guest_abi::CallPage& page);
  void generate(uint8_t* to, uint64_t bytes);

  // What four blocks have past the next key.
  static constexpr uint64_t kAheadBytes = 4 * kChaCha20BlockBytes - 32;
  uint32_t key_[8];
  uint64_t seed_generation_;
  bool is_seeded_;
  uint8_t ahead_count_;  // the last of ahead_, not given out yet
  uint8_t ahead_[kAheadBytes];
};

}  // namespace mayfly::guest
