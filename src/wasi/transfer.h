// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writing that is no port of its own.
#pragma once

#include <sys/uio.h>

#include <vector>

#include "wasi/port_call.h"

namespace mayfly::wasi {

// All of the buffers to a file, at the request's position and onwards; what its quota allows of
// them, else. Errors: kLimit, past what the call may write.
PortAnswer write_all(PortCall& call, Handle& handle, std::vector<iovec>& buffers,
                     guest_abi::WasiTransferRequest& request);

}  // namespace mayfly::wasi
