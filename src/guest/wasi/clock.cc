// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// clock_res_get and clock_time_get. Monotonic and real time come from the processor's counter, or
// from the host where it has no usable one.
#include "guest/wasi/clock.h"

#include "guest/wasi/functions.h"
#include "guest/wasi/linear_memory.h"
#include "guest/wasi/port_call.h"
#include "guest/wasi/state.h"

namespace mayfly::guest {

namespace wasi = guest_abi::wasi;

namespace {

uint64_t coarsened(uint64_t nanoseconds, uint64_t resolution_ns) {
  return resolution_ns > 1 ? nanoseconds - nanoseconds % resolution_ns : nanoseconds;
}

}  // namespace

ClockReading read_clock(uint32_t clock) {
  const guest_abi::CallPage& page = call_page();
  const auto id = static_cast<wasi::ClockId>(clock);
  const bool has_ticks = id == wasi::ClockId::kRealtime || id == wasi::ClockId::kMonotonic;
  const bool reads_ticks = page.ticks_are_steady != 0 && has_ticks;
  ClockReading reading = reads_ticks ? wasi_state().clock.read(page, id) : ask_host(clock);
  if (!reads_ticks && id == wasi::ClockId::kMonotonic && reading.error == wasi::Errno::kSuccess) {
    reading.nanoseconds = wasi_state().clock.continued(page.seed_generation, reading.nanoseconds);
  }
  if (page.clock_resolution_ns > reading.resolution_ns && reading.resolution_ns != 0) {
    reading.resolution_ns = page.clock_resolution_ns;
    reading.nanoseconds = coarsened(reading.nanoseconds, page.clock_resolution_ns);
  }
  return reading;
}

}  // namespace mayfly::guest

using mayfly::guest::answer;
using mayfly::guest::LinearMemory;
using mayfly::guest_abi::wasi::Errno;

uint32_t mayfly_wasi_p1_clock_time_get(MemoryInfo* memory, uint32_t clock, uint64_t /*precision*/,
                                       uint32_t to) {
  const LinearMemory linear(memory);
  if (!linear.contains(to, 8)) return answer(Errno::kFault);
  const auto reading = mayfly::guest::read_clock(clock);
  if (reading.error == Errno::kSuccess) linear.store(to, reading.nanoseconds);
  return answer(reading.error);
}

uint32_t mayfly_wasi_p1_clock_res_get(MemoryInfo* memory, uint32_t clock, uint32_t to) {
  const LinearMemory linear(memory);
  if (!linear.contains(to, 8)) return answer(Errno::kFault);
  const auto reading = mayfly::guest::read_clock(clock);
  if (reading.error == Errno::kSuccess) linear.store(to, reading.resolution_ns);
  return answer(reading.error);
}
