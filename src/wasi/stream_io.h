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
// kAtOnce: as much as fits. kAll: all of it, however long that takes. kPermitted: all of it, and a
// socket that the program made takes it without waiting (own_socket.h).
enum class Writing : uint8_t { kAtOnce, kAll, kPermitted };
// SIGPIPE is not raised: kPipe says it.
Transferred write_stream(const Handle& handle, std::vector<iovec>& buffers, Writing writing,
                         const runtime::PortContext& context);

}  // namespace mayfly::wasi
