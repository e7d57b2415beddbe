// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The clocks of a program: where they come from, and how fine they are.
#pragma once

#include "guest/wasi/tick_clock.h"

namespace mayfly::guest {

// Errors: kInval for a clock that there is not.
ClockReading read_clock(uint32_t clock);

}  // namespace mayfly::guest
