// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sleeping until a word changes, with a moment at which the sleep ends, which std::atomic::wait()
// lacks. A condition variable would do between threads, at the price of its lock at each wake-up,
// but neither between processes nor in a copy of the process that fork() made.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace mayfly::vmm {

// Returns when somebody woke the word, when it is not `value` (any more), when the moment has come,
// or for no reason: look again.
void futex_wait(uint32_t& word, uint32_t value,
                std::optional<std::chrono::steady_clock::time_point> until);
// One that sleeps on it, if there is one. The word's memory is there.
void futex_wake(uint32_t& word);

}  // namespace mayfly::vmm
