// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A kick sets immediate_exit first and sends the signal then: whether the thread is about to
// enter the guest or inside it, KVM_RUN returns EINTR.
#include "vmm/kick.h"

#include <csignal>

#include "vmm/kick_signal.h"

namespace mayfly::vmm {

uint64_t Kick::begin_call() {
  const std::lock_guard lock(mutex_);
  in_call_ = true;
  reason_ = Reason::kNone;
  look_ = Look::kNone;
  __atomic_store_n(immediate_exit_, uint8_t{0}, __ATOMIC_RELAXED);
  return ++generation_;
}

void Kick::end_call() {
  const std::lock_guard lock(mutex_);
  in_call_ = false;
}

std::optional<uint64_t> Kick::generation() const {
  const std::lock_guard lock(mutex_);
  if (!in_call_) return std::nullopt;
  return generation_;
}

void Kick::enter_guest() {
  const pthread_t self = ::pthread_self();
  const std::lock_guard lock(mutex_);
  if (!has_thread_ || ::pthread_equal(self, thread_) == 0) {
    unblock_kick_signal(signal_);
    thread_ = self;
    has_thread_ = true;
  }
  // What is left of a nudge.
  if (reason_ == Reason::kNone && look_ != Look::kAsked) {
    __atomic_store_n(immediate_exit_, uint8_t{0}, __ATOMIC_RELAXED);
  }
  in_guest_ = true;
}

Kick::Reason Kick::leave_guest() {
  const std::lock_guard lock(mutex_);
  in_guest_ = false;
  return reason_;
}

Kick::Reason Kick::reason() const {
  const std::lock_guard lock(mutex_);
  return reason_;
}

void Kick::nudge() {
  const std::lock_guard lock(mutex_);
  if (!in_guest_) return;
  __atomic_store_n(immediate_exit_, uint8_t{1}, __ATOMIC_RELAXED);
  ::pthread_kill(thread_, signal_);
}

void Kick::deadline_passed(uint64_t generation) {
  const std::lock_guard lock(mutex_);
  if (in_call_ && generation == generation_) kick_locked(Reason::kDeadline);
}

bool Kick::wants_again(uint64_t generation) const {
  const std::lock_guard lock(mutex_);
  return in_call_ && in_guest_ && generation == generation_;
}

std::optional<uint64_t> Kick::cancel() {
  const std::lock_guard lock(mutex_);
  if (!in_call_) return std::nullopt;
  kick_locked(Reason::kCancelled);
  return generation_;
}

void Kick::want_look() {
  const std::lock_guard lock(mutex_);
  look_ = Look::kWanted;
}

void Kick::ask_to_look(uint64_t generation) {
  const std::lock_guard lock(mutex_);
  if (!in_call_ || generation != generation_ || look_ == Look::kNone) return;
  look_ = Look::kAsked;
  kick_locked(Reason::kNone);
}

bool Kick::waits_for_look(uint64_t generation) const {
  const std::lock_guard lock(mutex_);
  return in_call_ && in_guest_ && look_ == Look::kAsked && generation == generation_;
}

bool Kick::take_look() {
  const std::lock_guard lock(mutex_);
  if (look_ != Look::kAsked) return false;
  look_ = Look::kNone;
  if (reason_ == Reason::kNone) __atomic_store_n(immediate_exit_, uint8_t{0}, __ATOMIC_RELAXED);
  return true;
}

void Kick::kick_locked(Reason reason) {
  if (reason_ == Reason::kNone) reason_ = reason;
  __atomic_store_n(immediate_exit_, uint8_t{1}, __ATOMIC_RELAXED);
  if (in_guest_) ::pthread_kill(thread_, signal_);
}

}  // namespace mayfly::vmm
