// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The process driver: guests as child processes that can do nothing but wait, for hosts without
// KVM. One wall (Wasm) and a seccomp filter, where the kvm driver has a virtual machine.
#pragma once

#include <memory>

#include "base/result.h"
#include "vmm/vm.h"

namespace mayfly::vmm {

// Errors: kUnsupported where the kernel lacks memfd_create, seccomp or pidfd.
Result<std::unique_ptr<Host>> open_process_host();

}  // namespace mayfly::vmm
