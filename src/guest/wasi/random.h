// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// RandomStream: ChaCha20 with a key that is replaced after each use, so that what was given out
// cannot be computed again from the guest's memory. The host gives a new seed at each start,
// reset and fork; the next bytes come from it.
#pragma once

#include <cstdint>

#include "guest_abi/call_page.h"

namespace mayfly::guest {

class RandomStream {
 public:
  void fill(const guest_abi::CallPage& page, uint8_t* to, uint64_t bytes);

 private:
  uint32_t key_[8];
  uint64_t seed_generation_;
  bool is_seeded_;
};

}  // namespace mayfly::guest
