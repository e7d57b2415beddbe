// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// RunCounts: what is counted while a sandbox runs. One thread at a time adds, any thread reads.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace mayfly::runtime {

// A number with one writer at a time: no lock of the bus, which an atomic's ++ has.
class OwnCount {
 public:
  void add(uint64_t more) { value_.store(get() + more, std::memory_order_relaxed); }
  uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_ = 0;
};

// Why the guest left its machine.
enum class ExitReason : uint8_t {
  kReturn,
  kGrow,
  kHostCall,
  kWasi,
  kOtherPort,  // clocks, proc_exit, the guest library's end
  kFault,
  kStopped,  // a deadline, an interruption
  kLost,     // the host had no memory for it, or it broke its machine
};
inline constexpr size_t kExitReasons = 8;

struct RunCounts {
  OwnCount calls;
  OwnCount host_calls;
  std::array<OwnCount, kExitReasons> exits;
  OwnCount exitless;  // turns of the host without one
  OwnCount bytes_in;
  OwnCount bytes_out;
  OwnCount guest_ns;  // where EngineOptions::measure_time says so
  OwnCount host_ns;
  OwnCount restores;
  OwnCount pages_copied;

  void add_exit(ExitReason reason) { exits[static_cast<size_t>(reason)].add(1); }
  uint64_t exits_total() const {
    uint64_t total = 0;
    for (const OwnCount& count : exits) total += count.get();
    return total;
  }
};

// Whose time it is, from the outermost call's begin to its end: the guest's, or the host's for it.
class RunClock {
 public:
  explicit RunClock(RunCounts& counts) : counts_(counts) {}
  void start() { last_ = std::chrono::steady_clock::now(); }
  // What passed since the last of these was theirs.
  void was_guest() { counts_.guest_ns.add(passed()); }
  void was_host() { counts_.host_ns.add(passed()); }

 private:
  uint64_t passed() {
    const auto now = std::chrono::steady_clock::now();
    const auto time = std::chrono::duration_cast<std::chrono::nanoseconds>(now - last_);
    last_ = now;
    return static_cast<uint64_t>(time.count());
  }
  RunCounts& counts_;
  std::chrono::steady_clock::time_point last_;
};

}  // namespace mayfly::runtime
