// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ending a call from another thread: its owner's, or a timer's.
#include <unistd.h>

#include <utility>

#include "runtime/sandbox_state.h"

namespace mayfly::runtime {

bool SandboxState::stop_call() {
  if (interrupt_event_.valid()) {
    const uint64_t one = 1;
    static_cast<void>(::write(interrupt_event_.get(), &one, sizeof one));
  }
  {
    const std::lock_guard lock(stop_mutex_);
    if (stop_) stop_->request_stop();
  }
  return !is_frozen_ && runner_->cancel();
}

// At a call's begin: what came for the last one.
void SandboxState::take_back_stop() {
  if (!interrupted_.load(std::memory_order_relaxed) && !cpu_limit_.is_used_up()) return;
  interrupted_ = false;
  cpu_limit_.forget_end();
  uint64_t count = 0;
  if (interrupt_event_.valid()) {
    static_cast<void>(::read(interrupt_event_.get(), &count, sizeof count));
  }
}

// The machine knows of a call a little later than the sandbox, and one that is frozen has to be
// made first: an interruption in between is not lost, but waits for it.
void SandboxState::interrupt() {
  constexpr std::chrono::microseconds kUntilTheMachineKnows{20};
  ++interrupters_;
  // Who comes second leaves it to the first: a crowd must not keep the call from its end.
  if (in_call_ && !interrupted_.exchange(true)) {
    while (!stop_call() && in_call_) std::this_thread::sleep_for(kUntilTheMachineKnows);
  }
  --interrupters_;
}

void SandboxState::StopAtDeadline::deadline_passed(uint64_t /*call*/) {
  const std::lock_guard lock(state_.stop_mutex_);
  if (state_.stop_) state_.stop_->request_stop();
}

std::stop_token SandboxState::stop_token() {
  {
    const std::lock_guard lock(stop_mutex_);
    if (stop_) return stop_->get_token();
    stop_.emplace();
    has_stop_ = true;
    if (interrupted_) stop_->request_stop();
  }
  // Without the lock, which the timer's thread takes while it holds its own.
  const bool is_armed =
      !deadline_ || engine_->stop_timer().arm(stop_at_deadline_, 0, *deadline_).has_value();
  const std::lock_guard lock(stop_mutex_);
  if (!is_armed) stop_->request_stop();  // no timer in this process: rather now than never
  return stop_->get_token();
}

}  // namespace mayfly::runtime
