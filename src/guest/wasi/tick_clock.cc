// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An anchor and a rate; and when each is too old.
#include "guest/wasi/tick_clock.h"

#include "guest/wasi/port_call.h"
#include "guest/wasi/ticks_x86_64.h"

namespace mayfly::guest {

namespace wasi = guest_abi::wasi;

namespace {

// Counters run at 1 to 5 GHz. An anchor serves for 0.4 to 2 s.
constexpr uint64_t kAnchorTicksMax = uint64_t{1} << 31;
// A rate is measured over at least 7 to 35 ms, of which a reading's uncertainty is a small part.
constexpr uint64_t kRateTicksMin = uint64_t{1} << 25;

uint64_t product_high(uint64_t ticks_passed, uint64_t ns_per_tick) {
  return static_cast<uint64_t>((static_cast<unsigned __int128>(ticks_passed) * ns_per_tick) >> 32);
}

}  // namespace

ClockReading ask_host(uint32_t clock) {
  auto& request = new_request<guest_abi::ClockRequest>();
  request.clock = clock;
  hypercall(guest_abi::Port::kClock);
  if (request.resolution_ns == 0) return {wasi::Errno::kInval, 0, 0};
  return {wasi::Errno::kSuccess, request.nanoseconds, request.resolution_ns};
}

uint64_t TickClock::to_own(uint64_t generation, uint64_t host_ns) {
  if (host_generation_ != generation) {
    host_generation_ = generation;
    if (host_ns + offset_ns_ < last_monotonic_ns_) offset_ns_ = last_monotonic_ns_ - host_ns;
  }
  return host_ns + offset_ns_;
}

uint64_t TickClock::continued(uint64_t generation, uint64_t host_ns) {
  return not_before_last(to_own(generation, host_ns));
}

uint64_t TickClock::not_before_last(uint64_t monotonic_ns) {
  if (monotonic_ns > last_monotonic_ns_) last_monotonic_ns_ = monotonic_ns;
  return last_monotonic_ns_;
}

// A rate that does not fit the last one is none: the host slept, or its clock was set.
void TickClock::measure_rate(uint64_t ticks_passed, uint64_t ns_passed) {
  while (ns_passed > UINT32_MAX) {
    ns_passed /= 2;
    ticks_passed /= 2;
  }
  if (ticks_passed == 0) return;
  const uint64_t rate = (ns_passed << 32) / ticks_passed;
  const uint64_t difference = rate > ns_per_tick_ ? rate - ns_per_tick_ : ns_per_tick_ - rate;
  const bool fits = ns_per_tick_ == 0 || difference <= ns_per_tick_ / 1024;
  ns_per_tick_ = fits ? rate : 0;
}

void TickClock::take_readings(uint64_t generation) {
  if (generation_ != generation) {
    generation_ = generation;
    anchor_ticks_ = 0;
    ns_per_tick_ = 0;
  }
  const uint64_t before = ticks();
  const uint64_t monotonic_ns =
      to_own(generation, ask_host(static_cast<uint32_t>(wasi::ClockId::kMonotonic)).nanoseconds);
  const uint64_t between = ticks();
  const uint64_t realtime_ns =
      ask_host(static_cast<uint32_t>(wasi::ClockId::kRealtime)).nanoseconds;
  const uint64_t after = ticks();
  const uint64_t anchor = before + (between - before) / 2;
  if (anchor_ticks_ != 0) {
    measure_rate(anchor - anchor_ticks_, monotonic_ns - anchor_monotonic_ns_);
  }
  anchor_ticks_ = anchor;
  anchor_monotonic_ns_ = monotonic_ns;
  anchor_realtime_ns_ = realtime_ns - product_high((after - before) / 2, ns_per_tick_);
}

ClockReading TickClock::read(const guest_abi::CallPage& page, wasi::ClockId clock) {
  uint64_t passed = ticks() - anchor_ticks_;
  const bool is_anchored = anchor_ticks_ != 0 && generation_ == page.seed_generation;
  if (is_anchored && ns_per_tick_ == 0 && passed < kRateTicksMin) {
    ClockReading reading = ask_host(static_cast<uint32_t>(clock));
    if (clock == wasi::ClockId::kMonotonic) {
      reading.nanoseconds = continued(page.seed_generation, reading.nanoseconds);
    }
    return reading;
  }
  if (!is_anchored || passed >= kAnchorTicksMax || ns_per_tick_ == 0) {
    take_readings(page.seed_generation);
    passed = ticks() - anchor_ticks_;
  }
  const uint64_t since_anchor = product_high(passed, ns_per_tick_);
  if (clock == wasi::ClockId::kRealtime) {
    return {wasi::Errno::kSuccess, anchor_realtime_ns_ + since_anchor, 1};
  }
  return {wasi::Errno::kSuccess, not_before_last(anchor_monotonic_ns_ + since_anchor), 1};
}

}  // namespace mayfly::guest
