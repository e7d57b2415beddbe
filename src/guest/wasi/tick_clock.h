// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// TickClock: monotonic and real time from the processor's counter, without leaving the VM. What a
// tick is worth it measures itself, between two readings of the host's clocks; it takes new ones
// about once a second, so it follows the host's clocks when these are corrected.
//
// Invariants: (1) monotonic time never steps back; (2) no reading outlives the seed_generation it
// was taken in, because a counter may be another one after a restore.
#pragma once

#include <cstdint>

#include "guest_abi/call_page.h"
#include "guest_abi/wasi.h"

namespace mayfly::guest {

struct ClockReading {
  guest_abi::wasi::Errno error;
  uint64_t nanoseconds;
  uint64_t resolution_ns;
};

class TickClock {
 public:
  // The program's monotonic time at a reading of the host's: it goes on where a state that was
  // loaded on another host, or after a boot, had left it.
  uint64_t continued(uint64_t generation, uint64_t host_ns);
  // Precondition: clock is the monotonic or the real one.
  ClockReading read(const guest_abi::CallPage& page, guest_abi::wasi::ClockId clock);

 private:
  void take_readings(uint64_t generation);
  void measure_rate(uint64_t ticks_passed, uint64_t ns_passed);
  uint64_t to_own(uint64_t generation, uint64_t host_ns);
  uint64_t not_before_last(uint64_t monotonic_ns);

  uint64_t generation_;
  uint64_t host_generation_;      // the seed_generation that offset_ns_ was looked at in
  uint64_t offset_ns_;            // from the host's monotonic clock to the program's
  uint64_t anchor_ticks_;         // 0: no reading yet
  uint64_t anchor_monotonic_ns_;  // the host's clocks at anchor_ticks_
  uint64_t anchor_realtime_ns_;
  uint64_t ns_per_tick_;  // times 2^32; 0: not known yet
  uint64_t last_monotonic_ns_;
};

// The host's own clock. resolution_ns is 0 for a clock that there is not.
ClockReading ask_host(uint32_t clock);

}  // namespace mayfly::guest
