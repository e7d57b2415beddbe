// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Processors' own counters are not there in many virtual machines; single steps are everywhere.
#include "bench/own_cost.h"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <memory>

#include "base/fd.h"
#include "base/mapping.h"
#include "vmm/kvm_header.h"

namespace mayfly::bench {
namespace {

// Some seconds. Copies of megabytes take more.
constexpr uint64_t kStepsMax = 500'000;

enum class Phase : uint32_t { kAttaching, kRefused, kStepping, kCounting, kEnd };

// In memory that this process and the tracer share.
struct Shared {
  std::atomic<Phase> phase = Phase::kAttaching;
  OwnCost cost;
  bool is_whole = false;
};

// Whether a thread with these registers is about to enter a guest.
bool is_entry(pid_t thread, const user_regs_struct& registers) {
  if (registers.rax != SYS_ioctl || registers.rsi != KVM_RUN) return false;
  constexpr long kSyscall = 0x050f;
  constexpr long kTwoBytes = 0xffff;
  const long code = ::ptrace(PTRACE_PEEKTEXT, thread, registers.rip, nullptr);
  return (code & kTwoBytes) == kSyscall;
}

// The signal that the thread is to get, if it stopped for one. -1: it is gone.
int wait_for_stop(pid_t thread) {
  int status = 0;
  if (::waitpid(thread, &status, __WALL) != thread || !WIFSTOPPED(status)) return -1;
  const int signal = WSTOPSIG(status);
  return signal == SIGTRAP ? 0 : signal;
}

[[noreturn]] void trace(pid_t thread, Shared& shared) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::ptrace(PTRACE_SEIZE, thread, nullptr, nullptr) != 0 ||
      ::ptrace(PTRACE_INTERRUPT, thread, nullptr, nullptr) != 0) {
    shared.phase = Phase::kRefused;
    ::_exit(1);
  }
  int signal = wait_for_stop(thread);
  shared.phase = Phase::kStepping;
  uint64_t last = 0;
  for (uint64_t steps = 0; signal >= 0 && shared.phase != Phase::kEnd && steps < kStepsMax;
       ++steps) {
    user_regs_struct registers{};
    if (::ptrace(PTRACE_GETREGS, thread, nullptr, &registers) != 0) break;
    // A string instruction stops after each of its repetitions, and is one.
    if (shared.phase == Phase::kCounting && registers.rip != last) {
      ++shared.cost.instructions;
      if (is_entry(thread, registers)) ++shared.cost.exits;
    }
    last = registers.rip;
    if (::ptrace(PTRACE_SINGLESTEP, thread, nullptr, signal) != 0) break;
    signal = wait_for_stop(thread);
  }
  shared.is_whole = shared.phase == Phase::kEnd;
  ::ptrace(PTRACE_DETACH, thread, nullptr, nullptr);
  ::_exit(0);
}

OwnCost traced(const std::function<void()>& action) {
  const auto file = create_memfd("mayfly-own-cost", sizeof(Shared));
  if (!file) return {};
  auto memory = Mapping::file(file->get(), 0, sizeof(Shared), Mapping::Access::kReadWrite,
                              Mapping::Sharing::kShared);
  if (!memory) return {};
  auto* const shared = std::construct_at(static_cast<Shared*>(static_cast<void*>(memory->data())));
  ::prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
  const auto thread = static_cast<pid_t>(::syscall(SYS_gettid));
  const pid_t tracer = ::fork();
  if (tracer == 0) trace(thread, *shared);
  OwnCost cost;
  if (tracer > 0) {
    while (shared->phase == Phase::kAttaching) ::sched_yield();
    if (shared->phase == Phase::kStepping) {
      shared->phase = Phase::kCounting;
      action();
      shared->phase = Phase::kEnd;
    }
    ::waitpid(tracer, nullptr, 0);
    if (shared->is_whole) cost = shared->cost;
  }
  ::prctl(PR_SET_PTRACER, 0);
  return cost;
}

}  // namespace

OwnCost own_cost(const std::function<void()>& action) {
  OwnCost cost = traced(action);
  const OwnCost nothing = traced([] {});
  if (cost.instructions >= nothing.instructions) cost.instructions -= nothing.instructions;
  return cost;
}

}  // namespace mayfly::bench
