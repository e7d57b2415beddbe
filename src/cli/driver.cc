// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// auto prefers KVM and says why it could not be had.
#include "cli/driver.h"

namespace mayfly::cli {

Result<OpenedHost> open_host(DriverChoice choice) {
  OpenedHost opened;
  switch (choice) {
    case DriverChoice::kAuto:
      opened.host = MAYFLY_TRY(vmm::Host::open_best(&opened.why));
      break;
    case DriverChoice::kKvm:
      opened.host = MAYFLY_TRY(vmm::Host::open(vmm::Driver::kKvm));
      opened.why = "kvm: asked for";
      break;
    case DriverChoice::kProcess:
      opened.host = MAYFLY_TRY(vmm::Host::open(vmm::Driver::kProcess));
      opened.why = "process: asked for";
      break;
  }
  return opened;
}

}  // namespace mayfly::cli
