// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// wasi:keyvalue/batch: one entry after the other, up to the first error.
#include "guest/wasi2/bucket.h"
#include "guest/wasi2/functions.h"

namespace mayfly::guest {
namespace {

using wasi::Errno;

struct KeyValue {
  TransferBytes key;
  TransferBytes value;
};
struct OptionalKeyValue {
  uint8_t is_some;
  KeyValue pair;
};
static_assert(sizeof(KeyValue) == 16 && sizeof(OptionalKeyValue) == 20);

template <typename T>
constexpr uint32_t offset_of_item(uint32_t i) {
  return i * static_cast<uint32_t>(sizeof(T));
}

template <typename T>
void check_list(const Call& call, TransferBytes list) {
  call.transfer.at(list.address, uint64_t{list.size} * sizeof(T));
}

uint32_t get_many(const Call& call, uint32_t self, TransferBytes keys) {
  check_list<TransferBytes>(call, keys);
  const uint32_t list = call.transfer.allocate(uint64_t{keys.size} * sizeof(OptionalKeyValue), 4);
  for (uint32_t i = 0; i < keys.size; ++i) {
    const auto key =
        call.transfer.load<TransferBytes>(keys.address + offset_of_item<TransferBytes>(i));
    OptionalBytes value{};
    const Errno error = get_entry(call, self, key, &value);
    if (error != Errno::kSuccess) return bucket_failed<TransferBytes>(call, error);
    if (value.is_some == 0) continue;
    call.transfer.store(list + offset_of_item<OptionalKeyValue>(i),
                        OptionalKeyValue{1, {key, value.bytes}});
  }
  return bucket_ok(call, TransferBytes{list, keys.size});
}

uint32_t set_many(const Call& call, uint32_t self, TransferBytes pairs) {
  check_list<KeyValue>(call, pairs);
  for (uint32_t i = 0; i < pairs.size; ++i) {
    const auto pair = call.transfer.load<KeyValue>(pairs.address + offset_of_item<KeyValue>(i));
    const Errno error = set_entry(call, self, pair.key, pair.value);
    if (error != Errno::kSuccess) return bucket_done(call, error);
  }
  return bucket_done(call, Errno::kSuccess);
}

uint32_t delete_many(const Call& call, uint32_t self, TransferBytes keys) {
  check_list<TransferBytes>(call, keys);
  for (uint32_t i = 0; i < keys.size; ++i) {
    const auto key =
        call.transfer.load<TransferBytes>(keys.address + offset_of_item<TransferBytes>(i));
    const Errno error = delete_entry(call, self, key);
    if (error != Errno::kSuccess) return bucket_done(call, error);
  }
  return bucket_done(call, Errno::kSuccess);
}

}  // namespace
}  // namespace mayfly::guest

using namespace mayfly::guest;  // NOLINT: the C functions below are this file's only others

uint32_t mayfly_wasi2_bucket_get_many(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                      uint32_t keys, uint32_t count) {
  return get_many(Call(transfer, state), self, {keys, count});
}

uint32_t mayfly_wasi2_bucket_set_many(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                      uint32_t pairs, uint32_t count) {
  return set_many(Call(transfer, state), self, {pairs, count});
}

uint32_t mayfly_wasi2_bucket_delete_many(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                         uint32_t keys, uint32_t count) {
  return delete_many(Call(transfer, state), self, {keys, count});
}
