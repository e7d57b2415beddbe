// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// BlockingPool: threads for host functions that may hang, so that a call can end at its deadline
// while its function still runs.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>

#include "base/result.h"

namespace mayfly::runtime {

// Shareable between threads.
class BlockingPool {
 public:
  enum class End : uint8_t { kDone, kDeadline, kStopped };

  explicit BlockingPool(uint32_t threads_max);
  // Does not wait for jobs that still run: they keep what they need, and their threads end then.
  ~BlockingPool();
  BlockingPool(const BlockingPool&) = delete;
  BlockingPool& operator=(const BlockingPool&) = delete;

  // Runs the job on a thread of the pool, which is started when none is free and fewer than
  // threads_max are there; else the job waits for one. Unless kDone, the job may still run, or it
  // never will. It owns what it uses.
  // Errors: kHost when not even one thread can be started.
  Result<End> run(std::function<void()> job,
                  std::optional<std::chrono::steady_clock::time_point> deadline,
                  const std::stop_token& stop);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace mayfly::runtime
