// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Chooses a driver.
#include "base/check.h"
#include "vmm/kvm_host.h"
#include "vmm/process_host.h"
#include "vmm/vm.h"

namespace mayfly::vmm {

std::string_view to_string(Driver driver) { return driver == Driver::kKvm ? "kvm" : "process"; }

Result<std::unique_ptr<Host>> Host::open(Driver driver) {
  if (driver == Driver::kProcess) return open_process_host();
  auto host = KvmHost::open({});
  if (!host) return std::move(host).error();
  return std::unique_ptr<Host>(*std::move(host));
}

Result<std::unique_ptr<Host>> Host::open_best(std::string* why) {
  auto kvm = open(Driver::kKvm);
  if (kvm) {
    *why = "kvm: /dev/kvm works";
    return kvm;
  }
  auto process = open(Driver::kProcess);
  if (process) {
    *why = "process: " + kvm.error().message;
    return process;
  }
  return Error{kvm.error().kind, kvm.error().message + "; " + process.error().message,
               kvm.error().errno_value};
}

}  // namespace mayfly::vmm
