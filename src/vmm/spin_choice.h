// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// SpinChoice: whether polling for the other side's turns is worth it. It is not where no processor
// is free for the other side, where calls take longer than the polling, and where they come less
// often: each turn then costs the time of polling and an exit. So it is given up after a few such
// turns and tried again later, after twice as many calls each time that it was in vain.
#pragma once

#include <algorithm>
#include <cstdint>

namespace mayfly::vmm {

class SpinChoice {
 public:
  // Calls without polling, after the first misses and at most.
  static constexpr uint32_t kRestMin = 64;
  static constexpr uint32_t kRestMax = 4096;

  // At the start of a call: whether its turns are polled for.
  bool next_call() {
    polls_ = rest_left_ == 0;
    if (!polls_) --rest_left_;
    return polls_;
  }
  bool polls() const { return polls_; }

  // A turn came while it was polled for, and without an exit.
  void hit() {
    if (score_ > 0) --score_;
    if (hits_ < kHitsForTrust) ++hits_;
    if (hits_ == kHitsForTrust) rest_ = kRestMin;
  }
  // It did not. Where nothing was polled for, that says nothing.
  void miss() {
    if (!polls_) return;
    hits_ = 0;
    score_ += kMiss;
    if (score_ < kScoreMax) return;
    rest_left_ = rest_;
    rest_ = std::min(2 * rest_, kRestMax);
    score_ = kScoreMax - kTries * kMiss;
  }

 private:
  // A miss costs about as much as this many hits save.
  static constexpr uint32_t kMiss = 3;
  static constexpr uint32_t kScoreMax = 8 * kMiss;
  // Misses in a row that end a trial. The first call of each is one: it finds the guest outside.
  static constexpr uint32_t kTries = 3;
  static constexpr uint32_t kHitsForTrust = 64;

  bool polls_ = true;
  uint32_t score_ = 0;
  uint32_t hits_ = 0;  // in a row
  uint32_t rest_ = kRestMin;
  uint32_t rest_left_ = 0;
};

}  // namespace mayfly::vmm
