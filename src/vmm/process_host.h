// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The process driver: guests as child processes that can do nothing but wait, for hosts without
// KVM. One wall (Wasm) and a seccomp filter, where the kvm driver has a virtual machine.
#pragma once

#include <memory>

#include "base/result.h"
#include "vmm/vm.h"
#include "vmm/weakness.h"

namespace mayfly::vmm {

// Errors: kUnsupported where the kernel lacks memfd_create, seccomp or pidfd.
Result<std::unique_ptr<Host>> open_process_host(Weakness weakness = Weakness::kNone);

// Whether the driver can do without this defence. The others are the kernel's or the processor's.
bool process_host_knows(Weakness weakness);

}  // namespace mayfly::vmm
