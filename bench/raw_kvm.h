// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// RawVm: the floor. A virtual machine with one memory slot and a loop at CPL 3 that leaves by a
// store to absent memory, set up with as few system calls as KVM allows, and nothing else.
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

class RawVm {
 public:
  static constexpr uint64_t kMemoryBytes = uint64_t{64} << 20;

  // Errors: kHost.
  static Result<RawVm> create(const RawKvm& kvm);
  // Sets all registers and runs to the next exit. Errors: kHost; kInvalid for another exit.
  Result<void> call();

 private:
  Result<void> set_up_processor();
  Mapping memory_;
  Fd vm_;
  Mapping run_;
  Fd vcpu_;
};

}  // namespace mayfly::bench
