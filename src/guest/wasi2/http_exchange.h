// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Exchanges: what the host has of a request and its response, and what comes of it.
#pragma once

#include <cstdint>

#include "guest/wasi2/http_objects.h"

namespace mayfly::guest {

// What has come of an exchange.
struct Taken {
  bool has_failed = false;
  HttpFailure failure;
  uint16_t status = 0;
  TransferBytes fields;
};

// option<trailers>.
struct OptionalFields {
  uint8_t is_some;
  uint32_t fields;
};

// option<result<result<T, error-code>>>: what a future gives once. T is a response, or optional
// trailers.
struct OnceResult {
  uint8_t is_some;
  struct Once {
    uint8_t is_error;
    struct Inner {
      uint8_t is_error;
      union {
        uint32_t response;
        OptionalFields trailers;
        ErrorCodeValue error;
      };
    } inner;
  } once;
};
static_assert(sizeof(OnceResult) == 56);

// Of the exchange of a future. true: the part is there for the first time, and its value is left to
// be put into the result; else the result is whole.
bool take_once(const Call& call, uint32_t future, ObjectKind kind, guest_abi::HttpPart part,
               OnceResult* result, Taken* taken);

// The error of a stream, with why the exchange failed in it.
void set_error_code(Object* error, const HttpFailure& failure);

}  // namespace mayfly::guest
