// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// clock_res_get and clock_time_get. Monotonic and real time come from the processor's counter and
// the factors in the call page, or from the host where it has no usable counter.
#include "guest/wasi/clock.h"

#include "guest/wasi/functions.h"
#include "guest/wasi/linear_memory.h"
#include "guest/wasi/port_call.h"
#include "guest/wasi/state.h"
#include "guest/wasi/ticks_x86_64.h"

namespace mayfly::guest {

namespace wasi = guest_abi::wasi;

namespace {

// Never less than before: neither by the order of instructions nor by new factors.
uint64_t monotonic_ns(const guest_abi::CallPage& page) {
  const auto product =
      static_cast<unsigned __int128>(ticks() + page.tsc_offset) * page.tsc_multiplier;
  const auto now = static_cast<uint64_t>(product >> 32);
  uint64_t& last = wasi_state().last_monotonic_ns;
  if (now > last) last = now;
  return last;
}

uint64_t coarsened(uint64_t nanoseconds, uint64_t resolution_ns) {
  return resolution_ns > 1 ? nanoseconds - nanoseconds % resolution_ns : nanoseconds;
}

ClockReading ask_host(uint32_t clock) {
  auto& request = new_request<guest_abi::ClockRequest>();
  request.clock = clock;
  hypercall(guest_abi::Port::kClock);
  if (request.resolution_ns == 0) return {wasi::Errno::kInval, 0, 0};
  return {wasi::Errno::kSuccess, request.nanoseconds, request.resolution_ns};
}

}  // namespace

ClockReading read_clock(uint32_t clock) {
  const guest_abi::CallPage& page = call_page();
  const bool is_real = clock == static_cast<uint32_t>(wasi::ClockId::kRealtime);
  const bool is_monotonic = clock == static_cast<uint32_t>(wasi::ClockId::kMonotonic);
  if (page.tsc_multiplier == 0 || (!is_real && !is_monotonic)) return ask_host(clock);
  const uint64_t resolution_ns = page.clock_resolution_ns != 0 ? page.clock_resolution_ns : 1;
  uint64_t now = monotonic_ns(page);
  if (is_real) now += page.realtime_offset_ns;
  return {wasi::Errno::kSuccess, coarsened(now, resolution_ns), resolution_ns};
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
