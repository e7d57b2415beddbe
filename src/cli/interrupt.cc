// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The signals are blocked and read from a descriptor: nothing runs in a handler.
#include "cli/interrupt.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>

#include "base/check.h"
#include "cli/options.h"

namespace mayfly::cli {
namespace {

constexpr int kCancelAgainMs = 10;

sigset_t signals_of_interest() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

Result<std::unique_ptr<Interrupt>> Interrupt::create() {
  const sigset_t set = signals_of_interest();
  Fd signals(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals.valid()) return host_error("signalfd");
  Fd cancelled(::eventfd(0, EFD_CLOEXEC));
  if (!cancelled.valid()) return host_error("eventfd");
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  return std::make_unique<Interrupt>(Key(), std::move(signals), std::move(cancelled));
}

Interrupt::~Interrupt() {
  const sigset_t set = signals_of_interest();
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

std::optional<int> Interrupt::signal() const {
  const int signal = signal_;
  return signal == 0 ? std::nullopt : std::optional(signal);
}

InterruptWatch::InterruptWatch(Interrupt& interrupt, const std::function<void()>& cancel)
    : interrupt_(interrupt), cancel_(cancel), stop_(::eventfd(0, EFD_CLOEXEC)) {
  CHECK(stop_.valid(), errno);
  thread_ = std::thread([this] { run(); });
}

InterruptWatch::~InterruptWatch() {
  CHECK(::eventfd_write(stop_.get(), 1) == 0, errno);
  thread_.join();
}

void InterruptWatch::take_signal() {
  signalfd_siginfo info{};
  const ssize_t got = ::read(interrupt_.signals_.get(), &info, sizeof info);
  if (got != static_cast<ssize_t>(sizeof info)) return;
  const int signal = static_cast<int>(info.ssi_signo);
  int none = 0;
  if (!interrupt_.signal_.compare_exchange_strong(none, signal)) ::_exit(kExitSignal + signal);
  CHECK(::eventfd_write(interrupt_.cancelled_.get(), 1) == 0, errno);
}

void InterruptWatch::run() {
  for (;;) {
    pollfd fds[] = {{interrupt_.signals_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}};
    const int timeout = interrupt_.signal_ == 0 ? -1 : kCancelAgainMs;
    if (::poll(fds, 2, timeout) < 0) continue;
    if (fds[1].revents != 0) return;
    if (fds[0].revents != 0) take_signal();
    if (interrupt_.signal_ != 0) cancel_();
  }
}

}  // namespace mayfly::cli
