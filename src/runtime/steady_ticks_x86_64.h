// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whether a guest may make clocks of the processor's counter.
#pragma once

namespace mayfly::runtime {

// The time-stamp counter runs at one rate in all states of the processor.
bool has_steady_ticks();

}  // namespace mayfly::runtime
