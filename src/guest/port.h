// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How code of the guest asks the host: put a request into the call page, leave through
// hypercall(), read the answer from where the request was. And how it traps.
#pragma once

#include "guest_abi/call_page.h"
#include "guest_abi/layout.h"
#include "guest_abi/ports.h"
#include "guest_abi/trap.h"

namespace mayfly::guest {

inline guest_abi::CallPage& call_page() {
  // SAFETY: the host maps the call page there in every guest, before any code runs.
  return *reinterpret_cast<guest_abi::CallPage*>(guest_abi::kCallPage);
}

inline void hypercall(guest_abi::Port port) {
  using Hypercall = void (*)(uint32_t);
  // SAFETY: layout.h fixes the address of this function of the host's entry page, in the C ABI.
  reinterpret_cast<Hypercall>(guest_abi::kHypercall)(static_cast<uint32_t>(port));
}

// The place of a request; valid until the next one is made.
template <typename Request>
Request& request_place() {
  static_assert(sizeof(Request) <= guest_abi::kRequestBytesMax);
  // SAFETY: the request area is aligned to 64 bytes and holds one struct of ports.h at a time.
  return *reinterpret_cast<Request*>(call_page().request);
}

// Makes one request and answers with its struct as the host left it.
template <typename Request>
Request call_port(guest_abi::Port port, const Request& in) {
  request_place<Request>() = in;
  hypercall(port);
  return request_place<Request>();
}

// Ends the call with a trap that the host names by its code.
template <guest_abi::TrapCode code>
[[noreturn]] inline void trap() {
  // SAFETY: `ud1l code(%eax), %eax` (67 0F B9 40 code) always faults and reads nothing; the host
  // finds the code in the instruction.
  asm volatile("ud1l %c0(%%eax), %%eax" ::"i"(static_cast<int>(code)));
  __builtin_trap();
}

}  // namespace mayfly::guest
