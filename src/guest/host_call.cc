// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the adapters of host functions call, once the arguments are in their slots.
#include "guest/port.h"

using mayfly::guest_abi::HostCallRequest;
using mayfly::guest_abi::Port;

extern "C" {

// The arguments are in the slots already, and the results are there afterwards.
void mayfly_host_call(uint32_t import_index) {
  mayfly::guest::call_port(Port::kHostCall, HostCallRequest{import_index, 0});
}

}  // extern "C"
