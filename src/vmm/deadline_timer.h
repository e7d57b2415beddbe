// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// DeadlineTimer: one thread per host that tells calls when their time is over. It starts with the
// first deadline; calls without one cost nothing.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "base/result.h"

namespace mayfly::vmm {

class DeadlineTarget {
 public:
  virtual ~DeadlineTarget() = default;
  // On the timer's thread. generation is the one that arm() was called with.
  virtual void deadline_passed(uint64_t generation) = 0;
  // Whether it is to be told again, kAgainAfter later: what it did may have been lost. Likewise on
  // the timer's thread.
  virtual bool wants_again(uint64_t /*generation*/) const { return false; }
};

// Shareable between threads.
class DeadlineTimer {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kAgainAfter{1};

  DeadlineTimer();
  ~DeadlineTimer();
  DeadlineTimer(const DeadlineTimer&) = delete;
  DeadlineTimer& operator=(const DeadlineTimer&) = delete;

  // Replaces the target's deadline, but for that of a later generation. The target lives until
  // forget() returned.
  // Errors: kHost in a process that was forked from the timer's: its thread did not come along.
  Result<void> arm(DeadlineTarget& target, uint64_t generation, Clock::time_point when);
  // Afterwards the target is not called any more.
  void forget(DeadlineTarget& target);

 private:
  struct Armed {
    Clock::time_point when;
    uint64_t generation;
  };
  void run();
  void insert(DeadlineTarget& target, const Armed& armed);

  const pid_t pid_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<DeadlineTarget*, Armed> armed_;
  std::set<std::pair<Clock::time_point, DeadlineTarget*>> order_;
  Clock::time_point sleeps_until_ = Clock::time_point::min();
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace mayfly::vmm
