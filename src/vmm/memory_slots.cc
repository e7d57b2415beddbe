// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// KVM_SET_USER_MEMORY_REGION.
#include "vmm/memory_slots.h"

#include <algorithm>

#include "base/check.h"
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

Result<void> MemorySlots::cover(uint64_t gpa, uint8_t* host, uint64_t bytes, Access access) {
  const uint64_t end = gpa + bytes;
  for (uint64_t at = gpa; at < end;) {
    uint64_t next = end;  // where the part that begins at `at` ends
    bool is_covered = false;
    for (const Slot& slot : slots_) {
      if (slot.gpa <= at && at - slot.gpa < slot.bytes) {
        CHECK(slot.host + (at - slot.gpa) == host + (at - gpa) && slot.access == access, at);
        is_covered = true;
        next = std::min(end, slot.gpa + slot.bytes);
        break;
      }
      if (slot.gpa > at) next = std::min(next, slot.gpa);
    }
    if (!is_covered) MAYFLY_TRY(add({at, host + (at - gpa), next - at, access}));
    at = next;
  }
  return {};
}

Result<void> MemorySlots::add(const Slot& slot) {
  if (slots_.size() >= count_max_) {
    return limit("a VM has at most " + std::to_string(count_max_) + " memory slots on this host");
  }
  MAYFLY_TRY(set(static_cast<uint32_t>(slots_.size()), slot, slot.bytes));
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

uint64_t MemorySlots::bytes() const {
  uint64_t bytes = 0;
  for (const Slot& slot : slots_) bytes += slot.bytes;
  return bytes;
}

Result<void> MemorySlots::remove_all() {
  while (!slots_.empty()) {
    MAYFLY_TRY(set(static_cast<uint32_t>(slots_.size() - 1), slots_.back(), 0));
    slots_.pop_back();
  }
  return {};
}

std::optional<uint64_t> MemorySlots::gpa_of(uint32_t slot, uint64_t page) const {
  constexpr uint64_t kPageBytes = 4096;
  if (slot >= slots_.size() || page >= slots_[slot].bytes / kPageBytes) return std::nullopt;
  return slots_[slot].gpa + page * kPageBytes;
}

}  // namespace mayfly::vmm
