// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sandboxes are made, reset and destroyed outside the lock; under it, they only change hands.
#include "runtime/pool_state.h"

#include <algorithm>
#include <utility>

namespace mayfly::runtime {

Result<std::shared_ptr<PoolState>> PoolState::create(
    std::shared_ptr<EngineState> engine, std::shared_ptr<const SandboxSnapshot> snapshot,
    SandboxConfig config, const PoolOptions& options, SandboxPtr first) {
  if (options.size_max == 0 || options.size_min > options.size_max) {
    return invalid("a pool of " + std::to_string(options.size_min) + " to " +
                   std::to_string(options.size_max) +
                   " sandboxes: size_max has to be at least 1 and at least size_min");
  }
  auto pool = std::make_shared<PoolState>(std::move(engine), std::move(snapshot), std::move(config),
                                          options);
  const auto now = Clock::now();
  if (first != nullptr) {
    pool->idle_.push_back({std::move(first), std::this_thread::get_id(), now});
    ++pool->created_;
  }
  while (pool->idle_.size() < options.size_min) {
    pool->idle_.push_back({MAYFLY_TRY(pool->make()), std::this_thread::get_id(), now});
    ++pool->created_;
  }
  pool->live_ = pool->idle_.size();
  return pool;
}

Result<PoolState::SandboxPtr> PoolState::make() const {
  auto sandbox = MAYFLY_TRY(SandboxState::create(engine_, snapshot_->program, config_));
  MAYFLY_TRY(sandbox->restore(snapshot_));
  MAYFLY_TRY(sandbox->keep_first(snapshot_));
  return sandbox;
}

// For a place that live_ counts already.
Result<PoolState::SandboxPtr> PoolState::make_counted() {
  auto made = make();
  const std::lock_guard lock(mutex_);
  if (made) {
    ++created_;
    ++acquired_;
  } else {
    place_left();
  }
  return made;
}

// Under the lock: a place is free for another sandbox.
void PoolState::place_left() {
  if (waiters_.empty()) {
    --live_;
    return;
  }
  Waiter& next = *waiters_.front();
  waiters_.pop_front();
  next.may_make = true;
  next.served.notify_one();
}

// Under the lock. One that this thread had last, if there is one: another thread's machine costs
// up to 10 ms on some kernels. Else the one that was used last.
PoolState::SandboxPtr PoolState::take_idle() {
  const auto self = std::this_thread::get_id();
  auto found = std::find_if(idle_.rbegin(), idle_.rend(),
                            [&](const Idle& idle) { return idle.thread == self; });
  if (found == idle_.rend()) found = idle_.rbegin();
  SandboxPtr sandbox = std::move(found->sandbox);
  idle_.erase(std::next(found).base());
  ++acquired_;
  return sandbox;
}

Result<PoolState::SandboxPtr> PoolState::acquire(std::chrono::nanoseconds wait) {
  MAYFLY_TRY(engine_->check_process());
  Lock lock(mutex_);
  if (!idle_.empty()) return take_idle();
  if (live_ < options_.size_max) {
    ++live_;
    lock.unlock();
    return make_counted();
  }
  auto served = MAYFLY_TRY(queue(std::move(lock), wait));
  if (served != nullptr) return served;
  return make_counted();
}

// nullptr: there is a place for a new one.
Result<PoolState::SandboxPtr> PoolState::queue(Lock lock, std::chrono::nanoseconds wait) {
  const TraceSpan span(*engine_, "queue");
  const auto begin = Clock::now();
  auto served = wait_for_one(std::move(lock), wait);
  engine_->counters().queue_ns += static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - begin).count());
  return served;
}

// Leaves the lock before it returns: who is told of the time may call back.
Result<PoolState::SandboxPtr> PoolState::wait_for_one(Lock lock, std::chrono::nanoseconds wait) {
  Waiter self;
  waiters_.push_back(&self);
  const auto is_served = [&] { return self.sandbox != nullptr || self.may_make; };
  self.served.wait_for(lock, std::min<std::chrono::nanoseconds>(wait, std::chrono::hours(24)),
                       is_served);
  if (self.sandbox != nullptr) {
    ++acquired_;
    return std::move(self.sandbox);
  }
  if (self.may_make) return SandboxPtr();
  waiters_.remove(&self);
  return Error{ErrorKind::kTimeout,
               "all " + std::to_string(options_.size_max) +
                   " sandboxes of the pool were in use for " +
                   std::to_string(wait.count() / 1'000'000) + " ms, with " +
                   std::to_string(waiters_.size()) + " more waiting",
               0};
}

void PoolState::give_back(SandboxPtr sandbox) {
  // A function or a memory of it that is still held would reach the next owner.
  const bool is_held = sandbox != nullptr && sandbox.use_count() > 1;
  const bool is_good = sandbox != nullptr && !is_held && sandbox->reset().has_value() &&
                       sandbox->set_limits(config_.limits).has_value();
  std::deque<Idle> old;
  {
    const std::lock_guard lock(mutex_);
    const auto now = Clock::now();
    if (!is_good) {
      ++dropped_;
      place_left();
    } else if (!waiters_.empty()) {
      Waiter& next = *waiters_.front();
      waiters_.pop_front();
      next.sandbox = std::move(sandbox);
      next.served.notify_one();
    } else {
      idle_.push_back({std::move(sandbox), std::this_thread::get_id(), now});
    }
    old = take_old(now);
  }
}

// Under the lock: what has been idle for too long, to be destroyed outside it.
std::deque<PoolState::Idle> PoolState::take_old(Clock::time_point now) {
  std::deque<Idle> old;
  while (live_ > options_.size_min && !idle_.empty() &&
         now - idle_.front().since >= options_.idle_time) {
    old.push_back(std::move(idle_.front()));
    idle_.pop_front();
    --live_;
  }
  return old;
}

PoolUsage PoolState::usage() const {
  const std::lock_guard lock(mutex_);
  return {idle_.size(), live_ - idle_.size(), waiters_.size(), acquired_, created_, dropped_};
}

}  // namespace mayfly::runtime
