// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// All that the WASI functions remember between calls. Zeros in a new image, put back by a reset.
#pragma once

#include "guest/wasi/fd_table.h"
#include "guest/wasi/random.h"
#include "guest/wasi/tick_clock.h"
#include "guest_abi/wasi_ports.h"

namespace mayfly::guest {

struct WasiState {
  bool start_is_known;
  uint64_t start_generation;  // the seed_generation of the start that it is of
  bool fds_are_filled;
  TickClock clock;
  RandomStream random;
  guest_abi::WasiStartRequest start;
  FdTable fds;
};

WasiState& wasi_state();

}  // namespace mayfly::guest
