// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Bodies of wasi:http. Their streams are those of wasi:io, over the exchange's handle
// (stream_io.h); what goes out before there is an exchange waits in the body's buffer.
#pragma once

#include <cstdint>

#include "guest/wasi/fd_table.h"
#include "guest/wasi2/http_objects.h"

namespace mayfly::guest {

// `fields`: of the message, whose content-length the body keeps to.
uint32_t new_outgoing_body(const Call& call, uint32_t fields, bool is_response);
// The body of an incoming message, as a new object; 0: it was taken before.
uint32_t take_incoming_body(const Call& call, uint32_t message, ObjectKind kind);
// The exchange has begun: what waited is sent with its start (first_bytes of HttpStartRequest).
void attach_body(const Call& call, uint32_t body, uint32_t exchange);

inline bool is_body(ObjectKind kind) {
  return kind == ObjectKind::kOutgoingBody || kind == ObjectKind::kIncomingBody;
}

// What a stream over a body needs of a descriptor. Precondition: it is one, and its exchange has
// begun.
void body_descriptor(const Call& call, uint32_t body, Descriptor* descriptor);
// Whether writes wait in the body's buffer, as its exchange has not begun.
bool is_buffered_body(const Call& call, uint32_t body);
// How much there is room for until then.
uint64_t buffer_room(const Call& call, uint32_t body);

// Counts bytes that are about to be written, and keeps those that wait. kTooMuch: more than the
// content-length; kNoRoom: more than can wait.
enum class Written : uint8_t { kNotYet, kBuffered, kTooMuch, kNoRoom };
Written write_to_body(const Call& call, uint32_t body, const TransferBytes& bytes);

// Why the exchange of a body failed, for the error of a stream.
HttpFailure failure_of_exchange(const Call& call, uint32_t exchange);

}  // namespace mayfly::guest
