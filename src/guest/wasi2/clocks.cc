// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// wasi:clocks. There is no time zone: all times are UTC.
#include "guest/wasi/clock.h"
#include "guest/wasi2/functions.h"
#include "guest/wasi2/poll.h"
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

// record timezone-display.
struct TimezoneDisplay {
  int32_t utc_offset;
  TransferBytes name;
  uint8_t in_daylight_saving_time;
};

uint32_t utc(const Transfer& transfer) {
  constexpr char kName[] = {'U', 'T', 'C'};
  const uint32_t name = transfer.reserve(sizeof kName, 1);
  transfer.store(name, kName);
  return transfer.allocate(TimezoneDisplay{0, {name, sizeof kName}, 0});
}

}  // namespace
}  // namespace mayfly::guest

using mayfly::guest::Call;
using mayfly::guest::ClockId;
using mayfly::guest::datetime;
using mayfly::guest::read;
using mayfly::guest::Transfer;

uint64_t mayfly_wasi2_monotonic_now(MemoryInfo* /*transfer*/, MemoryInfo* /*state*/) {
  return read(ClockId::kMonotonic).nanoseconds;
}

uint64_t mayfly_wasi2_monotonic_resolution(MemoryInfo* /*transfer*/, MemoryInfo* /*state*/) {
  return read(ClockId::kMonotonic).resolution_ns;
}

uint32_t mayfly_wasi2_wall_now(MemoryInfo* transfer, MemoryInfo* /*state*/) {
  return Transfer(transfer).allocate(datetime(read(ClockId::kRealtime).nanoseconds));
}

uint32_t mayfly_wasi2_wall_resolution(MemoryInfo* transfer, MemoryInfo* /*state*/) {
  return Transfer(transfer).allocate(datetime(read(ClockId::kRealtime).resolution_ns));
}

uint32_t mayfly_wasi2_subscribe_instant(MemoryInfo* transfer, MemoryInfo* state, uint64_t when) {
  return mayfly::guest::new_instant_pollable(Call(transfer, state), when);
}

uint32_t mayfly_wasi2_subscribe_duration(MemoryInfo* transfer, MemoryInfo* state, uint64_t when) {
  uint64_t instant = 0;
  if (__builtin_add_overflow(read(ClockId::kMonotonic).nanoseconds, when, &instant)) {
    instant = UINT64_MAX;
  }
  return mayfly::guest::new_instant_pollable(Call(transfer, state), instant);
}

uint32_t mayfly_wasi2_timezone_display(MemoryInfo* transfer, MemoryInfo* /*state*/,
                                       uint64_t /*seconds*/, uint32_t /*nanoseconds*/) {
  return mayfly::guest::utc(Transfer(transfer));
}

uint32_t mayfly_wasi2_utc_offset(MemoryInfo* /*transfer*/, MemoryInfo* /*state*/,
                                 uint64_t /*seconds*/, uint32_t /*nanoseconds*/) {
  return 0;
}
