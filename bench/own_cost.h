// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// own_cost: what an action takes of this thread that does not depend on the machine: instructions
// of this process, and entries into guests.
#pragma once

#include <cstdint>
#include <functional>

namespace mayfly::bench {

struct OwnCost {
  uint64_t instructions = 0;  // outside the kernel and guests
  uint64_t exits = 0;         // of guests: calls of KVM_RUN
};

// Runs `action` once, step by step, under a child that traces this thread; about 10 us a step.
// Other threads run freely and do not count. All zero where tracing is not allowed, or takes
// seconds.
OwnCost own_cost(const std::function<void()>& action);

}  // namespace mayfly::bench
