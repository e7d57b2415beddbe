// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// RawVm: the floor. A virtual machine with one memory slot and a loop at CPL 3 that leaves by a
// store to absent memory or by `out`, set up with few system calls, and nothing else.
#pragma once

#include <cstdint>
#include <memory>

#include "base/fd.h"
#include "base/mapping.h"
#include "base/result.h"

namespace mayfly::bench {

class RawKvm {
 public:
  static Result<RawKvm> open();

 private:
  friend class RawVm;
  Fd kvm_;
  size_t run_bytes_ = 0;
  std::unique_ptr<uint8_t[]> cpuid_;
};

enum class RawExit : uint8_t {
  kStore,  // the cheapest exit of kvm_pvm
  kOut,    // the cheapest exit of mainline KVM; needs IOPL 3
  kSpin,   // none but the last: the guest answers in memory, until it is told a negative turn
};

class RawVm {
 public:
  static constexpr uint64_t kMemoryBytes = uint64_t{64} << 20;

  // Errors: kHost.
  static Result<RawVm> create(const RawKvm& kvm, RawExit exit = RawExit::kStore);
  // Sets all registers and runs to the next exit; first the guest writes to so many pages.
  // Errors: kHost; kInvalid for another exit.
  Result<void> call(uint64_t pages_touched = 0);
  // New memory behind the live slot, and the guest's tables and code in it again. Errors: kHost.
  Result<void> remap();
  // kSpin: the host's word, which starts as 0 and goes to 1, 2, ...; and the guest's, which
  // follows.
  int64_t& host_turn() const;
  int64_t& guest_turn() const;
  // Memory of the slot that the guest does not use.
  uint8_t* spare_memory() const { return memory_.data() + kMemoryBytes / 2; }

 private:
  void write_tables();
  Result<void> set_up_processor();
  RawExit exit_ = RawExit::kStore;
  Mapping memory_;
  Fd vm_;
  Mapping run_;
  Fd vcpu_;
};

}  // namespace mayfly::bench
