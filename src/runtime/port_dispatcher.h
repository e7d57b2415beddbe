// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// PortDispatcher: answers one request of the guest at a port. It grows memory within the limits,
// calls host functions, and passes WASI's ports on to their handler, to which it also gives what
// the guest has written behind: before any port, at a call's end, and a moment after it was
// written.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/result.h"
#include "guest_abi/ports.h"
#include "image/image.h"
#include "runtime/call_outcome.h"
#include "runtime/port_handler.h"
#include "vmm/vm.h"

namespace mayfly::runtime {

// Who runs the embedder's functions.
class HostCalls {
 public:
  virtual ~HostCalls() = default;
  // Runs function `index` of Image::host_functions: its arguments are in the slots, its results
  // go there. nullptr: the guest goes on; else how the call ends.
  virtual std::unique_ptr<CallOutcome> call_host(uint32_t index, guest_abi::Slot* slots) = 0;
};

struct RunLimits {
  uint64_t memory_bytes_max = uint64_t{4} << 30;  // all linear memories and tables together
  uint64_t table_entries_max = UINT64_MAX;        // of tables that can grow; all but the one that
                                                  // grows count as whole pages
};

struct PortOptions {
  RunLimits limits;
  PortHandler* handler = nullptr;   // of the ports from kWasiFirst on; may be null
  HostCalls* host_calls = nullptr;  // null: every host function is a trap
  std::optional<std::chrono::steady_clock::time_point> deadline;
  int cancel_fd = -1;  // PortContext
  PortTraffic* traffic = nullptr;
};

class PortDispatcher final : public vmm::GuestWatch, private BehindAccess {
 public:
  // The image's; everything outlives the dispatcher. The Vm has the same regions in the same order.
  PortDispatcher(std::span<const image::Region> regions,
                 std::span<const image::HostFunction> host_functions, vmm::Vm& vm,
                 const PortOptions& options);

  void set_deadline(std::optional<std::chrono::steady_clock::time_point> deadline) {
    options_.deadline = deadline;
  }

  // nullopt: the guest goes on; else how the call ended (a trap has no backtrace yet).
  // Errors: kHost.
  Result<std::optional<CallOutcome>> handle(uint32_t port);

  // At every end of a call, whatever it was: the guest does not run any more. What to end it with
  // instead of a return, if the guest broke the rules or a limit.
  std::optional<CallOutcome> end_call() {
    return has_behind() || bad_behind_ ? settle_at_end() : unwatch();
  }
  // Of a guest that runs on.
  void look() override;

  // Whether region `region` may become that large, within its own range and the limits.
  bool may_grow(uint32_t region, uint64_t bytes_new) const;
  // Of all linear memories and tables.
  uint64_t memory_bytes() const;
  // Errors: kLimit for a state, of so many bytes in each region, that is past the limits.
  Result<void> check_sizes(std::span<const uint64_t> region_bytes) const;

  // Between the marks bench.start and bench.end, all pairs together.
  std::optional<std::chrono::nanoseconds> bench_time() const { return bench_time_; }

 private:
  Result<std::optional<CallOutcome>> grow();
  Result<std::optional<CallOutcome>> host_call();
  Result<std::optional<CallOutcome>> clock();
  Result<std::optional<CallOutcome>> bench();
  Result<std::optional<CallOutcome>> pass_on(uint32_t port);
  // The guest runs again, unless the deadline came while the host was at work for it.
  std::optional<CallOutcome> go_on() const;
  CallOutcome exit() const;
  CallOutcome abort() const;
  bool has_behind() const;
  std::optional<CallOutcome> settle();
  std::optional<CallOutcome> settle_at_end();
  std::optional<CallOutcome> unwatch();
  PortContext context_with(GuestAccess& access);
  guest_abi::WriteBehind& words() override { return vm_.call_page().write_behind; }
  void watch() override;

  std::span<const image::Region> regions_;
  std::span<const image::HostFunction> host_functions_;
  vmm::Vm& vm_;
  PortOptions options_;
  std::optional<std::chrono::steady_clock::time_point> bench_started_;
  std::optional<std::chrono::nanoseconds> bench_time_;
  bool is_watched_ = false;
  std::optional<CallOutcome> bad_behind_;  // what look() found, which has no call to end
};

}  // namespace mayfly::runtime
