// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Waiting for a descriptor of the host, but no longer than the call may take.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include <poll.h>

#include "runtime/port_handler.h"
#include "wasi/errno_map.h"

namespace mayfly::wasi {

struct WaitResult {
  Errno error = Errno::kSuccess;  // kIntr: the call's deadline came, or it was cancelled
  int ready_count = 0;            // 0: the timeout came first
};

// poll() over fds, until one is ready, the timeout is over, or the call has to end.
WaitResult wait_for(std::vector<pollfd>& fds, std::optional<std::chrono::nanoseconds> timeout,
                    const runtime::PortContext& context);

// Until fd is ready for events (POLLIN, POLLOUT) or has an error. kIntr as above.
Errno wait_for(int fd, short events, const runtime::PortContext& context);

}  // namespace mayfly::wasi
