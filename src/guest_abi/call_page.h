// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// CallPage: the one range that host and guest both write. Arguments and results of calls into
// the guest, and requests of the guest to the host. Neither side trusts what the other wrote.
#pragma once

#include <cstddef>
#include <cstdint>

#include "guest_abi/layout.h"
#include "guest_abi/write_behind.h"

namespace mayfly::guest_abi {

// A Wasm value in a slot. Integers and floats are in the low bytes, the rest is zero on the way
// in. funcref: the address of a FuncRef, 0 is null. externref: the host's number + 1, 0 is null.
struct alignas(16) Slot {
  uint64_t low = 0;
  uint64_t high = 0;  // only v128
};

// wasm-3.0: 1,000 parameters or results (DecodeLimits).
inline constexpr uint32_t kSlotsMax = 1024;
inline constexpr uint32_t kRequestBytesMax = 2048;

struct CallPage {
  // Written by the host before each entry, never read back.
  uint64_t ticks_are_steady;     // 1: the processor's counter runs at one rate, whatever happens
  uint64_t clock_resolution_ns;  // 0: as fine as they are
  uint8_t random_seed[32];       // new at each start, reset and fork
  uint64_t seed_generation;      // changes with random_seed
  // What is left of the fuel, in images that count it (docs/fuel.md). Compiled code keeps it in a
  // register: here it is right when the guest is entered, when it calls the host or the guest
  // library, when it returns, and when it is out of fuel, where it is below zero.
  int64_t fuel;
  // Written as ticks_are_steady is. 1: the processor has AVX2, for the guest library's loops.
  uint64_t has_avx2;
  uint64_t reserved[7];

  alignas(64) WriteBehind write_behind;

  // One request of the guest at a time (ports.h): the struct of the port that was called.
  alignas(64) uint8_t request[kRequestBytesMax];

  // Arguments of a call, then its results.
  alignas(64) Slot slots[kSlotsMax];
};

static_assert(offsetof(CallPage, write_behind) == 128);
static_assert(offsetof(CallPage, request) == 192);
static_assert(offsetof(CallPage, slots) == 192 + kRequestBytesMax);
static_assert(sizeof(CallPage) <= kCallPageBytes);

// What a funcref points to. The compiler emits one per function whose reference can be taken.
// wasm call_indirect compares type_id once; code is a function in the Wasm ABI.
struct FuncRef {
  uint64_t code;
  uint32_t type_id;         // one number per type in the whole image; never 0
  uint32_t function_index;  // in the defining module, for messages
};
static_assert(sizeof(FuncRef) == 16);

}  // namespace mayfly::guest_abi
