// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Opens the host of virtual machines that --driver asks for.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "cli/options.h"
#include "vmm/vm.h"

namespace mayfly::cli {

struct OpenedHost {
  std::unique_ptr<vmm::Host> host;
  std::string why;  // what was chosen and for which reason
};
Result<OpenedHost> open_host(DriverChoice choice);

}  // namespace mayfly::cli
