// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Polling: for who expects an answer sooner than a sleep and a wake-up would take.
#pragma once

#include <chrono>
#include <cstdint>

namespace mayfly::vmm {

// Whether the other side can run while the calling thread polls: it may use a second processor.
bool can_spin();

// In ticks of the processor's counter (rdtsc), which the first call of the process measures.
uint64_t ticks_of(std::chrono::nanoseconds time);

// Asks `is_done` again and again, until it says yes or the moment has come; its last answer.
template <typename Condition>
bool poll_until(std::chrono::steady_clock::time_point until, Condition is_done) {
  constexpr int kPollsPerLook = 16;  // at the clock, which takes as long as a few
  for (;;) {
    for (int i = 0; i < kPollsPerLook; ++i) {
      if (is_done()) return true;
      __builtin_ia32_pause();
    }
    if (std::chrono::steady_clock::now() >= until) return is_done();
  }
}

}  // namespace mayfly::vmm
