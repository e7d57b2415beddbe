// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Fields of wasi:http: names and values as bytes in one block of the heap, in the form in which
// they go to the host (guest_abi/http.h). A view of a message's fields is immutable, and a child.
#pragma once

#include <cstdint>

#include "guest/wasi2/http_objects.h"

namespace mayfly::guest {

struct Field {
  const uint8_t* name;
  uint32_t name_bytes;
  const uint8_t* value;
  uint32_t value_bytes;
};

// Goes over fields; valid as long as their bytes stay where they are.
class FieldReader {
 public:
  FieldReader(const uint8_t* bytes, uint32_t size) : bytes_(bytes), size_(size) {}
  // false: there is no other one.
  bool next(Field* field);
  // Where the field that comes next begins.
  uint32_t position() const { return at_; }

 private:
  const uint8_t* bytes_;
  uint32_t size_;
  uint32_t at_ = 0;
};

// The bytes of fields or of a view. block 0: there are none.
HeapText bytes_of_fields(const Objects& objects, uint32_t fields);
FieldReader read_fields(const Objects& objects, uint32_t fields);

// New mutable fields with these bytes, which are in the form above.
uint32_t new_fields(const Call& call, const uint8_t* bytes, uint32_t size);
// An immutable view of the fields of `parent`, as its child.
uint32_t new_fields_view(const Call& call, uint32_t parent, uint32_t fields);

// The number that a content-length says. false: there is none that is a number.
bool content_length(const Objects& objects, uint32_t fields, uint64_t* length);

}  // namespace mayfly::guest
