// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// VcpuThread: a thread that does KVM_RUN for another and nothing else. While the vCPU is out, the
// thread sleeps, and all that belongs to the vCPU is the other's; while it is in, the guest's.
// Who waits says that it sleeps, and then looks again at the state, before it does; who changes the
// state looks afterwards whether somebody sleeps. So no wake-up is lost, and none is sent in vain.
#pragma once

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <ctime>
#include <optional>

#include "base/result.h"
#include "vmm/kick.h"
#include "vmm/kvm_vcpu.h"

namespace mayfly::vmm {

// Threads: one at a time, but for cpu_time(), which any thread may call.
class VcpuThread {
 public:
  // Both outlive the thread.
  VcpuThread(Vcpu& vcpu, Kick& kick) : vcpu_(vcpu), kick_(kick) {}
  // The vCPU is out. Not in a process that was forked.
  ~VcpuThread();
  VcpuThread(const VcpuThread&) = delete;
  VcpuThread& operator=(const VcpuThread&) = delete;

  // Once, before anything else. Errors: kHost.
  Result<void> start();

  // One KVM_RUN, of the vCPU that is out.
  void go();
  // The same on the calling thread: afterwards it is out.
  void run_here();
  bool is_out() const { return state().load(std::memory_order_acquire) == kOut; }
  // 0 or the errno of the last run, while the vCPU is out.
  int errno_value() const { return errno_value_; }
  // Sleeps until the vCPU is out, or the moment has come; whether it is out.
  bool wait_out(std::optional<std::chrono::steady_clock::time_point> until);
  std::chrono::nanoseconds cpu_time() const;

 private:
  enum State : uint32_t { kOut, kIn, kStopping };

  static void* thread_main(void* self);
  void work();
  std::atomic_ref<uint32_t> state() const { return std::atomic_ref(state_); }
  void change(State state, const std::atomic<bool>& other_sleeps);

  Vcpu& vcpu_;
  Kick& kick_;
  bool has_started_ = false;
  pthread_t thread_{};
  clockid_t cpu_clock_{};
  mutable uint32_t state_ = kOut;  // a State; the futex
  std::atomic<bool> thread_sleeps_ = false;
  std::atomic<bool> caller_sleeps_ = false;
  int errno_value_ = 0;
};

}  // namespace mayfly::vmm
