// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// FUTEX_WAIT_BITSET, because it takes an absolute time of CLOCK_MONOTONIC, which is steady_clock's.
#include "vmm/futex.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

#include "base/check.h"

namespace mayfly::vmm {
namespace {

long futex(uint32_t& word, int operation, uint32_t value, const timespec* until) {
  return ::syscall(SYS_futex, &word, operation, value, until, nullptr, FUTEX_BITSET_MATCH_ANY);
}

}  // namespace

void futex_wait(uint32_t& word, uint32_t value,
                std::optional<std::chrono::steady_clock::time_point> until) {
  if (!until.has_value()) {
    futex(word, FUTEX_WAIT_BITSET, value, nullptr);
    return;
  }
  constexpr int64_t kNanoseconds = 1'000'000'000;
  const int64_t since =
      std::chrono::duration_cast<std::chrono::nanoseconds>(until->time_since_epoch()).count();
  const timespec moment{static_cast<time_t>(since / kNanoseconds),
                        static_cast<long>(since % kNanoseconds)};
  futex(word, FUTEX_WAIT_BITSET, value, &moment);
}

// It can fail only where the memory is gone.
void futex_wake(uint32_t& word) { CHECK(futex(word, FUTEX_WAKE, 1, nullptr) >= 0, errno); }

}  // namespace mayfly::vmm
