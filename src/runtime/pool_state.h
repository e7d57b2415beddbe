// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// PoolState: idle sandboxes in one state, and who waits for one.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <thread>

#include "base/quick_lock.h"
#include "base/result.h"
#include "mayfly/pool.h"
#include "runtime/sandbox_state.h"

namespace mayfly::runtime {

// Shareable between threads. What is only read lies in other lines of the processor's cache than
// the count of owners before it and the lock behind it, which every thread writes.
class alignas(64) PoolState {
 public:
  using SandboxPtr = std::shared_ptr<SandboxState>;

  // Makes options.size_min sandboxes, `first` among them unless it is null.
  // Errors: kInvalid for sizes that cannot be; those of SandboxState::create() and restore().
  static Result<std::shared_ptr<PoolState>> create(std::shared_ptr<EngineState> engine,
                                                   std::shared_ptr<const SandboxSnapshot> snapshot,
                                                   SandboxConfig config, const PoolOptions& options,
                                                   SandboxPtr first);
  PoolState(std::shared_ptr<EngineState> engine, std::shared_ptr<const SandboxSnapshot> snapshot,
            SandboxConfig config, const PoolOptions& options)
      : engine_(std::move(engine)),
        snapshot_(std::move(snapshot)),
        config_(std::move(config)),
        options_(options) {}

  Result<SandboxPtr> acquire(std::chrono::nanoseconds wait);
  // Resets it first. nullptr: the sandbox that was acquired is lost.
  void give_back(SandboxPtr sandbox);
  PoolUsage usage() const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Idle {
    SandboxPtr sandbox;
    std::thread::id thread;  // that used it last
    Clock::time_point since;
  };
  // Somebody in acquire(), who is given a sandbox, or the right to make one.
  struct Waiter {
    std::condition_variable_any served;
    SandboxPtr sandbox;
    bool may_make = false;
  };
  using Lock = std::unique_lock<QuickLock>;
  Result<SandboxPtr> queue(Lock lock, std::chrono::nanoseconds wait);
  Result<SandboxPtr> wait_for_one(Lock lock, std::chrono::nanoseconds wait);
  Result<SandboxPtr> make() const;
  Result<SandboxPtr> make_counted();
  SandboxPtr take_idle();
  void place_left();
  std::deque<Idle> take_old(Clock::time_point now);

  const std::shared_ptr<EngineState> engine_;
  const std::shared_ptr<const SandboxSnapshot> snapshot_;
  const SandboxConfig config_;
  const PoolOptions options_;

  alignas(64) mutable QuickLock mutex_;
  std::deque<Idle> idle_;       // the longest idle first
  std::list<Waiter*> waiters_;  // the longest waiting first
  size_t live_ = 0;             // idle and in use
  uint64_t acquired_ = 0;
  uint64_t created_ = 0;
  uint64_t dropped_ = 0;
};

}  // namespace mayfly::runtime
