// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads and writes of what can block: pipes, terminals, sockets, devices. They wait with poll(), so
// the call's deadline ends them, and never with a lock on the descriptor's flags, which other
// processes share.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <vector>

#include "wasi/port_call.h"

namespace mayfly::wasi {

enum class Blocking : uint8_t { kNo, kYes };

struct Transferred {
  Errno error = Errno::kSuccess;
  uint64_t bytes = 0;
};

// As much as is there; waits for the first byte when blocking.
Transferred read_stream(const Handle& handle, std::vector<iovec>& buffers, Blocking blocking,
                        const runtime::PortContext& context);
// All of it when blocking, else as much as fits. SIGPIPE is not raised: kPipe says it.
Transferred write_stream(const Handle& handle, std::vector<iovec>& buffers, Blocking blocking,
                         const runtime::PortContext& context);

}  // namespace mayfly::wasi
