// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each handler copies its request out of the call page once, checks the copy and uses the copy;
// only out fields go back.
#include "runtime/port_dispatcher.h"

#include <time.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <string>
#include <utility>

#include "base/check.h"
#include "runtime/printable.h"

namespace mayfly::runtime {
namespace {

using guest_abi::Port;
using guest_abi::TrapCode;
using Outcome = std::optional<CallOutcome>;

constexpr uint32_t kAbortMessageBytesMax = 200;

template <typename Request>
Request copy_request(vmm::Vm& vm) {
  static_assert(sizeof(Request) <= guest_abi::kRequestBytesMax);
  Request request;
  std::memcpy(&request, vm.call_page().request, sizeof request);
  return request;
}

// Puts back the bytes of the request from `offset` on.
template <typename Request>
void answer_request(vmm::Vm& vm, const Request& request, size_t offset) {
  std::array<uint8_t, sizeof(Request)> bytes;
  std::memcpy(bytes.data(), &request, sizeof request);
  std::memcpy(vm.call_page().request + offset, bytes.data() + offset, sizeof(Request) - offset);
}

CallOutcome trapped(TrapCode code, std::string message) {
  CallOutcome outcome;
  outcome.kind = CallOutcome::Kind::kTrapped;
  outcome.trap.code = code;
  outcome.trap.message = std::move(message);
  return outcome;
}

constexpr uint64_t kTableEntryBytes = 8;  // guest_abi/instance.h

bool counts(const image::Region& region) {
  return region.kind == image::RegionKind::kMemory || region.kind == image::RegionKind::kTable;
}

std::optional<clockid_t> host_clock(uint32_t wasi_clock) {
  static constexpr std::array<clockid_t, 4> kClocks = {
      CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID};
  if (wasi_clock >= kClocks.size()) return std::nullopt;
  return kClocks[wasi_clock];
}

uint64_t nanoseconds(const timespec& time) {
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

// How a call ends whose request a handler did not take.
CallOutcome end_of(const Error& error) {
  if (error.kind != ErrorKind::kLimit) {
    return trapped(TrapCode::kHostError, "host error: " + printable(error.message));
  }
  CallOutcome ended;
  ended.kind = CallOutcome::Kind::kLimit;
  ended.message = error.message;
  return ended;
}

// Within half of it the host looks again, so nothing waits longer (docs/decisions/0017).
constexpr std::chrono::milliseconds kBehindTime{10};

class VmAccess final : public GuestAccess {
 public:
  explicit VmAccess(vmm::Vm& vm) : vm_(vm) {}
  Result<void> read(uint64_t address, std::span<uint8_t> to) const override {
    return vm_.read(address, to);
  }
  Result<void> write(uint64_t address, std::span<const uint8_t> from) override {
    return vm_.write(address, from);
  }
  Result<std::span<uint8_t>> view(uint64_t address, uint64_t bytes) override {
    return vm_.view(address, bytes);
  }

 private:
  vmm::Vm& vm_;
};

}  // namespace

PortDispatcher::PortDispatcher(std::span<const image::Region> regions,
                               std::span<const image::HostFunction> host_functions, vmm::Vm& vm,
                               const PortOptions& options)
    : regions_(regions), host_functions_(host_functions), vm_(vm), options_(options) {}

Result<Outcome> PortDispatcher::handle(uint32_t port) {
  if (has_behind() || bad_behind_) [[unlikely]] {
    if (auto ended = settle()) return ended;
  }
  switch (static_cast<Port>(port)) {
    case Port::kGrow:
      return grow();
    case Port::kHostCall:
      return host_call();
    case Port::kExit:
      return Outcome(exit());
    case Port::kClock:
      return clock();
    case Port::kAbort:
      return Outcome(abort());
    case Port::kBench:
      return bench();
    default:
      return pass_on(port);
  }
}

bool PortDispatcher::may_grow(uint32_t region, uint64_t bytes_new) const {
  if (region >= regions_.size() || !counts(regions_[region])) return false;
  const uint64_t bytes_now = vm_.region_bytes(region);
  if (bytes_new < bytes_now || bytes_new > regions_[region].bytes_reserved) return false;
  uint64_t bytes_others = 0;
  uint64_t table_bytes = regions_[region].kind == image::RegionKind::kTable ? bytes_new : 0;
  for (size_t i = 0; i < regions_.size(); ++i) {
    if (!counts(regions_[i]) || i == region) continue;
    bytes_others += vm_.region_bytes(i);
    if (regions_[i].kind == image::RegionKind::kTable) table_bytes += vm_.region_bytes(i);
  }
  if (regions_[region].kind == image::RegionKind::kTable &&
      table_bytes / kTableEntryBytes > options_.limits.table_entries_max) {
    return false;
  }
  const uint64_t bytes_max = options_.limits.memory_bytes_max;
  return bytes_others <= bytes_max && bytes_new <= bytes_max - bytes_others;
}

uint64_t PortDispatcher::memory_bytes() const {
  uint64_t bytes = 0;
  for (size_t i = 0; i < regions_.size(); ++i) {
    if (counts(regions_[i])) bytes += vm_.region_bytes(i);
  }
  return bytes;
}

Result<void> PortDispatcher::check_sizes(std::span<const uint64_t> region_bytes) const {
  CHECK(region_bytes.size() == regions_.size());
  uint64_t bytes = 0;
  uint64_t entries = 0;
  for (size_t i = 0; i < regions_.size(); ++i) {
    if (!counts(regions_[i])) continue;
    bytes += region_bytes[i];
    if (regions_[i].kind == image::RegionKind::kTable)
      entries += region_bytes[i] / kTableEntryBytes;
  }
  const RunLimits& limits = options_.limits;
  if (bytes > limits.memory_bytes_max) {
    return limit("the snapshot has " + std::to_string(bytes) +
                 " bytes of memory, past the limit of " + std::to_string(limits.memory_bytes_max));
  }
  if (entries > limits.table_entries_max) {
    return limit("the snapshot has " + std::to_string(entries) +
                 " table entries, past the limit of " + std::to_string(limits.table_entries_max));
  }
  return {};
}

Result<Outcome> PortDispatcher::grow() {
  auto request = copy_request<guest_abi::GrowRequest>(vm_);
  request.reserved_out = 0;
  request.ok = 0;
  // A host without memory is a failed memory.grow for the guest, nothing more.
  if (may_grow(request.region, request.bytes_new) && vm_.resize(request.region, request.bytes_new))
    request.ok = 1;
  answer_request(vm_, request, offsetof(guest_abi::GrowRequest, ok));
  return Outcome();
}

Result<Outcome> PortDispatcher::host_call() {
  const auto request = copy_request<guest_abi::HostCallRequest>(vm_);
  if (request.import_index >= host_functions_.size() || options_.host_calls == nullptr) {
    return Outcome(trapped(TrapCode::kHostError, "host error: no host function " +
                                                     std::to_string(request.import_index) + " of " +
                                                     std::to_string(host_functions_.size())));
  }
  const auto ended = options_.host_calls->call_host(request.import_index, vm_.call_page().slots);
  if (ended != nullptr) return Outcome(std::move(*ended));
  return go_on();
}

CallOutcome PortDispatcher::exit() const {
  CallOutcome outcome;
  outcome.kind = CallOutcome::Kind::kExited;
  outcome.exit_code = copy_request<guest_abi::ExitRequest>(vm_).code;
  return outcome;
}

Result<Outcome> PortDispatcher::clock() {
  auto request = copy_request<guest_abi::ClockRequest>(vm_);
  request.nanoseconds = 0;
  request.resolution_ns = 0;
  if (const auto id = host_clock(request.clock)) {
    timespec time{};
    timespec resolution{};
    if (::clock_gettime(*id, &time) != 0) return host_error("clock_gettime");
    if (::clock_getres(*id, &resolution) != 0) return host_error("clock_getres");
    request.nanoseconds = nanoseconds(time);
    request.resolution_ns = nanoseconds(resolution);
  }
  answer_request(vm_, request, offsetof(guest_abi::ClockRequest, nanoseconds));
  return Outcome();
}

CallOutcome PortDispatcher::abort() const {
  const auto request = copy_request<guest_abi::AbortRequest>(vm_);
  std::string message(std::min(request.message_bytes, kAbortMessageBytesMax), '\0');
  std::vector<uint8_t> bytes(message.size());
  if (vm_.read(request.message_address, bytes)) {
    message.assign(bytes.begin(), bytes.end());
  } else {
    message = "no message";
  }
  return trapped(TrapCode::kGuestAbort, "guest library abort: " + printable(message));
}

Result<Outcome> PortDispatcher::bench() {
  const auto request = copy_request<guest_abi::BenchRequest>(vm_);
  const auto now = std::chrono::steady_clock::now();
  if (request.mark == 0) {
    bench_started_ = now;
  } else if (bench_started_) {
    bench_time_ = bench_time_.value_or(std::chrono::nanoseconds{0}) + (now - *bench_started_);
    bench_started_.reset();
  }
  return Outcome();
}

Result<Outcome> PortDispatcher::pass_on(uint32_t port) {
  if (port < static_cast<uint32_t>(Port::kWasiFirst) || options_.handler == nullptr) {
    return Outcome(
        trapped(TrapCode::kHostError, "host error: nothing answers port " + std::to_string(port)));
  }
  alignas(16) std::array<uint8_t, guest_abi::kRequestBytesMax> request;
  std::memcpy(request.data(), vm_.call_page().request, request.size());
  VmAccess access(vm_);
  PortContext context = context_with(access);
  const auto outcome = options_.handler->handle(port, context, request);
  if (!outcome) return Outcome(end_of(outcome.error()));
  CHECK(outcome->out_offset <= request.size() &&
            outcome->out_bytes <= request.size() - outcome->out_offset,
        port, outcome->out_offset, outcome->out_bytes);
  std::memcpy(vm_.call_page().request + outcome->out_offset, request.data() + outcome->out_offset,
              outcome->out_bytes);
  return go_on();
}

// A handler that waited until the deadline has no answer for the guest to act on: not an
// instruction of it may run any more.
Outcome PortDispatcher::go_on() const {
  if (!options_.deadline || std::chrono::steady_clock::now() < *options_.deadline) return {};
  CallOutcome outcome;
  outcome.kind = CallOutcome::Kind::kDeadline;
  return outcome;
}

PortContext PortDispatcher::context_with(GuestAccess& access) {
  return {access, options_.deadline, options_.cancel_fd, options_.traffic, this};
}

// A claim of the guest: what it hides it has not written.
bool PortDispatcher::has_behind() const {
  const guest_abi::WriteBehind& shared = vm_.call_page().write_behind;
  return __atomic_load_n(&shared.produced, __ATOMIC_SEQ_CST) !=
         __atomic_load_n(&shared.consumed, __ATOMIC_RELAXED);
}

Outcome PortDispatcher::settle() {
  if (bad_behind_) return std::exchange(bad_behind_, std::nullopt);
  if (options_.handler == nullptr) return {};
  VmAccess access(vm_);
  PortContext context = context_with(access);
  const auto settled = options_.handler->settle(context);
  return settled ? Outcome() : Outcome(end_of(settled.error()));
}

Outcome PortDispatcher::settle_at_end() {
  auto ended = settle();
  unwatch();
  return ended;
}

Outcome PortDispatcher::unwatch() {
  if (is_watched_) __atomic_store_n(&words().is_watched, 0U, __ATOMIC_RELAXED);
  is_watched_ = false;
  return {};
}

void PortDispatcher::watch() {
  if (is_watched_) return;
  if (!vm_.look_at(std::chrono::steady_clock::now() + kBehindTime / 2, *this)) return;
  is_watched_ = true;
  __atomic_store_n(&words().is_watched, 1U, __ATOMIC_SEQ_CST);
}

// A guest that has nothing new is not looked at again. One that runs on while it is looked at sees
// that, or is seen: the host stores before it reads, the guest too.
void PortDispatcher::look() {
  bool has_new = has_behind();
  if (!has_new) {
    is_watched_ = false;
    __atomic_store_n(&words().is_watched, 0U, __ATOMIC_SEQ_CST);
    has_new = has_behind();
  }
  if (!has_new) return;
  is_watched_ = false;
  watch();
  if (auto ended = settle()) {
    bad_behind_ = std::move(ended);
    vm_.cancel();
  }
}

}  // namespace mayfly::runtime
