// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Waiting for pollables and descriptors. What is ready by itself needs no exit; the rest is one
// call of the host's poll, in which it sleeps.
#pragma once

#include <cstdint>

#include "guest/wasi/fd_table.h"
#include "guest/wasi2/call.h"

namespace mayfly::guest {

// Whether a descriptor that is no file has something to read, or room. Never waits. `bytes`: how
// much, where the host knows it.
bool is_ready(const Call& call, const Descriptor& descriptor, PollFor events, uint64_t* bytes);
// Waits until it has.
void wait_for(const Call& call, const Descriptor& descriptor, PollFor events);

// A new pollable; of a stream's number, or of an instant of the monotonic clock.
uint32_t new_stream_pollable(const Call& call, uint32_t stream, PollFor events);
// Of a socket, a stream of datagrams, or a lookup.
uint32_t new_object_pollable(const Call& call, uint32_t object);
uint32_t new_instant_pollable(const Call& call, uint64_t instant_ns);

}  // namespace mayfly::guest
