// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Maps the host-owned pages at a guest's addresses, with a jump to this process as the hypercall.
#include "native_guest.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <array>
#include <cstring>
#include <ctime>

#include "base/check.h"
#include "guest/wasi/read_ahead.h"
#include "guest/wasi/state.h"
#include "guest_abi/layout.h"
#include "guest_abi/ports.h"

namespace mayfly {

namespace {

NativeGuest* current = nullptr;  // the jump has no other way to find it

void leave(uint32_t port) { current->serve(port); }

// mov $leave, %rax; jmp *%rax
void write_jump(uint8_t* at) {
  // SAFETY: a function's address as a number, for the instruction's operand.
  const auto target = reinterpret_cast<uint64_t>(&leave);
  const std::array<uint8_t, 2> move = {0x48, 0xB8};
  const std::array<uint8_t, 2> jump = {0xFF, 0xE0};
  std::memcpy(at, move.data(), move.size());
  std::memcpy(at + 2, &target, sizeof target);
  std::memcpy(at + 10, jump.data(), jump.size());
}

// The linear memory, and what the guest library buffers, is all that a port may touch.
class LinearAccess final : public runtime::GuestAccess {
 public:
  LinearAccess(uint64_t address, std::span<uint8_t> bytes) : address_(address), bytes_(bytes) {}
  Result<void> read(uint64_t address, std::span<uint8_t> to) const override {
    if (to.empty()) return {};
    const auto from = MAYFLY_TRY(range(address, to.size()));
    std::memcpy(to.data(), from.data(), to.size());
    return {};
  }
  Result<void> write(uint64_t address, std::span<const uint8_t> from) override {
    if (from.empty()) return {};
    const auto to = MAYFLY_TRY(range(address, from.size()));
    std::memcpy(to.data(), from.data(), from.size());
    return {};
  }
  Result<std::span<uint8_t>> view(uint64_t address, uint64_t bytes) override {
    return range(address, bytes);
  }

 private:
  // The library's variables are this process's, at addresses that a test cannot know.
  static Result<std::span<uint8_t>> library_range(uint64_t address, uint64_t bytes) {
    if (bytes > guest::kAheadBytesMax) return invalid("a range that is not the guest's");
    // SAFETY: only the guest library names ranges outside the linear memory, and its own.
    return std::span(reinterpret_cast<uint8_t*>(address), bytes);
  }
  Result<std::span<uint8_t>> range(uint64_t address, uint64_t bytes) const {
    if (address < address_ || bytes > bytes_.size() || address - address_ > bytes_.size() - bytes) {
      return library_range(address, bytes);
    }
    return bytes_.subspan(address - address_, bytes);
  }
  uint64_t address_;
  std::span<uint8_t> bytes_;
};

void* map_host_owned() {
  // SAFETY: below every address that the loader gives a program; NOREPLACE says if it is not.
  void* const address = reinterpret_cast<void*>(guest_abi::kHostOwned);
  void* const mapped = mmap(address, guest_abi::kHostOwnedEnd - guest_abi::kHostOwned,
                            PROT_READ | PROT_WRITE | PROT_EXEC,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  CHECK(mapped == address, errno);
  return mapped;
}

}  // namespace

NativeGuest::NativeGuest(const wasi::WasiConfig& config) : linear_(kMemoryBytes) {
  CHECK(current == nullptr);
  current = this;
  auto context = wasi::Context::create(config);
  CHECK(context.has_value(), context.error().message);
  context_ = *std::move(context);
  // The pages stay from one guest to the next, in zeros.
  static void* const pages = map_host_owned();
  std::memset(pages, 0, guest_abi::kHostOwnedEnd - guest_abi::kHostOwned);
  // SAFETY: the entry page, mapped just above.
  write_jump(reinterpret_cast<uint8_t*>(guest_abi::kHypercall));
  guest::wasi_state() = {};
  static uint64_t generation = 0;
  page().seed_generation =
      ++generation;  // what the library read ahead for another is not this one's
  // SAFETY: the linear memory's address as the compiler would write it down.
  memory_info_.address = reinterpret_cast<uint64_t>(linear_.data());
  memory_info_.bytes = linear_.size();
  memory_info_.bytes_max = linear_.size();
}

NativeGuest::~NativeGuest() { current = nullptr; }

guest_abi::CallPage& NativeGuest::page() {
  // SAFETY: mapped for the life of the process.
  return *reinterpret_cast<guest_abi::CallPage*>(guest_abi::kCallPage);
}

void NativeGuest::settle() {
  LinearAccess access(memory_info_.address, linear_);
  runtime::PortContext context{access, deadline_, -1, nullptr, this};
  const auto settled = context_->settle(context);
  CHECK(settled.has_value(), settled.error().message);
}

void NativeGuest::serve(uint32_t port) {
  ++exit_count_;
  settle();
  if (port == static_cast<uint32_t>(guest_abi::Port::kClock)) {
    guest_abi::ClockRequest request{};
    std::memcpy(&request, page().request, sizeof request);
    timespec now{};
    if (request.clock < 4 &&
        clock_gettime(request.clock == 0 ? CLOCK_REALTIME : CLOCK_MONOTONIC, &now) == 0) {
      request.nanoseconds =
          static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
      if (request.clock == 0) request.nanoseconds += static_cast<uint64_t>(realtime_ahead_ns);
      if (request.clock == 1) request.nanoseconds -= monotonic_behind_ns;
      request.resolution_ns = 1;
    }
    std::memcpy(page().request, &request, sizeof request);
    return;
  }
  LinearAccess access(memory_info_.address, linear_);
  runtime::PortContext context{access, deadline_, -1, nullptr, this};
  alignas(64) std::array<uint8_t, guest_abi::kRequestBytesMax> request{};
  std::memcpy(request.data(), page().request, request.size());
  const auto outcome = context_->handle(port, context, request);
  CHECK(outcome.has_value(), port, outcome.error().message);
  std::memcpy(page().request + outcome->out_offset, request.data() + outcome->out_offset,
              outcome->out_bytes);
}

}  // namespace mayfly
