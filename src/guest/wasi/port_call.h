// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How the WASI functions reach the host: the request in the call page, and the call that leaves
// the VM with it. One request at a time: fill all of it, call, take the answer.
#pragma once

#include "guest/port.h"
#include "guest_abi/wasi.h"
#include "guest_abi/wasi_ports.h"

namespace mayfly::guest {

// The place of a request, with all its fields zero.
template <typename T>
T& new_request() {
  T& request = request_place<T>();
  __builtin_memset(&request, 0, sizeof request);
  return request;
}

// Leaves the VM with the request that new_request() gave; the answer is in the same place.
template <typename T>
guest_abi::wasi::Errno call_port(guest_abi::WasiPort port, const T& request) {
  hypercall(static_cast<guest_abi::Port>(port));
  return static_cast<guest_abi::wasi::Errno>(request.error);
}

}  // namespace mayfly::guest
