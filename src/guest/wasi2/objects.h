// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Objects: what stands behind the handles of WASI 0.2's resources, in the state memory
// (guest_abi/component.h). A resource's representation is its object's number; adapters keep the
// handles, their types and their lends.
//
//   pollable ──> stream ──> descriptor ──> fd      each arrow is a reference; a socket stands where
//                                                  a descriptor does, and a name's lookup, too
//                stream ──> body ──> exchange ──> the host's handle   (http_objects.h)
//
// An object lives until the last reference to it is gone: its handles (a descriptor may have
// several) and the objects above it. So a stream works on when its descriptor was dropped, and a
// pollable when its stream was.
//
// Invariant: what a number names is looked at before it is used; a number of another kind ends the
// call, whoever sent it.
#pragma once

#include <cstdint>

#include "guest/component/state_memory.h"
#include "guest/wasi2/state_heap.h"
#include "guest_abi/wasi.h"

namespace mayfly::guest {

enum class ObjectKind : uint8_t {
  kFree,
  kDescriptor,
  kInputStream,
  kOutputStream,
  kDirectoryStream,
  kPollable,
  kError,
  kNetwork,
  kTcpSocket,
  kUdpSocket,
  kIncomingDatagrams,
  kOutgoingDatagrams,
  kLookup,
  kBucket,
  // http_objects.h
  kFields,
  kOutgoingRequest,
  kIncomingRequest,
  kOutgoingResponse,
  kIncomingResponse,
  kOutgoingBody,
  kIncomingBody,
  kFutureResponse,
  kFutureTrailers,
  kRequestOptions,
  kResponseOutparam,
  kHttpExchange,
};

// What a pollable waits for; kObject: for what its object waits for then.
enum class PollFor : uint8_t { kInstant, kRead, kWrite, kHead, kTrailers, kObject };

// Of a socket. In TCP's order; kClosed is after a connect that failed.
enum class SocketState : uint8_t {
  kUnbound,
  kBindStarted,
  kBound,
  kListenStarted,
  kListening,
  kConnecting,
  kConnected,
  kClosed,
};

struct Object {
  ObjectKind kind;
  // Streams: at their end, or after an error; lookups: at their end; wasi:http: taken, or
  // immutable.
  bool is_closed;
  bool appends;   // output streams
  bool keeps_fd;  // descriptors: of an fd that the program was given
  uint32_t references;
  uint32_t below;  // the object that this one refers to, or an fd (has_fd()); free: the next free
  uint8_t error;   // errors: guest_abi::wasi::Errno
  union {
    bool is_of_network;  // errors
    bool is_ipv6;        // sockets
  };
  PollFor poll_for;
  SocketState state;
  // Streams: in the file; directory streams: cookie; pollables: the instant, ns; TCP sockets: what
  // was shut down, wasi::kShutdown...; UDP sockets and their streams: the number of the
  // association; wasi:http: a block of the heap; errors: a number of the error code.
  uint64_t position;
  // Output streams: what check-write has permitted; outgoing datagrams: check-send; TCP sockets:
  // the backlog, 0: not set; wasi:http: how many children there are, or bytes of fields; errors:
  // HttpError + 1.
  uint64_t permitted;
};
static_assert(sizeof(Object) == 32);

class Objects {
 public:
  explicit Objects(guest_abi::MemoryInfo* state) : memory_(state) {}

  // With one reference, which is the caller's. object.below is referred to where it is an object.
  uint32_t add(const Object& object) const;
  // The kind of whatever is there.
  ObjectKind kind_of(uint32_t number) const { return at(number).kind; }
  // Ends the call unless it is of the kind. Holds until objects are added.
  Object& get(uint32_t number, ObjectKind kind) const;
  // Of any kind that has an fd below it.
  Object& get_with_fd(uint32_t number) const;
  // Of any kind but kFree.
  Object& get_any(uint32_t number) const;
  void refer(uint32_t number) const;
  // One reference less; and what only it has kept goes with it.
  void release(uint32_t number, ObjectKind kind) const;

  StateHeap heap() const { return StateHeap(memory_); }

 private:
  Object& at(uint32_t number) const;

  StateMemory memory_;
};

// Whether `below` of such an object is an fd.
constexpr bool has_fd(const Object& object) {
  return object.kind == ObjectKind::kDescriptor || object.kind == ObjectKind::kTcpSocket ||
         object.kind == ObjectKind::kUdpSocket || object.kind == ObjectKind::kLookup ||
         object.kind == ObjectKind::kBucket;
}

constexpr bool is_http(ObjectKind kind) {
  return kind >= ObjectKind::kFields && kind <= ObjectKind::kHttpExchange;
}

// Whether it is an object.
constexpr bool refers_to_object(const Object& object) {
  return object.kind == ObjectKind::kInputStream || object.kind == ObjectKind::kOutputStream ||
         object.kind == ObjectKind::kDirectoryStream ||
         object.kind == ObjectKind::kIncomingDatagrams ||
         object.kind == ObjectKind::kOutgoingDatagrams ||
         (object.kind == ObjectKind::kPollable && object.poll_for != PollFor::kInstant) ||
         (is_http(object.kind) && object.kind != ObjectKind::kHttpExchange && object.below != 0);
}

}  // namespace mayfly::guest
