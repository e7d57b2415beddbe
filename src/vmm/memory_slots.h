// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// MemorySlots: which guest-physical ranges of one KVM VM have host memory behind them.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.h"

namespace mayfly::vmm {

class MemorySlots {
 public:
  enum class Access : uint8_t { kRead, kReadWrite };
  // Whether KVM reports the guest's first write to each page of a writable slot (DirtyRing).
  enum class WriteLog : uint8_t { kOff, kOn };

  // vm_fd outlives the slots; slot_count_max is the kernel's.
  MemorySlots(int vm_fd, uint32_t slot_count_max, WriteLog write_log)
      : vm_fd_(vm_fd), count_max_(slot_count_max), write_log_(write_log) {}

  // Slots for what of the range is in none yet; those that are there have the same memory behind
  // them. The host memory stays mapped as long as its slots are. Errors: kLimit, kHost.
  Result<void> cover(uint64_t gpa, uint8_t* host, uint64_t bytes, Access access);
  // Deletes every slot that touches [gpa, gpa + bytes) and adds it again, so that KVM forgets
  // each translation into it.
  Result<void> renew(uint64_t gpa, uint64_t bytes);

  // Deletes all; the host's memory may go afterwards. Errors: kHost; some may be left then.
  Result<void> remove_all();

  uint64_t bytes() const;
  // The guest-physical address of a slot's page, by KVM's numbers.
  std::optional<uint64_t> gpa_of(uint32_t slot, uint64_t page) const;

 private:
  struct Slot {
    uint64_t gpa;
    uint8_t* host;
    uint64_t bytes;
    Access access;
  };
  Result<void> add(const Slot& slot);
  Result<void> set(uint32_t number, const Slot& slot, uint64_t bytes);

  int vm_fd_;
  uint32_t count_max_;
  WriteLog write_log_;
  std::vector<Slot> slots_;
};

}  // namespace mayfly::vmm
