// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// CpuTime: the processor's time that a call takes, on the calling thread and in the guest's own
// process, readable from any thread. CpuLimit: ends a call that took too much of it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <functional>
#include <utility>

#include "base/result.h"
#include "vmm/deadline_timer.h"
#include "vmm/vm.h"

namespace mayfly::runtime {

class CpuTime {
 public:
  // From now on, of this thread and the Vm, which outlives the readings.
  void start(const vmm::Vm& vm);
  // Since start(). Threads: any.
  std::chrono::nanoseconds taken() const;

 private:
  std::chrono::nanoseconds now() const;

  const vmm::Vm* vm_ = nullptr;
  clockid_t thread_clock_ = CLOCK_THREAD_CPUTIME_ID;
  std::chrono::nanoseconds started_{0};
};

// A call takes no more processor time than time passes: nobody looks before the limit has passed,
// and then the timer looks every millisecond.
class CpuLimit final : public vmm::DeadlineTarget {
 public:
  // The time outlives this. end_call, on the timer's thread: ends the call in progress; false:
  // there is none that could be ended yet.
  CpuLimit(const CpuTime& time, std::function<bool()> end_call)
      : time_(time), end_call_(std::move(end_call)) {}

  // After time.start(). Errors: kHost, of the timer.
  Result<void> begin_call(vmm::DeadlineTimer& timer, std::chrono::nanoseconds time_max);
  void end_call(vmm::DeadlineTimer& timer) { timer.forget(*this); }
  void forget_end() { used_up_ = false; }
  // Whether it ended this call.
  bool is_used_up() const { return used_up_.load(std::memory_order_relaxed); }

  void deadline_passed(uint64_t generation) override;
  bool wants_again(uint64_t /*generation*/) const override { return !is_over_; }

 private:
  const CpuTime& time_;
  const std::function<bool()> end_call_;
  std::chrono::nanoseconds time_max_{0};  // changes only while the timer does not know this
  bool is_over_ = false;                  // likewise, or on the timer's thread
  std::atomic<bool> used_up_ = false;
};

}  // namespace mayfly::runtime
