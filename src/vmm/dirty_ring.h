// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// DirtyRing: KVM's list of pages that the guest has written (KVM_CAP_DIRTY_LOG_RING). It names
// each page once, at its first write; until reset() hands the entries back, further writes to
// the page cost nothing.
#pragma once

#include <cstdint>
#include <span>

#include "base/result.h"
#include "guest_abi/layout.h"
#include "vmm/kvm_header.h"

namespace mayfly::vmm {

class DirtyRing {
 public:
  // 16 bytes each, of the kernel's memory for each vCPU.
  static constexpr uint32_t kEntryCount = 2048;

  // Before the first vCPU. false: this KVM has none.
  static bool enable(int vm_fd);

  // Where it is in what the vCPU's descriptor maps.
  static constexpr uint64_t kOffset = uint64_t{KVM_DIRTY_LOG_PAGE_OFFSET} * guest_abi::kPageBytes;
  static constexpr uint64_t kBytes = kEntryCount * sizeof(kvm_dirty_gfn);

  // kBytes of a vCPU's mapping, which outlives this.
  explicit DirtyRing(std::span<uint8_t> entries);

  // Calls back for each entry that is new since the last time: slot number and page in the slot.
  template <typename Visit>
  void collect(const Visit& visit) {
    uint32_t slot = 0;
    uint64_t page = 0;
    while (next(slot, page)) visit(slot, page);
  }
  // Gives all collected entries back: KVM then reports the next write to each page again.
  Result<void> reset(int vm_fd);

 private:
  bool next(uint32_t& slot, uint64_t& page);

  kvm_dirty_gfn* entries_;
  uint32_t collected_ = 0;  // index of the next entry to look at
  uint32_t given_back_ = 0;
};

}  // namespace mayfly::vmm
