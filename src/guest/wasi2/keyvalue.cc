// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// wasi:keyvalue/store and atomics. A bucket is an fd of a handle of the host's; the entries are the
// host's.
#include "guest/wasi2/bucket.h"
#include "guest/wasi2/functions.h"

namespace mayfly::guest {
namespace {

using guest_abi::WasiPort;
using wasi::Errno;

struct OptionalNumber {
  uint8_t is_some;
  uint64_t value;
};

struct KeyResponse {
  TransferBytes keys;
  OptionalNumber cursor;
};
static_assert(sizeof(KeyResponse) == 24);

uint32_t open(const Call& call, TransferBytes name) {
  call.transfer.at(name.address, name.size);
  auto& request = new_request<guest_abi::WasiResolveRequest>();
  request.name = call.transfer.linear().range(name.address, name.size);
  Errno error = call_port(WasiPort::kBucketOpen, request);
  Object bucket{};
  bucket.kind = ObjectKind::kBucket;
  if (error == Errno::kSuccess) error = add_fd(request.description, &bucket.below);
  if (error != Errno::kSuccess) return bucket_failed<uint32_t>(call, error);
  return bucket_ok(call, call.objects.add(bucket));
}

// The keys lie in the room one after the other, each with its size in front.
uint32_t list_keys(const Call& call, uint32_t self, uint64_t from) {
  constexpr uint32_t kRoom = 1 << 16;
  const uint32_t room = call.transfer.reserve(kRoom, 1);
  auto& request = bucket_request(call, self, {});
  request.value = call.transfer.linear().range(room, kRoom);
  request.number = from;
  const Errno error = call_port(WasiPort::kBucketKeys, request);
  if (error != Errno::kSuccess) return bucket_failed<KeyResponse>(call, error);
  const uint32_t count = request.found;
  KeyResponse response{};
  response.cursor = {request.number_out != 0, request.number_out};
  response.keys = {call.transfer.reserve(uint64_t{count} * sizeof(TransferBytes), 4), count};
  uint32_t at = room;
  for (uint32_t i = 0; i < count; ++i) {
    const TransferBytes key{at + 4, call.transfer.load<uint32_t>(at)};
    at = key.address + key.size;
    call.transfer.store(response.keys.address + i * static_cast<uint32_t>(sizeof key), key);
  }
  return bucket_ok(call, response);
}

uint32_t increment(const Call& call, uint32_t self, TransferBytes key, uint64_t delta) {
  auto& request = bucket_request(call, self, key);
  request.number = delta;
  const Errno error = call_port(WasiPort::kBucketIncrement, request);
  return error == Errno::kSuccess ? bucket_ok(call, request.number_out)
                                  : bucket_failed<uint64_t>(call, error);
}

}  // namespace
}  // namespace mayfly::guest

using namespace mayfly::guest;  // NOLINT: the C functions below are this file's only others

uint32_t mayfly_wasi2_bucket_open(MemoryInfo* transfer, MemoryInfo* state, uint32_t name,
                                  uint32_t size) {
  return open(Call(transfer, state), {name, size});
}

uint32_t mayfly_wasi2_bucket_get(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                 uint32_t key, uint32_t size) {
  const Call call(transfer, state);
  OptionalBytes value{};
  const Errno error = get_entry(call, self, {key, size}, &value);
  return error == Errno::kSuccess ? bucket_ok(call, value)
                                  : bucket_failed<OptionalBytes>(call, error);
}

uint32_t mayfly_wasi2_bucket_set(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                 uint32_t key, uint32_t key_size, uint32_t value,
                                 uint32_t value_size) {
  const Call call(transfer, state);
  return bucket_done(call, set_entry(call, self, {key, key_size}, {value, value_size}));
}

uint32_t mayfly_wasi2_bucket_delete(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                    uint32_t key, uint32_t size) {
  const Call call(transfer, state);
  return bucket_done(call, delete_entry(call, self, {key, size}));
}

uint32_t mayfly_wasi2_bucket_exists(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                    uint32_t key, uint32_t size) {
  const Call call(transfer, state);
  auto& request = bucket_request(call, self, {key, size});
  const Errno error = call_port(WasiPort::kBucketExists, request);
  return error == Errno::kSuccess ? bucket_ok(call, static_cast<uint8_t>(request.found))
                                  : bucket_failed<uint8_t>(call, error);
}

uint32_t mayfly_wasi2_bucket_list_keys(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                       uint32_t has_cursor, uint64_t cursor) {
  return list_keys(Call(transfer, state), self, has_cursor != 0 ? cursor : 0);
}

void mayfly_wasi2_drop_bucket(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  Call(transfer, state).objects.release(self, ObjectKind::kBucket);
}

uint32_t mayfly_wasi2_bucket_increment(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                       uint32_t key, uint32_t size, uint64_t delta) {
  return increment(Call(transfer, state), self, {key, size}, delta);
}
