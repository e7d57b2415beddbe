// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the objects of wasi:http are made of. Each has a block of the heap (Object::position) for
// what it has to remember, and children (Object::permitted) that must be dropped before it.
//
//   fields view ──> message ──> fields, body          child ──> parent, owner ──> owned
//   stream ──> outgoing body, incoming body ──┐
//   future response, incoming response ───────┼──> exchange ──> the host's handle
//   fields view ──> future trailers ──────────┘
//
// Invariant: an exchange ends with the last object that refers to it; the host then forgets it.
#pragma once

#include <cstdint>

#include "guest/wasi2/call.h"
#include "guest_abi/http.h"

namespace mayfly::guest {

using guest_abi::HttpError;

// Bytes of the heap. block 0: none, which is not the same as empty.
struct HeapText {
  uint32_t block = 0;
  uint32_t size = 0;
};

inline constexpr uint8_t kOtherMethod = 9;
inline constexpr uint8_t kOtherScheme = 2, kNoScheme = 3;

// A request or a response.
struct Message {
  uint32_t fields = 0;  // an object
  uint32_t body = 0;    // an object; 0: it was not taken
  uint16_t status = 200;
  uint8_t method = 0;  // in the order of its WIT
  uint8_t scheme = kNoScheme;
  HeapText other_method;
  HeapText other_scheme;
  HeapText path;
  HeapText authority;
};

// Of a request or a response that goes out. Until the exchange begins, its bytes wait here.
struct OutgoingBody {
  enum State : uint8_t { kOpen, kWhole, kBroken };
  State state = kOpen;
  bool stream_is_taken = false;
  bool has_length = false;  // of a content-length
  bool is_response = false;
  uint32_t buffer = 0;
  uint32_t buffered = 0;
  uint32_t trailers = 0;  // an object
  uint64_t length = 0;
  uint64_t written = 0;
};

struct RequestOptions {
  enum Timeout : uint8_t { kConnect, kFirstByte, kBetweenBytes };
  uint64_t timeouts_ns[3] = {guest_abi::kHttpNoTimeout, guest_abi::kHttpNoTimeout,
                             guest_abi::kHttpNoTimeout};
};

// What an object of wasi:http has in the heap, and what it owns, when it is freed; not what is
// below it.
void release_http(const Objects& objects, const Object& freed);

// Whether its parent counts it (when that is an object of wasi:http).
constexpr bool is_child(const Object& object) {
  return object.kind == ObjectKind::kInputStream || object.kind == ObjectKind::kOutputStream ||
         object.kind == ObjectKind::kFields;
}

// A new object whose parent is below it.
uint32_t add_child(const Objects& objects, const Object& child);
// The end of a handle to an object that may have children. Ends the call when it has.
void drop_parent(const Objects& objects, uint32_t number, ObjectKind kind);

// A string of the program, kept; `block` of an empty one is not 0.
HeapText keep_text(const Call& call, const TransferBytes& text);
TransferBytes give_text(const Call& call, const HeapText& text);

template <typename T>
T& record_of(const Objects& objects, const Object& object) {
  return objects.heap().at<T>(static_cast<uint32_t>(object.position));
}

// The exchange that a body, a future or a response belongs to: the host's handle.
uint32_t handle_of_exchange(const Objects& objects, uint32_t exchange);

// variant error-code.
struct ErrorCodeValue {
  uint8_t code;
  alignas(8) uint8_t payload[24];
};
static_assert(sizeof(ErrorCodeValue) == 32);

// Why something of wasi:http failed.
struct HttpFailure {
  HttpError code = HttpError::kInternalError;
  bool has_number = false;
  uint64_t number = 0;    // a size, where the code has one
  TransferBytes message;  // of internal-error
};
ErrorCodeValue error_value(const HttpFailure& failure);

}  // namespace mayfly::guest
