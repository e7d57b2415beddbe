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

// Exitless calls (docs/decisions/0019-exitless-calls.md): host and guest take turns by two numbers,
// each in a line of its own that one side writes and the other polls. What the guest reads here it
// could as well have made up, and what the host reads here is a claim.
enum class SpinCommand : uint32_t {
  kEnter = 1,   // a new call: enter(thunk, function, slots) on a new stack
  kResume = 2,  // the call in progress goes on
  kLeave = 3,   // the guest leaves its machine, and waits there
};

struct alignas(128) HostLine {  // processors fetch lines of 64 bytes in pairs
  uint32_t turn;                // the number of the newest command; written last
  SpinCommand command;
  uint64_t thunk;
  uint64_t function;
  uint64_t spin_ticks;  // how long the guest polls for the next command, in ticks of its processor;
                        // 0: it leaves at once
  uint32_t is_asleep;   // 1: the host does not poll; to answer, the guest leaves
};

struct alignas(128) GuestLine {
  uint32_t turn;  // the number of the command that is answered; written last
  uint32_t port;
};

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

  HostLine host_line;
  GuestLine guest_line;
};

static_assert(offsetof(CallPage, write_behind) == 128);
static_assert(offsetof(CallPage, request) == 192);
static_assert(offsetof(CallPage, slots) == 192 + kRequestBytesMax);
static_assert(offsetof(CallPage, host_line) % 128 == 0);
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
