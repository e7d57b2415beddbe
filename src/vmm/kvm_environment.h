// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// KvmEnvironment: what a VM needs of its host.
#pragma once

#include <cstdint>

#include "vmm/deadline_timer.h"
#include "vmm/host_pages_x86_64.h"
#include "vmm/kvm_vcpu.h"
#include "vmm/weakness.h"

namespace mayfly::vmm {

class ShellStore;

// All of it outlives the VM.
struct KvmEnvironment {
  int kvm_fd = -1;
  const HostPages* host_pages = nullptr;
  const VcpuModel* vcpu_model = nullptr;
  DeadlineTimer* timer = nullptr;
  ShellStore* shells = nullptr;
  int kick_signal = 0;
  uint32_t slot_count_max = 0;
  uint64_t gpa_end = 0;
  Weakness weakness = Weakness::kNone;
};

}  // namespace mayfly::vmm
