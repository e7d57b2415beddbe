// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A signal's handler belongs to the process, so what it needs does too: the one mutable global of
// this folder is the handler that was there before.
#include "vmm/kick_signal.h"

#include <csignal>
#include <mutex>
#include <string>

namespace mayfly::vmm {
namespace {

struct Installed {
  std::once_flag once;
  int signal = 0;
  int errno_value = 0;
  struct sigaction previous{};
};

Installed& installed() {
  static Installed state;
  return state;
}

void on_kick(int signal, siginfo_t* info, void* context) {
  const struct sigaction& previous = installed().previous;
  if ((previous.sa_flags & SA_SIGINFO) != 0) {
    if (previous.sa_sigaction != nullptr) previous.sa_sigaction(signal, info, context);
  } else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
    previous.sa_handler(signal);
  }
}

}  // namespace

int default_kick_signal() { return SIGRTMAX - 1; }

Result<void> install_kick_signal(int signal) {
  Installed& state = installed();
  std::call_once(state.once, [&state, signal] {
    state.signal = signal;
    struct sigaction action{};
    action.sa_sigaction = on_kick;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    // The previous action is stored before ours can run, as far as other threads' kicks go:
    // nobody kicks before this returned.
    if (::sigaction(signal, nullptr, &state.previous) != 0 ||
        ::sigaction(signal, &action, nullptr) != 0) {
      state.errno_value = errno;
    }
  });
  if (state.errno_value != 0) {
    errno = state.errno_value;
    return host_error("sigaction for signal " + std::to_string(signal));
  }
  if (state.signal != signal) {
    return invalid("this process kicks with signal " + std::to_string(state.signal) +
                   " already, not with " + std::to_string(signal));
  }
  return {};
}

void unblock_kick_signal(int signal) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace mayfly::vmm
