// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// KvmShell: a VM and its vCPU, without a guest. Making and destroying them is most of what a
// machine costs, so an ended machine leaves its shell to the next one of its trust domain.
// Invariant: there is nothing behind a shell's memory slots, so nothing of a guest can be reached
// from it; what its vCPU still holds of the past is cleared when it is taken.
#pragma once

#include <pthread.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>

#include "base/fd.h"
#include "base/result.h"
#include "vmm/dirty_ring.h"
#include "vmm/guest_memory.h"
#include "vmm/kvm_environment.h"
#include "vmm/kvm_vcpu.h"
#include "vmm/memory_slots.h"
#include "vmm/vm.h"

namespace mayfly::vmm {

struct KvmShell {
  // What a shell keeps for good.
  struct Kind {
    uint64_t domain = 0;
    Tracking tracking = Tracking::kOff;
    bool spins = false;  // VmConfig::spin_time
    bool operator==(const Kind&) const = default;
  };
  // Errors: kLimit without a descriptor; kUnsupported where tracking is; kHost.
  static Result<KvmShell> create(const KvmEnvironment& environment, const Kind& kind);

  Kind kind;
  pid_t pid = 0;                         // VMs stay with their process
  std::optional<pthread_t> thread = {};  // that ran the vCPU last
  Fd fd;
  std::optional<Vcpu> vcpu = {};
  std::optional<DirtyRing> dirty_ring = {};  // with tracking
  std::optional<MemorySlots> slots = {};     // where memory's are, or none
  KeptMemory memory = {};
};

// Idle shells. Threads: any number at once.
class ShellStore {
 public:
  // Before the first VM. Past that many the shell that was idle longest is destroyed.
  void set_max(size_t max) { max_ = max; }
  size_t max() const { return max_; }
  // Whether another thread may run a vCPU at no cost; kernels before 6.13 take about 10 ms.
  void set_moves_freely(bool moves_freely) { moves_freely_ = moves_freely; }
  bool moves_freely() const { return moves_freely_; }

  // One of that kind, this thread's own first, as a new one would be. nullopt: there is none.
  std::optional<KvmShell> take(const KvmShell::Kind& kind);
  void put(KvmShell shell);
  void clear();

 private:
  size_t max_ = 0;
  bool moves_freely_ = true;
  std::mutex mutex_;
  std::deque<KvmShell> idle_;  // the one that came last at the back
};

}  // namespace mayfly::vmm
