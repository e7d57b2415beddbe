// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Targets are called with the timer's lock held, so that forget() is final. A target therefore
// must not call the timer back.
#include "vmm/deadline_timer.h"

#include <unistd.h>
#include <csignal>

#include <string>

namespace mayfly::vmm {

DeadlineTimer::DeadlineTimer() : pid_(::getpid()) {}

DeadlineTimer::~DeadlineTimer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  if (!thread_.joinable()) return;
  if (::getpid() == pid_) {
    thread_.join();
  } else {
    thread_.detach();  // it exists in the parent only
  }
}

Result<void> DeadlineTimer::arm(DeadlineTarget& target, uint64_t generation,
                                Clock::time_point when) {
  if (::getpid() != pid_) {
    return Error{ErrorKind::kHost,
                 "deadlines of process " + std::to_string(pid_) +
                     " do not work in its child; open the host again after fork",
                 0};
  }
  const std::lock_guard lock(mutex_);
  if (!thread_.joinable()) {
    // The thread inherits the mask: an embedder's signals are not for it.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([this] { run(); });
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  insert(target, {when, generation});
  if (when < sleeps_until_) changed_.notify_one();
  return {};
}

void DeadlineTimer::insert(DeadlineTarget& target, const Armed& armed) {
  const auto [entry, is_new] = armed_.try_emplace(&target, armed);
  if (!is_new) {
    if (entry->second.generation > armed.generation) return;
    order_.erase({entry->second.when, &target});
    entry->second = armed;
  }
  order_.insert({armed.when, &target});
}

void DeadlineTimer::forget(DeadlineTarget& target) {
  // In a forked process nobody calls it, and the lock may be that of the thread that did.
  if (::getpid() != pid_) return;
  const std::lock_guard lock(mutex_);
  const auto entry = armed_.find(&target);
  if (entry == armed_.end()) return;
  order_.erase({entry->second.when, &target});
  armed_.erase(entry);
}

void DeadlineTimer::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (order_.empty()) {
      sleeps_until_ = Clock::time_point::max();
      changed_.wait(lock);
      continue;
    }
    const auto [when, target] = *order_.begin();
    if (Clock::now() < when) {
      sleeps_until_ = when;
      changed_.wait_until(lock, when);
      continue;
    }
    const uint64_t generation = armed_.at(target).generation;
    order_.erase(order_.begin());
    armed_.erase(target);
    target->deadline_passed(generation);
    if (target->wants_again(generation)) {
      insert(*target, {Clock::now() + kAgainAfter, generation});
    }
  }
}

}  // namespace mayfly::vmm
