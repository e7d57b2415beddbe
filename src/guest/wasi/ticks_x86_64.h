// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The processor's counter. It runs at one rate, whatever the processor's speed, or the host says in
// the call page that it is not to be used.
#pragma once

#include <cstdint>

namespace mayfly::guest {

inline uint64_t ticks() {
  uint32_t low = 0;
  uint32_t high = 0;
  // SAFETY: reads the counter; CR4.TSD is off in every guest.
  asm volatile("rdtsc" : "=a"(low), "=d"(high));
  return (uint64_t{high} << 32) | low;
}

}  // namespace mayfly::guest
