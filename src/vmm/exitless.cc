// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every word that both sides use is read and written as an atomic of its own; the numbers carry
// the order: what was written before a turn is there for who sees it.
#include "vmm/exitless.h"

#include <unistd.h>

#include <algorithm>

#include "vmm/spin_x86_64.h"

namespace mayfly::vmm {
namespace {

constexpr auto kLeaveTime = std::chrono::microseconds(100);
// To wake the vCPU's thread and to enter the guest, on top of the polling. On some machines that
// alone takes longer than the guest is polled for, so that no turn would ever be seen.
constexpr auto kEntryTime = std::chrono::microseconds(200);
constexpr auto kWatchAfter = DeadlineTimer::kAgainAfter;

template <typename T>
void put(T& word, T value, std::memory_order order = std::memory_order_relaxed) {
  std::atomic_ref(word).store(value, order);
}

}  // namespace

Result<std::unique_ptr<Exitless>> Exitless::create(Vcpu& vcpu, Kick& kick, DeadlineTimer& timer,
                                                   guest_abi::CallPage& page,
                                                   const Options& options) {
  auto result = std::make_unique<Exitless>(Private(), vcpu, kick, timer, page, options);
  MAYFLY_TRY(result->thread_->start());
  return result;
}

Exitless::Exitless(Private, Vcpu& vcpu, Kick& kick, DeadlineTimer& timer, guest_abi::CallPage& page,
                   const Options& options)
    : kick_(kick),
      timer_(timer),
      page_(page),
      spin_time_(options.spin_time),
      moves_freely_(options.moves_freely),
      spin_ticks_(ticks_of(options.spin_time)),
      pid_(::getpid()),
      thread_(std::make_unique<VcpuThread>(vcpu, kick)) {}

Exitless::~Exitless() {
  timer_.forget(*this);
  if (::getpid() == pid_) {
    bring_out();
  } else {
    // The thread exists in the parent only.
    [[maybe_unused]] const VcpuThread* const left = thread_.release();
  }
}

void Exitless::post(guest_abi::SpinCommand command, const Entry& entry, Answers answers) {
  guest_abi::HostLine& line = page_.host_line;
  answers_ = choice_.polls() ? answers : Answers::kByExit;
  is_entering_ = false;
  guest_has_turn_.store(true, std::memory_order_relaxed);
  uint32_t turn = turn_.load(std::memory_order_relaxed) + 1;
  if (turn == 0) turn = 1;  // a line of zeros answers nothing
  turn_.store(turn, std::memory_order_relaxed);
  put(line.command, command);
  put(line.thunk, entry.thunk);
  put(line.function, entry.function);
  put(line.spin_ticks, answers_ == Answers::kPolled ? spin_ticks_ : 0);
  put(line.is_asleep, uint32_t{0});
  put(line.turn, turn, std::memory_order_release);
}

bool Exitless::has_answer() const {
  const auto turn = std::atomic_ref(page_.guest_line.turn).load(std::memory_order_acquire);
  return answers_ == Answers::kPolled && is_newest(turn);
}

// Whether there is anything to be seen.
bool Exitless::poll(std::optional<Clock::time_point> until) const {
  if (!choice_.polls()) return false;
  auto end = Clock::now() + spin_time_ + (is_entering_ ? kEntryTime : Clock::duration(0));
  if (until.has_value()) end = std::min(end, *until);
  return poll_until(end, [this] { return thread_->is_out() || has_answer(); });
}

Exitless::Seen Exitless::wait(std::optional<Clock::time_point> until) {
  if (!thread_->is_out() && !poll(until)) {
    // Either this finds the answer, or the guest finds that the host is asleep.
    put(page_.host_line.is_asleep, uint32_t{1}, std::memory_order_seq_cst);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (::getpid() != pid_) return {Seen::Kind::kForked};
    if (!has_answer()) thread_->wait_out(until);
  }
  if (thread_->is_out()) return {Seen::Kind::kOut};
  if (!has_answer()) return {Seen::Kind::kLate};
  const Seen seen{Seen::Kind::kAnswer,
                  std::atomic_ref(page_.guest_line.port).load(std::memory_order_relaxed)};
  watch();
  return seen;
}

void Exitless::go() {
  is_settled_ = false;
  is_entering_ = true;
  if (runs_here()) {
    thread_->run_here();
  } else {
    thread_->go();
  }
}

void Exitless::bring_out() {
  if (thread_->is_out()) return;
  post(guest_abi::SpinCommand::kLeave, {}, Answers::kByExit);
  poll_until(Clock::now() + kLeaveTime, [this] { return thread_->is_out(); });
  while (!thread_->is_out()) {
    kick_.nudge();
    thread_->wait_out(Clock::now() + DeadlineTimer::kAgainAfter);
  }
}

bool Exitless::needs_watch() const { return !guest_has_turn_ && !thread_->is_out(); }

// A guest of ours leaves by itself. The timer looks after any other, but not at each call: only
// every now and then, while there are calls.
void Exitless::watch() {
  guest_has_turn_ = false;
  if (is_watched_) return;
  is_watched_ = true;
  // It fails only in a process that was forked, which has no guest.
  static_cast<void>(timer_.arm(*this, 0, Clock::now() + kWatchAfter));
}

void Exitless::deadline_passed(uint64_t /*generation*/) {
  watch_goes_on_ = needs_watch();
  if (!watch_goes_on_) {
    is_watched_ = false;
    watch_goes_on_ = needs_watch();
    if (!watch_goes_on_) return;
    is_watched_ = true;
  }
  const uint32_t turn = turn_.load(std::memory_order_relaxed);
  const auto now = Clock::now();
  if (turn != turn_seen_) {
    turn_seen_ = turn;
    turn_seen_since_ = now;
  } else if (now - turn_seen_since_ > 2 * spin_time_) {
    kick_.nudge();
  }
}

}  // namespace mayfly::vmm
