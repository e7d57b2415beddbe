// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// HTTP exchanges among the program's handles: their bodies at kRead and kWrite, and waiting for
// them.
#pragma once

#include <functional>
#include <vector>

#include "wasi/port_call.h"
#include "wasi/wait.h"

namespace mayfly::wasi {

// Precondition of both: the handle has an exchange.
PortAnswer read_exchange(PortCall& call, Handle& handle, guest_abi::WasiTransferRequest& request);
PortAnswer write_exchange(PortCall& call, Handle& handle, guest_abi::WasiTransferRequest& request);

// wait_for() of wait.h, in which the program's exchanges go on.
WaitResult wait_with_exchanges(PortCall& call, std::vector<pollfd>& fds,
                               std::optional<std::chrono::nanoseconds> timeout,
                               const std::function<bool()>& is_ready);

}  // namespace mayfly::wasi
