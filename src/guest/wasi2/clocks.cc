// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// wasi:clocks: what needs no waiting.
#include "guest/wasi/clock.h"
#include "guest/wasi2/functions.h"
#include "guest/wasi2/transfer.h"

namespace mayfly::guest {
namespace {

using guest_abi::wasi::ClockId;

struct Datetime {
  uint64_t seconds;
  uint32_t nanoseconds;
};

constexpr uint64_t kSecond = 1'000'000'000;

Datetime datetime(uint64_t nanoseconds) {
  return {nanoseconds / kSecond, static_cast<uint32_t>(nanoseconds % kSecond)};
}

ClockReading read(ClockId clock) { return read_clock(static_cast<uint32_t>(clock)); }

}  // namespace
}  // namespace mayfly::guest

using mayfly::guest::ClockId;
using mayfly::guest::datetime;
using mayfly::guest::read;
using mayfly::guest::Transfer;

uint64_t mayfly_wasi2_monotonic_now(MemoryInfo* /*transfer*/) {
  return read(ClockId::kMonotonic).nanoseconds;
}

uint64_t mayfly_wasi2_monotonic_resolution(MemoryInfo* /*transfer*/) {
  return read(ClockId::kMonotonic).resolution_ns;
}

uint32_t mayfly_wasi2_wall_now(MemoryInfo* transfer) {
  return Transfer(transfer).allocate(datetime(read(ClockId::kRealtime).nanoseconds));
}

uint32_t mayfly_wasi2_wall_resolution(MemoryInfo* transfer) {
  return Transfer(transfer).allocate(datetime(read(ClockId::kRealtime).resolution_ns));
}
