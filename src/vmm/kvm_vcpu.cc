// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The guest starts in 64-bit mode at CPL 3, with paging, and has no other mode.
#include "vmm/kvm_vcpu.h"

#include <cerrno>
#include <cstddef>
#include <string>

#include "base/check.h"
#include "guest_abi/call_page.h"
#include "guest_abi/layout.h"
#include "vmm/dirty_ring.h"
#include "vmm/host_pages_x86_64.h"
#include "vmm/kvm_ioctl.h"

namespace mayfly::vmm {
namespace {

// Intel SDM 3A, 2.5. WP: CPL 0 obeys read-only pages. AM stays 0, so CPL 3 cannot ask for #AC.
constexpr uint64_t kCr0 = 1u << 31 | 1u << 16 | 1 << 5 | 1 << 4 | 1 << 1 | 1 << 0;
// LME, LMA, NXE; not SCE: `syscall` is #UD.
constexpr uint64_t kEfer = 1 << 8 | 1 << 10 | 1 << 11;
constexpr uint64_t kFlagsIoPrivilege3 = 3 << 12;

kvm_segment segment(uint16_t selector, uint8_t type, bool is_code) {
  kvm_segment result{};
  result.limit = 0xffff'ffff;
  result.selector = selector;
  result.type = type;
  result.present = 1;
  result.dpl = selector & 3;
  result.s = 1;
  result.g = 1;
  result.l = is_code ? 1 : 0;
  result.db = is_code ? 0 : 1;
  return result;
}

// All of it, as after a reset where the guest cannot tell.
void fill_system_state(kvm_sregs& state, uint64_t cr4, TaskState task_state, Weakness weakness) {
  constexpr uint64_t kApicBaseAfterReset = 0xfee0'0900;  // Intel SDM 3A, 10.4.4
  constexpr uint8_t kCodeAccessed = 11;
  constexpr uint8_t kDataAccessed = 3;
  state.cr0 = kCr0;
  state.cr2 = 0;
  state.cr3 = 0;  // set_entry() knows it
  state.cr4 = cr4;
  state.efer = kEfer;
  state.cs = segment(HostPages::kUserCode, kCodeAccessed, true);
  state.ds = state.es = state.fs = state.gs = state.ss =
      segment(HostPages::kUserData, kDataAccessed, false);
  state.gdt.base = HostPages::kGdt;
  state.gdt.limit = HostPages::kGdtLimit;
  state.idt.base = HostPages::kIdt;
  state.idt.limit = HostPages::kIdtLimit;
  state.tr = {};
  state.tr.base = HostPages::kTss;
  state.tr.limit = HostPages::kTssLimit;
  state.tr.selector = HostPages::kTaskState;
  state.tr.type = static_cast<uint8_t>(task_state);
  state.tr.present = 1;
  state.ldt = {};
  state.ldt.unusable = 1;
  state.apic_base = kApicBaseAfterReset;
  // These stand behind more than one of the others: CPL 0 then does not run the guest's pages.
  constexpr uint64_t kSupervisorPrevention = 1 << 20 | 1 << 21;  // SMEP, SMAP
  if (weakness != Weakness::kNone) state.cr4 &= ~kSupervisorPrevention;
  if (weakness == Weakness::kKernelMode) {
    state.cs = segment(HostPages::kKernelCode, kCodeAccessed, true);
    state.ss = segment(HostPages::kKernelData, kDataAccessed, false);
  }
  constexpr uint64_t kSystemCallEnable = 1;
  if (weakness == Weakness::kSystemCalls) state.efer |= kSystemCallEnable;
}

}  // namespace

Result<Vcpu> Vcpu::create(int vm_fd, const VcpuModel& model, Tracking tracking,
                          TaskState task_state, Weakness weakness) {
  Vcpu vcpu;
  vcpu.fd_ = Fd(kvm_ioctl(vm_fd, KVM_CREATE_VCPU));
  if (!vcpu.fd_.valid()) return host_error("KVM_CREATE_VCPU");
  // One mapping for both, although nothing lies between them.
  const size_t bytes =
      tracking == Tracking::kOn ? DirtyRing::kOffset + DirtyRing::kBytes : model.run_bytes;
  vcpu.mapping_ = MAYFLY_TRY(Mapping::file(vcpu.fd_.get(), 0, bytes, Mapping::Access::kReadWrite,
                                           Mapping::Sharing::kShared));
  // SAFETY: KVM's interface: the vCPU's descriptor maps as a kvm_run, of run_bytes, which the
  // host checked to be large enough.
  vcpu.run_ = reinterpret_cast<kvm_run*>(vcpu.mapping_.data());
  if (weakness == Weakness::kIoPrivilege) vcpu.flags_ |= kFlagsIoPrivilege3;
  vcpu.keeps_flags_ = weakness == Weakness::kDirtyFlags;
  vcpu.keeps_state_ = weakness == Weakness::kDirtyShell;
  MAYFLY_TRY(vcpu.set_up(model, task_state, weakness));
  return vcpu;
}

Result<void> Vcpu::set_up(const VcpuModel& model, TaskState task_state, Weakness weakness) {
  // As it is: a copy of its 10 KiB would bring three pages of a fresh stack.
  if (kvm_ioctl(fd_.get(), KVM_SET_CPUID2, &model.cpuid) != 0) return host_error("KVM_SET_CPUID2");
  has_xsave_ = model.xcr0 != 0;
  if (has_xsave_) {
    kvm_xcrs xcrs{};
    xcrs.nr_xcrs = 1;
    xcrs.xcrs[0].value = model.xcr0;
    if (kvm_ioctl(fd_.get(), KVM_SET_XCRS, &xcrs) != 0) return host_error("KVM_SET_XCRS");
  }
  fill_system_state(system_state_, model.cr4, task_state, weakness);
  run_->kvm_valid_regs = KVM_SYNC_X86_REGS;
  return {};
}

std::span<uint8_t> Vcpu::dirty_ring() const {
  CHECK(mapping_.size() > DirtyRing::kOffset, mapping_.size());
  return mapping_.bytes().subspan(DirtyRing::kOffset);
}

void Vcpu::set_entry(const Entry& entry, uint64_t root_gpa, uint64_t stack_top) {
  kvm_regs& registers = run_->s.regs.regs;
  const uint64_t flags_before = registers.rflags;
  registers = {};
  registers.rip = guest_abi::kEnter;
  registers.rsp = stack_top;
  registers.rflags = flags_;
  if (keeps_flags_) registers.rflags |= flags_before;
  registers.rdi = entry.thunk;
  registers.rsi = entry.function;
  registers.rdx = guest_abi::kCallPage + offsetof(guest_abi::CallPage, slots);
  run_->kvm_dirty_regs = KVM_SYNC_X86_REGS;
  if (system_state_.cr3 != root_gpa) system_state_lost_ = true;
  if (!system_state_lost_) return;
  system_state_.cr3 = root_gpa;
  run_->s.regs.sregs = system_state_;
  run_->s.regs.events = kvm_vcpu_events{};  // nothing pending
  run_->kvm_dirty_regs |= KVM_SYNC_X86_SREGS | KVM_SYNC_X86_EVENTS;
  system_state_lost_ = false;
}

void Vcpu::set_registers(const kvm_regs& registers) {
  run_->s.regs.regs = registers;
  run_->kvm_dirty_regs = KVM_SYNC_X86_REGS;
}

Result<void> Vcpu::clear() {
  system_state_lost_ = true;
  if (keeps_state_) return {};
  // Intel SDM 1, 8.1.5 and 10.2.3: as after FNINIT and a reset.
  constexpr uint16_t kFcw = 0x37f;
  constexpr uint32_t kMxcsr = 0x1f80;
  if (!has_xsave_) {
    kvm_fpu state{};
    state.fcw = kFcw;
    state.mxcsr = kMxcsr;
    if (kvm_ioctl(fd_.get(), KVM_SET_FPU, &state) != 0) return host_error("KVM_SET_FPU");
    return {};
  }
  // Intel SDM 1, 13.4: a header of zeros stands for the initial state of each component.
  // KVM_SET_FPU would leave what only XSAVE knows.
  kvm_xsave state{};
  constexpr size_t kMxcsrWord = 6;
  state.region[0] = kFcw;
  state.region[kMxcsrWord] = kMxcsr;
  if (kvm_ioctl(fd_.get(), KVM_SET_XSAVE, &state) != 0) return host_error("KVM_SET_XSAVE");
  return {};
}

int Vcpu::run() { return kvm_ioctl(fd_.get(), KVM_RUN) == 0 ? 0 : errno; }

Result<uint64_t> Vcpu::read_cr2() const {
  kvm_sregs state{};
  if (kvm_ioctl(fd_.get(), KVM_GET_SREGS, &state) != 0) return host_error("KVM_GET_SREGS");
  return state.cr2;
}

}  // namespace mayfly::vmm
