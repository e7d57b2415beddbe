// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kick: ends the call that one vCPU thread is in, from another thread, and never a later call. Or
// has it leave the guest for a moment, to look at it.
// A kick is repeated until the thread has left the guest: kvm_pvm, on a host with more threads than
// processors, can go on in KVM_RUN after the signal was handled.
// Invariant: immediate_exit, the thread and the call's generation change under one lock.
#pragma once

#include <pthread.h>

#include <cstdint>
#include <mutex>
#include <optional>

#include "base/quick_lock.h"
#include "vmm/deadline_timer.h"

namespace mayfly::vmm {

class Kick : public DeadlineTarget {
 public:
  enum class Reason : uint8_t { kNone, kDeadline, kCancelled };

  explicit Kick(int signal) : signal_(signal) {}

  // immediate_exit is kvm_run's: 1 makes KVM_RUN return at once. It outlives the calls.
  void attach(uint8_t* immediate_exit) { immediate_exit_ = immediate_exit; }

  // A call, from enter() to its end; returns its generation.
  uint64_t begin_call();
  void end_call();
  // That called enter_guest() last. For who runs no call.
  std::optional<pthread_t> thread() const {
    return has_thread_ ? std::optional(thread_) : std::nullopt;
  }
  // The generation of the call in progress.
  std::optional<uint64_t> generation() const;

  // Around KVM_RUN, on the thread that calls it. leave_guest() says why the call is to end.
  void enter_guest();
  Reason leave_guest();

  // Why the call in progress is to end. Any thread.
  Reason reason() const;
  // Makes the vCPU thread leave the guest once, whether there is a call or not, and ends none.
  void nudge();

  void deadline_passed(uint64_t generation) override;
  bool wants_again(uint64_t generation) const override;
  // The generation of the call that it cancelled, if one was in progress.
  std::optional<uint64_t> cancel();

  // One look at the call in progress is wanted.
  void want_look();
  // If one is, has the call of this generation leave the guest, and go on.
  void ask_to_look(uint64_t generation);
  bool waits_for_look(uint64_t generation) const;
  // Whether that was asked for; not again, then. Between leave_guest() and enter_guest().
  bool take_look();

 private:
  void kick_locked(Reason reason);

  const int signal_;
  mutable QuickLock mutex_;
  uint8_t* immediate_exit_ = nullptr;
  uint64_t generation_ = 0;
  bool in_call_ = false;
  bool in_guest_ = false;
  bool has_thread_ = false;
  pthread_t thread_{};
  Reason reason_ = Reason::kNone;
  enum class Look : uint8_t { kNone, kWanted, kAsked };
  Look look_ = Look::kNone;
};

// The moment at which a call is to be looked at.
class LookTime final : public DeadlineTarget {
 public:
  explicit LookTime(Kick& kick) : kick_(kick) {}
  void deadline_passed(uint64_t generation) override { kick_.ask_to_look(generation); }
  bool wants_again(uint64_t generation) const override { return kick_.waits_for_look(generation); }

 private:
  Kick& kick_;
};

}  // namespace mayfly::vmm
