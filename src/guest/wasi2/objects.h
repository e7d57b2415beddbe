// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Objects: what stands behind the handles of WASI 0.2's resources, in the state memory
// (guest_abi/component.h). A resource's representation is its object's number; adapters keep the
// handles, their types and their lends.
//
//   pollable ──> stream ──> descriptor ──> fd      each arrow is a reference
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
};

// What a pollable waits for.
enum class PollFor : uint8_t { kInstant, kRead, kWrite };

struct Object {
  ObjectKind kind;
  bool is_closed;  // streams: at their end, or after an error
  bool appends;    // output streams
  bool keeps_fd;   // descriptors: of an fd that the program was given
  uint32_t references;
  uint32_t below;  // the object that this one refers to, a descriptor's fd; free: the next free one
  uint16_t error;  // errors: guest_abi::wasi::Errno
  PollFor poll_for;
  uint8_t reserved;
  uint64_t position;  // streams: in the file; directory streams: cookie; pollables: the instant, ns
  uint64_t permitted;  // output streams: what check-write has permitted
};
static_assert(sizeof(Object) == 32);

class Objects {
 public:
  explicit Objects(guest_abi::MemoryInfo* state) : memory_(state) {}

  // With one reference, which is the caller's. object.below is referred to where it is an object.
  uint32_t add(const Object& object) const;
  // Ends the call unless it is of the kind. Holds until objects are added.
  Object& get(uint32_t number, ObjectKind kind) const;
  void refer(uint32_t number) const;
  // One reference less; and what only it has kept goes with it.
  void release(uint32_t number, ObjectKind kind) const;

 private:
  Object& at(uint32_t number) const;

  StateMemory memory_;
};

// Whether `below` of such an object is an object.
constexpr bool refers_to_object(const Object& object) {
  return object.kind == ObjectKind::kInputStream || object.kind == ObjectKind::kOutputStream ||
         object.kind == ObjectKind::kDirectoryStream ||
         (object.kind == ObjectKind::kPollable && object.poll_for != PollFor::kInstant);
}

}  // namespace mayfly::guest
