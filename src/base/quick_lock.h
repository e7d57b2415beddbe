// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// QuickLock: a mutex whose uncontended lock and unlock are one atomic instruction each, in place,
// for what every call of a sandbox takes. Who has to wait sleeps.
#pragma once

#include <atomic>
#include <cstdint>

namespace mayfly {

class QuickLock {
 public:
  void lock() {
    uint32_t expected = kFree;
    if (state_.compare_exchange_strong(expected, kHeld, std::memory_order_acquire)) [[likely]]
      return;
    while (state_.exchange(kWanted, std::memory_order_acquire) != kFree) state_.wait(kWanted);
  }
  void unlock() {
    if (state_.exchange(kFree, std::memory_order_release) == kWanted) [[unlikely]]
      state_.notify_one();
  }

 private:
  static constexpr uint32_t kFree = 0;
  static constexpr uint32_t kHeld = 1;
  static constexpr uint32_t kWanted = 2;  // held, and somebody may be asleep
  std::atomic<uint32_t> state_ = kFree;
};

}  // namespace mayfly
