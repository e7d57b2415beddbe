// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Vcpu: the one virtual processor of a KVM VM: its registers and KVM_RUN.
// Registers travel in the page shared with the kernel (KVM_CAP_SYNC_REGS), not by system calls.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/fd.h"
#include "base/mapping.h"
#include "base/result.h"
#include "vmm/host_pages_x86_64.h"
#include "vmm/kvm_header.h"
#include "vmm/vm.h"
#include "vmm/weakness.h"

namespace mayfly::vmm {

// KVM's variable-length table, with room for all leaves that KVM reports.
struct CpuidTable {
  static constexpr uint32_t kEntriesMax = 256;
  uint32_t count = 0;
  uint32_t padding = 0;
  kvm_cpuid_entry2 entries[kEntriesMax] = {};
};

// What all vCPUs of a host have in common.
struct VcpuModel {
  CpuidTable cpuid;
  uint64_t xcr0 = 0;  // 0: no XSAVE
  uint64_t cr4 = 0;
  size_t run_bytes = 0;  // of the shared page
};

class Vcpu {
 public:
  // The model outlives the call only.
  static Result<Vcpu> create(int vm_fd, const VcpuModel& model, Tracking tracking,
                             TaskState task_state, Weakness weakness);

  kvm_run& shared() const { return *run_; }
  const kvm_regs& registers() const { return run_->s.regs.regs; }
  // With tracking only: DirtyRing::kBytes.
  std::span<uint8_t> dirty_ring() const;

  // The next run starts a call. Loads CR3, too, if it is another than last time.
  void set_entry(const Entry& entry, uint64_t root_gpa, uint64_t stack_top = guest_abi::kStackTop);
  // The next run goes on with these.
  void set_registers(const kvm_regs& registers);
  // The next set_entry() also puts back the segments, control registers and pending events, which
  // a trap or an interruption left elsewhere.
  void forget_system_state() { system_state_lost_ = true; }

  // Takes from the processor what a guest left in it: vector, mask and x87 registers, MXCSR and
  // the like now; segments, control registers and events with the next set_entry(). Errors: kHost.
  Result<void> clear();

  // KVM_RUN: 0, or the errno.
  int run();
  Result<uint64_t> read_cr2() const;

 private:
  Result<void> set_up(const VcpuModel& model, TaskState task_state, Weakness weakness);

  Fd fd_;
  Mapping mapping_;
  kvm_run* run_ = nullptr;
  kvm_sregs system_state_{};
  uint64_t flags_ = 2;  // RFLAGS at entry: the reserved bit alone
  bool has_xsave_ = false;
  bool system_state_lost_ = true;
  bool keeps_flags_ = false;  // only tests that remove these defences
  bool keeps_state_ = false;
};

}  // namespace mayfly::vmm
