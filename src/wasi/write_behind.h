// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// BehindReader: the host's end of the buffer in which a guest leaves what it writes to files
// (guest_abi/write_behind.h). Everything in it is a claim: of where it is, how much is in it, and
// which file it is for.
//
// An error that comes too late for its write is kept with the handle, for the next port call that
// changes, syncs or closes it, as a kernel does with its own writes behind.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <vector>

#include "wasi/port_call.h"

namespace mayfly::wasi {

class BehindReader {
 public:
  // Gives all that is in the buffer to the files. Errors: kInvalid for what no guest library
  // writes; kLimit past what the call may write. What an error is about is dropped.
  Result<void> settle(PortCall& call);
  // The guest's words are zeros again.
  void restart() { consumed_ = 0; }

  // After a port: how much the guest may write behind from now on.
  void tell_limits(PortCall& call) const;

 private:
  // Neighbours in one file, which go to it in one system call.
  struct Run {
    uint32_t handle = 0;
    uint64_t position = 0;
    uint64_t bytes = 0;
    std::vector<iovec> buffers;
  };
  // What is left of the buffer; the record is taken from its front.
  Result<void> take_record(PortCall& call, std::span<uint8_t>& records);
  Result<void> take_records(PortCall& call, uint64_t produced);
  Result<void> write_run(PortCall& call);

  uint64_t consumed_ = 0;
  uint64_t payload_ = 0;  // of the records so far
  Run run_;
};

// A small write that could have been behind has come to the host: after a few, the guest need not
// come for each.
void count_direct_write(PortCall& call, const Handle& handle);

// The error that a write behind has left, once.
Errno take_late_error(PortCall& call, Handle& handle);

}  // namespace mayfly::wasi
