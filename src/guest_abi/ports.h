// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The ports: everything that a guest can ask its host for. Each is a number and a struct in
// CallPage::request with what goes in first and what comes out last. The host copies the struct
// once, checks the copy, uses the copy, and writes back the `out` part only.
//
// Addresses are guest virtual addresses; the host checks that the whole range is the guest's.
#pragma once

#include <cstdint>

namespace mayfly::guest_abi {

enum class Port : uint32_t {
  kReturn = 0,      // the entry code: the call is over, its results are in the slots
  kGrow = 1,        // GrowRequest
  kHostCall = 2,    // HostCallRequest: a function that the embedder defined
  kExit = 3,        // ExitRequest: proc_exit; never resumed
  kClock = 4,       // ClockRequest
  kAbort = 5,       // AbortRequest: the guest library ends the call with a message; never resumed
  kBench = 6,       // BenchRequest: the marks of `mayfly run --bench`
  kWasiFirst = 64,  // wasi_ports.h
};

// Those that can be answered without an exit. A guest that wants another leaves its machine, so
// that it does not run while the host is at work in its memory or with its files.
inline constexpr uint32_t kSpinPorts[] = {0, 2};
static_assert(kSpinPorts[0] == static_cast<uint32_t>(Port::kReturn) &&
              kSpinPorts[1] == static_cast<uint32_t>(Port::kHostCall));

// Grows a region (a linear memory or a table) of the image's memory plan.
struct GrowRequest {
  // in
  uint32_t region;
  uint32_t reserved;
  uint64_t bytes_new;
  // out
  uint32_t ok;  // 1: [0, bytes_new) is there now; 0: nothing changed
  uint32_t reserved_out;
};

// The arguments are in CallPage::slots and the results come back there.
struct HostCallRequest {
  // in
  uint32_t import_index;  // in the image's list of host functions
  uint32_t reserved;
};

struct ExitRequest {
  uint32_t code;
};

struct ClockRequest {
  // in
  uint32_t clock;  // WASI clock id
  uint32_t reserved;
  // out
  uint64_t nanoseconds;
  uint64_t resolution_ns;
};

struct AbortRequest {
  uint8_t code;  // TrapCode
  uint8_t reserved[7];
  uint64_t message_address;
  uint32_t message_bytes;
};

struct BenchRequest {
  uint32_t mark;  // 0: bench.start, 1: bench.end
};

}  // namespace mayfly::guest_abi
