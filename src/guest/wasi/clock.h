// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The clocks, read without leaving the VM where the host's page allows it.
#pragma once

#include "guest_abi/wasi.h"

namespace mayfly::guest {

struct ClockReading {
  guest_abi::wasi::Errno error;
  uint64_t nanoseconds;
  uint64_t resolution_ns;
};

// Errors: kInval for a clock that there is not.
ClockReading read_clock(uint32_t clock);

}  // namespace mayfly::guest
