// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How the WASI functions reach the host: the request in the call page, and the call that leaves
// the VM with it. One request at a time: fill all of it, call, take the answer.
#pragma once

#include <cstddef>
#include <cstdint>

#include "guest_abi/call_page.h"
#include "guest_abi/layout.h"
#include "guest_abi/ports.h"
#include "guest_abi/wasi.h"
#include "guest_abi/wasi_ports.h"

namespace mayfly::guest {

inline guest_abi::CallPage& wasi_call_page() {
  // SAFETY: the host maps a CallPage at this address in every guest, for the guest's life.
  return *reinterpret_cast<guest_abi::CallPage*>(guest_abi::kCallPage);
}

// The request area as a T, with all its fields zero.
template <typename T>
T& new_request() {
  static_assert(sizeof(T) <= guest_abi::kRequestBytesMax);
  // SAFETY: the area is aligned to 64 and large enough; T is a plain struct of ports.h.
  T& request = *reinterpret_cast<T*>(wasi_call_page().request);
  __builtin_memset(&request, 0, sizeof request);
  return request;
}

// Leaves the VM. The request is what new_request() gave.
inline void call_port(uint32_t port) {
  // SAFETY: the host's own code at this address in every guest; it follows the C ABI.
  reinterpret_cast<void (*)(uint32_t)>(guest_abi::kHypercall)(port);
}
inline void call_port(guest_abi::Port port) { call_port(static_cast<uint32_t>(port)); }

// The same, for the ports whose answer has an error.
template <typename T>
guest_abi::wasi::Errno call_port(guest_abi::WasiPort port, T& request) {
  call_port(static_cast<uint32_t>(port));
  return static_cast<guest_abi::wasi::Errno>(request.error);
}

}  // namespace mayfly::guest
