// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// KVM_CREATE_VM, KVM_CREATE_VCPU, and the order in which idle shells are used.
#include "vmm/kvm_shell.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

#include "vmm/kvm_header.h"
#include "vmm/kvm_ioctl.h"

namespace mayfly::vmm {

Result<KvmShell> KvmShell::create(const KvmEnvironment& environment, const Kind& kind) {
  KvmShell shell;
  shell.kind = kind;
  shell.pid = ::getpid();
  do {
    shell.fd = Fd(kvm_ioctl(environment.kvm_fd, KVM_CREATE_VM));
  } while (!shell.fd.valid() && errno == EINTR);
  if (!shell.fd.valid()) {
    const int saved = errno;
    if (saved == EMFILE) return limit("no descriptor is left for a VM: raise RLIMIT_NOFILE");
    errno = saved;
    return host_error("KVM_CREATE_VM");
  }
  if (kind.spins) {
    kvm_enable_cap request{};
    request.cap = KVM_CAP_X86_DISABLE_EXITS;
    request.args[0] = KVM_X86_DISABLE_EXITS_PAUSE;
    // Without it polls are slower, and nothing else.
    static_cast<void>(kvm_ioctl(shell.fd.get(), KVM_ENABLE_CAP, &request));
  }
  const bool tracks = kind.tracking == Tracking::kOn;
  if (tracks && !DirtyRing::enable(shell.fd.get())) {
    return unsupported(
        "this KVM lacks KVM_CAP_DIRTY_LOG_RING, which reset and snapshots need; use "
        "a kernel from 5.11 on, or --driver process");
  }
  shell.vcpu =
      MAYFLY_TRY(Vcpu::create(shell.fd.get(), *environment.vcpu_model, kind.tracking,
                              environment.host_pages->options().task_state, environment.weakness));
  shell.slots.emplace(shell.fd.get(), environment.slot_count_max,
                      tracks ? MemorySlots::WriteLog::kOn : MemorySlots::WriteLog::kOff);
  if (tracks) shell.dirty_ring.emplace(shell.vcpu->dirty_ring());
  return shell;
}

std::optional<KvmShell> ShellStore::take(const KvmShell::Kind& kind) {
  std::optional<KvmShell> taken;
  {
    const std::lock_guard lock(mutex_);
    const pid_t pid = ::getpid();
    const pthread_t self = ::pthread_self();
    auto found = idle_.rend();
    for (auto shell = idle_.rbegin(); shell != idle_.rend(); ++shell) {
      if (shell->kind != kind || shell->pid != pid) continue;
      const bool is_own = !shell->thread || ::pthread_equal(*shell->thread, self) != 0;
      if (is_own || (moves_freely_ && found == idle_.rend())) found = shell;
      if (is_own) break;
    }
    if (found == idle_.rend()) return std::nullopt;
    taken = std::move(*found);
    idle_.erase(std::next(found).base());
  }
  // One that keeps what it knew is of no use.
  if (!taken->vcpu->clear()) return std::nullopt;
  return taken;
}

void ShellStore::put(KvmShell shell) {
  std::optional<KvmShell> oldest;  // destroyed outside the lock
  const std::lock_guard lock(mutex_);
  if (max_ == 0) return;
  if (idle_.size() >= max_) {
    oldest = std::move(idle_.front());
    idle_.pop_front();
  }
  idle_.push_back(std::move(shell));
}

void ShellStore::clear() {
  const std::lock_guard lock(mutex_);
  idle_.clear();
}

}  // namespace mayfly::vmm
