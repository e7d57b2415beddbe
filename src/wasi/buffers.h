// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The buffers of a transfer as the host's own views of guest memory, each checked.
#pragma once

#include <sys/uio.h>

#include <vector>

#include "wasi/port_call.h"

namespace mayfly::wasi {

// Valid until the guest runs again. Errors: a range that is not the guest's.
Result<std::vector<iovec>> buffers_of(PortCall& call,
                                      const guest_abi::WasiTransferRequest& request);

}  // namespace mayfly::wasi
