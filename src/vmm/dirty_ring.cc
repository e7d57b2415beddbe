// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The ring's protocol: KVM's documentation, "8.29 KVM_CAP_DIRTY_LOG_RING".
#include "vmm/dirty_ring.h"

#include "base/check.h"
#include "vmm/kvm_ioctl.h"

namespace mayfly::vmm {
namespace {

static_assert(sizeof(kvm_dirty_gfn) == 16);
constexpr uint32_t kDirty = 1;
constexpr uint32_t kReset = 2;

}  // namespace

bool DirtyRing::enable(int vm_fd) {
  for (const int capability : {KVM_CAP_DIRTY_LOG_RING_ACQ_REL, KVM_CAP_DIRTY_LOG_RING}) {
    kvm_enable_cap request{};
    request.cap = static_cast<uint32_t>(capability);
    request.args[0] = kBytes;
    if (kvm_ioctl(vm_fd, KVM_ENABLE_CAP, &request) == 0) return true;
  }
  return false;
}

// SAFETY: KVM's interface: these bytes are kEntryCount entries of this type.
DirtyRing::DirtyRing(std::span<uint8_t> entries)
    : entries_(reinterpret_cast<kvm_dirty_gfn*>(entries.data())) {
  CHECK(entries.size() == kBytes, entries.size());
}

bool DirtyRing::next(uint32_t& slot, uint64_t& page) {
  if (collected_ - given_back_ == kEntryCount) return false;
  kvm_dirty_gfn* const entry = entries_ + collected_ % kEntryCount;
  if ((__atomic_load_n(&entry->flags, __ATOMIC_ACQUIRE) & kDirty) == 0) return false;
  slot = entry->slot;
  page = entry->offset;
  ++collected_;
  return true;
}

Result<void> DirtyRing::reset(int vm_fd) {
  if (given_back_ == collected_) return {};
  for (; given_back_ != collected_; ++given_back_) {
    __atomic_store_n(&entries_[given_back_ % kEntryCount].flags, kReset, __ATOMIC_RELEASE);
  }
  if (kvm_ioctl(vm_fd, KVM_RESET_DIRTY_RINGS) < 0) return host_error("KVM_RESET_DIRTY_RINGS");
  return {};
}

}  // namespace mayfly::vmm
