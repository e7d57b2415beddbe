// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A thread's clock has a number of its own, by which other threads read it.
#include "runtime/cpu_limit.h"

#include <pthread.h>

#include <algorithm>

namespace mayfly::runtime {

using std::chrono::steady_clock;

void CpuTime::start(const vmm::Vm& vm) {
  vm_ = &vm;
  clockid_t clock = 0;
  if (::pthread_getcpuclockid(::pthread_self(), &clock) == 0) thread_clock_ = clock;
  started_ = now();
}

std::chrono::nanoseconds CpuTime::now() const {
  timespec time{};
  ::clock_gettime(thread_clock_, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec) +
         vm_->cpu_time();
}

std::chrono::nanoseconds CpuTime::taken() const { return now() - started_; }

Result<void> CpuLimit::begin_call(vmm::DeadlineTimer& timer, std::chrono::nanoseconds time_max) {
  used_up_ = is_over_ = false;
  time_max_ = time_max;
  const auto now = steady_clock::now();
  const auto longest = steady_clock::time_point::max() - now;
  return timer.arm(*this, 0, now + std::min<std::chrono::nanoseconds>(time_max, longest));
}

void CpuLimit::deadline_passed(uint64_t /*generation*/) {
  if (time_.taken() < time_max_) return;
  used_up_ = true;
  is_over_ = end_call_();
}

}  // namespace mayfly::runtime
