// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Entries of buckets, by the host's ports.
#include "guest/wasi2/bucket.h"

namespace mayfly::guest {

using guest_abi::WasiPort;
using wasi::Errno;

namespace {

constexpr uint8_t kNoSuchStore = 0, kAccessDenied = 1, kOther = 2;

const char* text_of(Errno error) {
  switch (error) {
    case Errno::kNoSpc:
      return "the store is full";
    case Errno::kNameTooLong:
      return "the name of the bucket or the key is too long";
    case Errno::kFBig:
      return "the value is too large";
    case Errno::kBusy:
      return "others write to the store for too long";
    case Errno::kRoFs:
      return "the store can only be read";
    case Errno::kInval:
      return "the value is not a decimal number";
    case Errno::kOverflow:
      return "the sum does not fit";
    case Errno::kMFile:
      return "too many buckets are open";
    default:
      return "the store failed";
  }
}

}  // namespace

BucketError bucket_error(const Call& call, Errno error) {
  if (error == Errno::kAcces) return {kAccessDenied, {}};
  if (error == Errno::kNoEnt) return {kNoSuchStore, {}};
  return {kOther, call.transfer.put(text_of(error))};
}

uint32_t bucket_done(const Call& call, Errno error) {
  if (error != Errno::kSuccess) return bucket_failed<Nothing>(call, error);
  return bucket_ok(call, Nothing{});
}

guest_abi::WasiBucketRequest& bucket_request(const Call& call, uint32_t bucket, TransferBytes key) {
  const uint32_t handle = handle_of(call.objects.get(bucket, ObjectKind::kBucket));
  call.transfer.at(key.address, key.size);
  auto& request = new_request<guest_abi::WasiBucketRequest>();
  request.bucket = handle;
  request.key = call.transfer.linear().range(key.address, key.size);
  return request;
}

Errno get_entry(const Call& call, uint32_t bucket, TransferBytes key, OptionalBytes* value) {
  uint64_t room = 1024;
  while (true) {
    const uint32_t to = call.transfer.reserve(room, 1);
    auto& request = bucket_request(call, bucket, key);
    request.value = call.transfer.linear().range(to, static_cast<uint32_t>(room));
    const Errno error = call_port(WasiPort::kBucketGet, request);
    if (error != Errno::kSuccess || request.found == 0) return error;
    if (request.bytes <= room) {
      *value = {1, {to, static_cast<uint32_t>(request.bytes)}};
      return error;
    }
    room = request.bytes;  // for what it was then: others may change it
  }
}

Errno set_entry(const Call& call, uint32_t bucket, TransferBytes key, TransferBytes value) {
  call.transfer.at(value.address, value.size);
  auto& request = bucket_request(call, bucket, key);
  request.value = call.transfer.linear().range(value.address, value.size);
  return call_port(WasiPort::kBucketSet, request);
}

Errno delete_entry(const Call& call, uint32_t bucket, TransferBytes key) {
  return call_port(WasiPort::kBucketDelete, bucket_request(call, bucket, key));
}

}  // namespace mayfly::guest
