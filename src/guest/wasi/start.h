// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the host gave this guest at its start: how many arguments, variables and handles.
// Asked for once, at the first call that needs it.
#pragma once

#include "guest_abi/wasi_ports.h"

namespace mayfly::guest {

const guest_abi::WasiStartRequest& start_block();

}  // namespace mayfly::guest
