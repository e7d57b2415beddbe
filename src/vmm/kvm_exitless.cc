// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// KvmVm's calls through an Exitless. A command reaches the guest by memory where it polls, and by
// its registers where it is out. Whether a guest that left had seen the command, it says itself:
// the exit of the ports that are served without one has the number that it answers in r8.
#include <cerrno>

#include "guest_abi/ports.h"
#include "vmm/kvm_vm.h"

namespace mayfly::vmm {

using guest_abi::SpinCommand;

std::optional<DeadlineTimer::Clock::time_point> KvmVm::deadline_in_force() const {
  return environment_.weakness == Weakness::kNoDeadline ? std::nullopt : deadline_;
}

// The guest's next answer or exit, which is not finished yet.
Result<Exit> KvmVm::wait_for_guest() {
  auto until = deadline_in_force();
  for (;;) {
    const Exitless::Seen seen = exitless_->wait(until);
    switch (seen.kind) {
      case Exitless::Seen::Kind::kAnswer: {
        Exit exit{Exit::Kind::kPort};
        exit.port = seen.port;
        exit.is_exitless = true;
        return exit;
      }
      case Exitless::Seen::Kind::kLate:
        kick_.deadline_passed(*kick_.generation());
        until = DeadlineTimer::Clock::now() + DeadlineTimer::kAgainAfter;
        break;
      case Exitless::Seen::Kind::kForked:
        return run_error(EIO);
      case Exitless::Seen::Kind::kOut: {
        if (exitless_->errno_value() == 0 && is_port()) {
          exitless_->settle();
          return Exit{Exit::Kind::kPort, static_cast<uint32_t>(vcpu_->registers().rdi)};
        }
        auto exit = MAYFLY_TRY(after_run(exitless_->errno_value(), kick_.reason()));
        if (exit.has_value()) {
          exitless_->settle();
          return *std::move(exit);
        }
        exitless_->go();
        break;
      }
    }
  }
}

Result<Exit> KvmVm::exchange(SpinCommand command, const Entry& entry, uint64_t stack_top) {
  const auto enter_anew = [&] {
    if (command == SpinCommand::kEnter) vcpu_->set_entry(entry, memory_->root_gpa(), stack_top);
    exitless_->go();
  };
  if (const auto deadline = deadline_in_force();
      deadline.has_value() && *deadline <= DeadlineTimer::Clock::now()) {
    return finish(exitless_->is_settled() ? interrupted(Kick::Reason::kDeadline)
                                          : Exit{Exit::Kind::kDeadline});
  }
  bool has_entered = exitless_->is_settled();
  exitless_->post(command, entry,
                  waiting_.empty() ? Exitless::Answers::kPolled : Exitless::Answers::kByExit);
  if (has_entered) enter_anew();
  for (;;) {
    Exit exit = MAYFLY_TRY(wait_for_guest());
    const bool is_served =
        exit.kind == Exit::Kind::kPort && !exit.is_exitless &&
        (exit.port == guest_abi::kSpinPorts[0] || exit.port == guest_abi::kSpinPorts[1]);
    if (has_entered || !is_served || exitless_->is_newest(vcpu_->registers().r8)) {
      exitless_->note_turn(exit.is_exitless && !has_entered);
      return finish(std::move(exit));
    }
    has_entered = true;
    enter_anew();
  }
}

// Makes the guest wait at its port outside, as after any other exit. Else how the call ended.
Result<std::optional<Exit>> KvmVm::leave_at_port() {
  if (exitless_->is_settled()) return std::optional<Exit>();
  exitless_->post(SpinCommand::kLeave, {}, Exitless::Answers::kByExit);
  Exit exit = MAYFLY_TRY(wait_for_guest());
  if (exit.kind == Exit::Kind::kPort) return std::optional<Exit>();
  return std::optional(finish(std::move(exit)));
}

void KvmVm::hold_guest() {
  if (exitless_ != nullptr) exitless_->bring_out();
}

// The guest is out, and nothing of what it was at can go on.
Result<void> KvmVm::drop_exit() {
  if (exitless_ == nullptr) return {};
  exitless_->bring_out();
  if (exitless_->is_settled()) return {};
  exitless_->settle();
  const int errno_value = exitless_->errno_value();
  if (errno_value == 0 && is_port()) return {};
  // Wherever it is, at CPL 0 too: the next call starts as the first.
  vcpu_->forget_system_state();
  if (errno_value == EINTR || errno_value == EAGAIN) return {};
  const auto exit = MAYFLY_TRY(after_run(errno_value, Kick::Reason::kNone));
  if (!exit.has_value() || exit->kind != Exit::Kind::kBroken) return {};
  finish(*exit);
  return invalid("the guest broke its VM after its call: " + exit->message);
}

}  // namespace mayfly::vmm
