// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The floor of every figure about virtual machines.
//
// SAFETY: ioctl and the guest's descriptor tables; every pointer is into a mapping or array that
// the RawVm owns, at offsets below its size.
#include "bench/raw_kvm.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <cstring>

#include "vmm/kvm_header.h"

namespace mayfly::bench {
namespace {

// Guest-physical layout of the one slot.
constexpr uint64_t kPml4 = 0x1000, kPdpt = 0x2000, kPd = 0x3000, kCode = 0x8000, kStack = 0x18000,
                   kTouched = 0x20000;
constexpr uint64_t kHostTurn = 0x10000, kGuestTurn = 0x10080;
constexpr uint64_t kExitGpa = 0xf000'0000;  // no slot
constexpr uint32_t kCpuidEntriesMax = 256;
constexpr uint64_t kUserWritePresent = 0x67, kLargeUser = 0xe7;

uint64_t& word(const Mapping& memory, uint64_t offset) {
  return *reinterpret_cast<uint64_t*>(memory.data() + offset);
}

}  // namespace

Result<RawKvm> RawKvm::open() {
  RawKvm raw;
  raw.kvm_ = MAYFLY_TRY(open_file("/dev/kvm", O_RDWR));
  const int run_bytes = ::ioctl(raw.kvm_.get(), KVM_GET_VCPU_MMAP_SIZE, 0);
  if (run_bytes < 0) return host_error("KVM_GET_VCPU_MMAP_SIZE");
  raw.run_bytes_ = static_cast<size_t>(run_bytes);
  raw.cpuid_ =
      std::make_unique<uint8_t[]>(sizeof(kvm_cpuid2) + kCpuidEntriesMax * sizeof(kvm_cpuid_entry2));
  auto* cpuid = reinterpret_cast<kvm_cpuid2*>(raw.cpuid_.get());
  cpuid->nent = kCpuidEntriesMax;
  if (::ioctl(raw.kvm_.get(), KVM_GET_SUPPORTED_CPUID, cpuid) != 0) {
    return host_error("KVM_GET_SUPPORTED_CPUID");
  }
  return raw;
}

Result<RawVm> RawVm::create(const RawKvm& kvm, RawExit exit) {
  RawVm vm;
  vm.exit_ = exit;
  vm.vm_ = Fd(::ioctl(kvm.kvm_.get(), KVM_CREATE_VM, 0));
  if (!vm.vm_.valid()) return host_error("KVM_CREATE_VM");
  vm.memory_ = MAYFLY_TRY(Mapping::anonymous(kMemoryBytes));
  kvm_userspace_memory_region slot{};
  slot.memory_size = kMemoryBytes;
  slot.userspace_addr = reinterpret_cast<uint64_t>(vm.memory_.data());
  if (::ioctl(vm.vm_.get(), KVM_SET_USER_MEMORY_REGION, &slot) != 0) {
    return host_error("KVM_SET_USER_MEMORY_REGION");
  }
  vm.vcpu_ = Fd(::ioctl(vm.vm_.get(), KVM_CREATE_VCPU, 0));
  if (!vm.vcpu_.valid()) return host_error("KVM_CREATE_VCPU");
  if (::ioctl(vm.vcpu_.get(), KVM_SET_CPUID2, kvm.cpuid_.get()) != 0) {
    return host_error("KVM_SET_CPUID2");
  }
  vm.run_ = MAYFLY_TRY(Mapping::file(vm.vcpu_.get(), 0, kvm.run_bytes_, Mapping::Access::kReadWrite,
                                     Mapping::Sharing::kShared));
  MAYFLY_TRY(vm.set_up_processor());
  return vm;
}

void RawVm::write_tables() {
  word(memory_, kPml4) = kPdpt | kUserWritePresent;
  word(memory_, kPdpt) = kPd | kUserWritePresent;
  word(memory_, kPd) = kLargeUser;                                   // [0, 2 MiB) is the slot's
  word(memory_, kPd + 8) = (kExitGpa & ~0x1f'ffffULL) | kLargeUser;  // 2 MiB: no memory
  // mov byte [0x200000], 7; jmp to it
  constexpr uint8_t kStoreLoop[] = {0xc6, 0x04, 0x25, 0, 0, 0x20, 0, 7, 0xeb, 0xf6};
  // out 0x10, al; jmp to it
  constexpr uint8_t kOutLoop[] = {0xe6, 0x10, 0xeb, 0xfc};
  constexpr uint8_t kSpinLoop[] = {
      0xbb, 1,    0,    0,    0,                  // mov ebx, 1
      0xf3, 0x90,                                 // again: pause
      0x48, 0x8b, 0x04, 0x25, 0,    0,    1, 0,   // mov rax, [kHostTurn]
      0x48, 0x85, 0xc0, 0x78, 18,                 // test rax, rax; js end
      0x48, 0x39, 0xd8, 0x75, 0xec,               // cmp rax, rbx; jne again
      0x48, 0x89, 0x1c, 0x25, 0x80, 0,    1, 0,   // mov [kGuestTurn], rbx
      0x48, 0xff, 0xc3, 0xeb, 0xdf,               // inc rbx; jmp again
      0xc6, 0x04, 0x25, 0,    0,    0x20, 0, 7};  // end: mov byte [0x200000], 7
  // jrcxz over this: mov byte [rbx], 1; add rbx, 4096; loop to it
  constexpr uint8_t kTouch[] = {0xe3, 0x0c, 0xc6, 0x03, 1, 0x48, 0x81,
                                0xc3, 0,    0x10, 0,    0, 0xe2, 0xf4};
  std::memcpy(memory_.data() + kCode, kTouch, sizeof kTouch);
  uint8_t* const leave = memory_.data() + kCode + sizeof kTouch;
  if (exit_ == RawExit::kSpin) {
    std::memcpy(memory_.data() + kCode, kSpinLoop, sizeof kSpinLoop);
  } else if (exit_ == RawExit::kStore) {
    std::memcpy(leave, kStoreLoop, sizeof kStoreLoop);
  } else {
    std::memcpy(leave, kOutLoop, sizeof kOutLoop);
  }
}

Result<void> RawVm::remap() {
  if (::mmap(memory_.data(), memory_.size(), PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED) {
    return host_error("mmap");
  }
  write_tables();
  return {};
}

Result<void> RawVm::set_up_processor() {
  write_tables();
  kvm_sregs sregs{};
  if (::ioctl(vcpu_.get(), KVM_GET_SREGS, &sregs) != 0) return host_error("KVM_GET_SREGS");
  sregs.cr3 = kPml4;
  sregs.cr4 = (1U << 5) | (1U << 9) | (1U << 10);  // PAE, OSFXSR, OSXMMEXCPT
  sregs.cr0 = 0x8005'0033;
  sregs.efer = 0xd00;  // LME, LMA, NXE
  kvm_segment code{};
  code.limit = 0xffff'ffff;
  code.selector = 0x33;
  code.type = 11;
  code.present = code.s = code.l = code.g = 1;
  code.dpl = 3;
  kvm_segment data = code;
  data.selector = 0x2b;
  data.type = 3;
  data.l = 0;
  data.db = 1;
  sregs.cs = code;
  sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
  if (::ioctl(vcpu_.get(), KVM_SET_SREGS, &sregs) != 0) return host_error("KVM_SET_SREGS");
  return {};
}

Result<void> RawVm::call(uint64_t pages_touched) {
  auto* run = reinterpret_cast<kvm_run*>(run_.data());
  run->kvm_valid_regs = KVM_SYNC_X86_REGS;
  kvm_regs regs{};
  regs.rip = kCode;
  regs.rsp = kStack;
  regs.rcx = pages_touched;
  regs.rbx = kTouched;
  constexpr uint64_t kFlags = 2;
  constexpr uint64_t kFlagsIopl3 = 0x3002;
  regs.rflags = exit_ == RawExit::kOut ? kFlagsIopl3 : kFlags;
  run->s.regs.regs = regs;
  run->kvm_dirty_regs = KVM_SYNC_X86_REGS;
  if (::ioctl(vcpu_.get(), KVM_RUN, 0) != 0) return host_error("KVM_RUN");
  if (run->exit_reason != (exit_ == RawExit::kOut ? KVM_EXIT_IO : KVM_EXIT_MMIO)) {
    return invalid("the raw guest left with exit reason " + std::to_string(run->exit_reason));
  }
  return {};
}

int64_t& RawVm::host_turn() const {
  return *reinterpret_cast<int64_t*>(memory_.data() + kHostTurn);
}
int64_t& RawVm::guest_turn() const {
  return *reinterpret_cast<int64_t*>(memory_.data() + kGuestTurn);
}

}  // namespace mayfly::bench
