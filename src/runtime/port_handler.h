// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// PortHandler: who answers a guest's requests at the ports from kWasiFirst on, and GuestAccess,
// the only way in which it reaches guest memory.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/result.h"
#include "guest_abi/write_behind.h"
#include "runtime/run_counts.h"

namespace mayfly::runtime {

// Guest memory, with every range checked: it must lie where the guest itself can read or write.
// An interface, so that a handler's tests need no Vm.
class GuestAccess {
 public:
  virtual ~GuestAccess() = default;
  // Copies. Errors: kInvalid when a byte is outside; nothing was copied then.
  virtual Result<void> read(uint64_t address, std::span<uint8_t> to) const = 0;
  virtual Result<void> write(uint64_t address, std::span<const uint8_t> from) = 0;
  // The host's own view of a range in one region, for one copy or system call: the guest does not
  // run while a handler does, but the bytes are the guest's: never read one twice.
  virtual Result<std::span<uint8_t>> view(uint64_t address, uint64_t bytes) = 0;
};

// Bytes between the program and the host's files, streams and sockets.
struct PortTraffic {
  RunCounts& counts;
  uint64_t bytes_out_end = UINT64_MAX;  // that counts.bytes_out may reach
  uint64_t bytes_out_max = UINT64_MAX;  // of one call, for the message of who passes it
};

// The words that a guest and its host share about what is written behind.
class BehindAccess {
 public:
  virtual ~BehindAccess() = default;
  virtual guest_abi::WriteBehind& words() = 0;
  // settle() is called within kBehindTime from now on, until it finds nothing new.
  virtual void watch() = 0;
};

// What a handler that has to wait must also wait for.
struct PortContext {
  GuestAccess& guest;
  // The call ends with kDeadline at this moment: return then, whatever is not done yet.
  std::optional<std::chrono::steady_clock::time_point> deadline;
  // Readable once the call is cancelled, for poll(); -1: nobody can cancel.
  int cancel_fd = -1;
  PortTraffic* traffic = nullptr;  // null: nobody counts
  BehindAccess* behind = nullptr;  // null: the guest writes nothing behind
};

// How the guest goes on: it is resumed, with the bytes [out_offset, out_offset + out_bytes) of the
// request put back into the call page. out_bytes 0: nothing is put back.
struct PortOutcome {
  uint32_t out_offset = 0;
  uint32_t out_bytes = 0;
};

// What a handler holds for its program on the host, such as open files, between calls.
class HostState {
 public:
  virtual ~HostState() = default;
  // What it holds beside what each program is given at its start.
  virtual size_t open_files() const { return 0; }
};

// Threads: called on the thread that runs the guest, one request at a time.
class PortHandler {
 public:
  virtual ~PortHandler() = default;
  // request is a copy of CallPage::request (kRequestBytesMax bytes, aligned to 16), which the
  // handler may change: out fields are answered there. A WASI errno is an out field, not an Error.
  // Errors: kLimit ends the call as that. Others end it as a trap (kHostError) with this message:
  // the guest broke the port's rules (an unknown port, a range that is not the guest's), which no
  // guest library does.
  virtual Result<PortOutcome> handle(uint32_t port, PortContext& context,
                                     std::span<uint8_t> request) = 0;

  // Takes what the guest has written behind; context.behind is there. Errors: as handle().
  virtual Result<void> settle(PortContext& /*context*/) { return {}; }

  // The state now, for a snapshot; null: the handler has none. Errors: kHost.
  virtual Result<std::unique_ptr<const HostState>> save() {
    return std::unique_ptr<const HostState>();
  }
  // Makes the state what save() of this handler or of one with the same configuration returned;
  // null: what it was at the first such call. The state lives until the next. Errors: kHost.
  virtual Result<void> restore(const HostState* /*state*/) { return {}; }
};

}  // namespace mayfly::runtime
