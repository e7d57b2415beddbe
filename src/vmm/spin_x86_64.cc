// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Guests measure how long they poll by the processor's counter: it needs no call page and no exit.
#include "vmm/spin_x86_64.h"

#include <sched.h>

namespace mayfly::vmm {
namespace {

using std::chrono::nanoseconds;
using std::chrono::steady_clock;

double measure_ticks_per_nanosecond() {
  constexpr nanoseconds kTime{200'000};
  const auto start = steady_clock::now();
  const uint64_t ticks_at_start = __builtin_ia32_rdtsc();
  poll_until(start + kTime, [] { return false; });
  const nanoseconds took = steady_clock::now() - start;
  const uint64_t ticks = __builtin_ia32_rdtsc() - ticks_at_start;
  return static_cast<double>(ticks) / static_cast<double>(took.count());
}

}  // namespace

bool can_spin() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  // It refuses where the kernel knows more processors than the set has room for: many.
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return true;
  return CPU_COUNT(&allowed) > 1;
}

uint64_t ticks_of(nanoseconds time) {
  static const double ticks_per_nanosecond = measure_ticks_per_nanosecond();
  return static_cast<uint64_t>(static_cast<double>(time.count()) * ticks_per_nanosecond);
}

}  // namespace mayfly::vmm
