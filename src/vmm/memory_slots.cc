// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// KVM_SET_USER_MEMORY_REGION.
#include "vmm/memory_slots.h"

#include "vmm/kvm_header.h"
#include "vmm/kvm_ioctl.h"

namespace mayfly::vmm {

Result<void> MemorySlots::set(uint32_t number, const Slot& slot, uint64_t bytes) {
  kvm_userspace_memory_region region{};
  region.slot = number;
  if (slot.access == Access::kRead) region.flags = KVM_MEM_READONLY;
  if (slot.access == Access::kReadWrite && write_log_ == WriteLog::kOn) {
    region.flags = KVM_MEM_LOG_DIRTY_PAGES;
  }
  region.guest_phys_addr = slot.gpa;
  region.memory_size = bytes;
  // SAFETY: the kernel takes the address as a number; the caller keeps the range mapped.
  region.userspace_addr = reinterpret_cast<uintptr_t>(slot.host);
  if (kvm_ioctl(vm_fd_, KVM_SET_USER_MEMORY_REGION, &region) != 0) {
    return host_error("KVM_SET_USER_MEMORY_REGION, slot " + std::to_string(number) + " of " +
                      std::to_string(bytes) + " bytes");
  }
  return {};
}

Result<void> MemorySlots::add(uint64_t gpa, uint8_t* host, uint64_t bytes, Access access) {
  if (slots_.size() >= count_max_) {
    return limit("a VM has at most " + std::to_string(count_max_) + " memory slots on this host");
  }
  const Slot slot{gpa, host, bytes, access};
  MAYFLY_TRY(set(static_cast<uint32_t>(slots_.size()), slot, bytes));
  slots_.push_back(slot);
  return {};
}

Result<void> MemorySlots::renew(uint64_t gpa, uint64_t bytes) {
  for (uint32_t number = 0; number < slots_.size(); ++number) {
    const Slot& slot = slots_[number];
    if (slot.gpa >= gpa + bytes || gpa >= slot.gpa + slot.bytes) continue;
    MAYFLY_TRY(set(number, slot, 0));
    MAYFLY_TRY(set(number, slot, slot.bytes));
  }
  return {};
}

std::optional<uint64_t> MemorySlots::gpa_of(uint32_t slot, uint64_t page) const {
  constexpr uint64_t kPageBytes = 4096;
  if (slot >= slots_.size() || page >= slots_[slot].bytes / kPageBytes) return std::nullopt;
  return slots_[slot].gpa + page * kPageBytes;
}

}  // namespace mayfly::vmm
