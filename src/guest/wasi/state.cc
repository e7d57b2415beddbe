// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The one variable of the WASI functions.
#include "guest/wasi/state.h"

namespace mayfly::guest {

namespace {

WasiState state;

}  // namespace

WasiState& wasi_state() { return state; }

}  // namespace mayfly::guest
