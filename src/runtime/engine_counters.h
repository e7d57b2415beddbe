// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// EngineCounters: what an engine counts, in relaxed atomics, and the names under which it tells.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <set>
#include <vector>

#include "mayfly/engine.h"
#include "runtime/call_outcome.h"
#include "runtime/run_counts.h"

namespace mayfly::runtime {

// Shareable between threads.
struct EngineCounters {
  using Count = std::atomic<uint64_t>;
  static constexpr size_t kTrapCodes = 17;  // by guest_abi::TrapCode

  Count programs = 0;
  Count compilations = 0;
  Count compile_ns = 0;
  Count image_hits = 0;
  Count cache_hits = 0;
  Count sandboxes = 0;
  Count sandboxes_live = 0;
  Count sandboxes_frozen = 0;
  std::array<Count, kTrapCodes> traps{};
  Count exited = 0;
  Count deadlines = 0;
  Count cancelled = 0;
  Count out_of_fuel = 0;
  Count out_of_memory = 0;
  Count limits = 0;
  Count host_errors = 0;
  Count snapshots = 0;
  Count freezes = 0;
  Count thaws = 0;
  Count queue_ns = 0;

  // A sandbox's counts, from its begin to its end.
  void attach(const RunCounts& counts);
  void detach(const RunCounts& counts);
  void add_end(const CallOutcome& outcome);
  std::vector<Counter> read() const;

 private:
  static constexpr size_t kRunCounters = 10 + kExitReasons;
  using RunTotals = std::array<uint64_t, kRunCounters>;
  static void add(const RunCounts& counts, RunTotals& totals);
  RunTotals run_totals() const;

  mutable std::mutex mutex_;
  std::set<const RunCounts*> live_;
  RunTotals ended_{};  // of sandboxes that are gone
};

}  // namespace mayfly::runtime
