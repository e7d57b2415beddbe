// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// pthread_create, because std::thread answers a refusal with an exception.
#include "vmm/vcpu_thread.h"

#include <csignal>

#include "base/check.h"
#include "vmm/futex.h"

namespace mayfly::vmm {

Result<void> VcpuThread::start() {
  CHECK(!has_started_);
  // The thread inherits the mask: an embedder's signals are not for it. A kick lets itself in.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const int failed = ::pthread_create(&thread_, nullptr, &VcpuThread::thread_main, this);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (failed != 0) {
    errno = failed;
    return host_error("pthread_create of a sandbox's own thread");
  }
  has_started_ = true;
  CHECK(::pthread_getcpuclockid(thread_, &cpu_clock_) == 0);
  return {};
}

VcpuThread::~VcpuThread() {
  if (!has_started_) return;
  CHECK(is_out());
  change(kStopping, thread_sleeps_);
  ::pthread_join(thread_, nullptr);
}

// The store and the load may not change places: else the other could fall asleep between them.
void VcpuThread::change(State state, const std::atomic<bool>& other_sleeps) {
  this->state().store(state, std::memory_order_seq_cst);
  if (other_sleeps.load(std::memory_order_seq_cst)) futex_wake(state_);
}

void VcpuThread::go() { change(kIn, thread_sleeps_); }

void VcpuThread::run_here() {
  kick_.enter_guest();
  errno_value_ = vcpu_.run();
  kick_.leave_guest();
}

bool VcpuThread::wait_out(std::optional<std::chrono::steady_clock::time_point> until) {
  caller_sleeps_.store(true, std::memory_order_seq_cst);
  while (!is_out() && (!until.has_value() || std::chrono::steady_clock::now() < *until)) {
    futex_wait(state_, kIn, until);
  }
  caller_sleeps_.store(false, std::memory_order_relaxed);
  return is_out();
}

void* VcpuThread::thread_main(void* self) {
  ::pthread_setname_np(::pthread_self(), "mayfly-vcpu");
  static_cast<VcpuThread*>(self)->work();
  return nullptr;
}

void VcpuThread::work() {
  for (;;) {
    thread_sleeps_.store(true, std::memory_order_seq_cst);
    while (is_out()) futex_wait(state_, kOut, std::nullopt);
    thread_sleeps_.store(false, std::memory_order_relaxed);
    if (state().load(std::memory_order_relaxed) == kStopping) return;
    run_here();
    change(kOut, caller_sleeps_);
  }
}

std::chrono::nanoseconds VcpuThread::cpu_time() const {
  timespec time{};
  ::clock_gettime(cpu_clock_, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace mayfly::vmm
