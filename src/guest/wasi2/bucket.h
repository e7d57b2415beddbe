// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the functions of wasi:keyvalue share: requests for one entry of a bucket, and errors.
#pragma once

#include <cstdint>

#include "guest/wasi/port_call.h"
#include "guest/wasi2/call.h"
#include "guest/wasi2/socket.h"
#include "guest_abi/service_ports.h"

namespace mayfly::guest {

// variant error: no-such-store, access-denied, other(string).
struct BucketError {
  uint8_t which;
  TransferBytes text;
};
BucketError bucket_error(const Call& call, wasi::Errno error);

// result<T, error>. The error has the greater alignment where T has a small one, so neither place
// is that of Call::ok.
template <typename T>
struct BucketResult {
  uint8_t is_error;
  union {
    T value;
    BucketError error;
  };
};
template <typename T>
uint32_t bucket_ok(const Call& call, const T& value) {
  BucketResult<T> result{};
  result.value = value;
  return call.transfer.allocate(result);
}
template <typename T>
uint32_t bucket_failed(const Call& call, wasi::Errno error) {
  BucketResult<T> result{};
  result.is_error = 1;
  result.error = bucket_error(call, error);
  return call.transfer.allocate(result);
}

// result<_, error>.
uint32_t bucket_done(const Call& call, wasi::Errno error);

struct OptionalBytes {
  uint8_t is_some;
  TransferBytes bytes;
};

// A request about one entry, without its value.
guest_abi::WasiBucketRequest& bucket_request(const Call& call, uint32_t bucket, TransferBytes key);

wasi::Errno get_entry(const Call& call, uint32_t bucket, TransferBytes key, OptionalBytes* value);
wasi::Errno set_entry(const Call& call, uint32_t bucket, TransferBytes key, TransferBytes value);
wasi::Errno delete_entry(const Call& call, uint32_t bucket, TransferBytes key);

}  // namespace mayfly::guest
