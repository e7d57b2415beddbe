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

// false: it is not there yet.
bool take_part(const Call& call, uint32_t exchange, guest_abi::HttpPart part, Taken* taken);

// The error of a stream, with why the exchange failed in it.
void set_error_code(Object* error, const HttpFailure& failure);

}  // namespace mayfly::guest
