// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Exitless: the host's side of calls for which the guest does not leave its machine. The vCPU runs
// on a thread of its own; caller and guest take turns through the call page's two lines.
//
//   the caller                           the guest, on the vCPU's thread
//   post(command): turn = n        ->    polls, sees n, runs
//   polls, sees n                  <-    answers: port, turn = n; polls
//                                        nothing for spin_time: leaves; the thread sleeps
//   finds it out: enters it anew   ->    KVM_RUN
//   nothing for spin_time: sleeps        answers, finds the caller asleep: leaves, which wakes it
//
// The guest writes both lines as it likes. So it can fool itself, and end a call with what the call
// page holds; the number keeps an answer from any other call. Who polls or sleeps for it does so
// within the call's deadline, and a guest that stays in when no call waits for it is made to leave.
//
// Where polling is not worth it (SpinChoice) a call rests: nobody polls, the guest answers by
// leaving, and the caller runs the vCPU itself once it is out, where a vCPU may change threads.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/result.h"
#include "guest_abi/call_page.h"
#include "vmm/deadline_timer.h"
#include "vmm/kick.h"
#include "vmm/kvm_vcpu.h"
#include "vmm/spin_choice.h"
#include "vmm/vcpu_thread.h"
#include "vmm/vm.h"

namespace mayfly::vmm {

// Threads: one at a time, but for cpu_time().
class Exitless final : public DeadlineTarget {
  struct Private {
    explicit Private() = default;
  };

 public:
  using Clock = DeadlineTimer::Clock;
  // kByExit: the guest answers by leaving only.
  enum class Answers : uint8_t { kPolled, kByExit };
  struct Seen {
    enum class Kind : uint8_t {
      kAnswer,  // to the last post(), at `port`; the guest polls
      kOut,     // the guest left; why is to be looked at
      kLate,    // the moment came
      kForked,  // this process is not the guest's, but a copy of it
    };
    Kind kind;
    uint32_t port = 0;
  };

  struct Options {
    std::chrono::nanoseconds spin_time{0};
    bool moves_freely = false;  // whether the vCPU may change threads at no cost
  };

  // All outlive it. Errors: kHost, without a thread.
  static Result<std::unique_ptr<Exitless>> create(Vcpu& vcpu, Kick& kick, DeadlineTimer& timer,
                                                  guest_abi::CallPage& page,
                                                  const Options& options);
  // Use create().
  Exitless(Private, Vcpu& vcpu, Kick& kick, DeadlineTimer& timer, guest_abi::CallPage& page,
           const Options& options);
  ~Exitless() override;

  // A call that is not inside another: whether it rests.
  void begin_call() { choice_.next_call(); }
  // Whether go() takes the caller's thread, which then cannot look at the clock.
  bool runs_here() const { return moves_freely_ && !choice_.polls(); }
  // After each turn: whether it took no exit and no entry.
  void note_turn(bool is_exitless) { is_exitless ? choice_.hit() : choice_.miss(); }

  // The next command, under a new number. A guest that polls acts on it.
  void post(guest_abi::SpinCommand command, const Entry& entry, Answers answers);
  // For an answer to the last post() or for the guest to leave: polls, then sleeps.
  Seen wait(std::optional<Clock::time_point> until);
  // Whether the number is that of the last post().
  bool is_newest(uint64_t number) const { return number == turn_.load(std::memory_order_relaxed); }

  // KVM_RUN of the vCPU that is out. It is out again afterwards if it runs_here().
  void go();
  int errno_value() const { return thread_->errno_value(); }
  // The vCPU is out and what it left with was dealt with: it can be entered anew.
  bool is_settled() const { return is_settled_; }
  void settle() { is_settled_ = true; }
  // Makes the guest leave, whatever it does.
  void bring_out();
  // Of the vCPU's thread. Any thread.
  std::chrono::nanoseconds cpu_time() const { return thread_->cpu_time(); }

  // The watch over a guest that polls.
  void deadline_passed(uint64_t generation) override;
  bool wants_again(uint64_t /*generation*/) const override { return watch_goes_on_; }

 private:
  bool has_answer() const;
  bool poll(std::optional<Clock::time_point> until) const;
  void watch();
  bool needs_watch() const;

  Kick& kick_;
  DeadlineTimer& timer_;
  guest_abi::CallPage& page_;
  const std::chrono::nanoseconds spin_time_;
  const bool moves_freely_;
  const uint64_t spin_ticks_;
  const pid_t pid_;
  SpinChoice choice_;
  Answers answers_ = Answers::kByExit;
  bool is_settled_ = true;
  bool is_entering_ = false;  // since the last post()
  std::atomic<uint32_t> turn_ = 0;

  // Invariant: whoever makes needs_watch() true looks at is_watched_ afterwards, and whoever makes
  // is_watched_ false looks at needs_watch() afterwards.
  std::atomic<bool> guest_has_turn_ = false;
  std::atomic<bool> is_watched_ = false;
  // On the timer's thread.
  bool watch_goes_on_ = false;
  uint32_t turn_seen_ = 0;
  Clock::time_point turn_seen_since_;

  std::unique_ptr<VcpuThread> thread_;
};

}  // namespace mayfly::vmm
