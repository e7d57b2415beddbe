// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// wasi:keyvalue: buckets, which are handles without a file, and their entries.
#include <cstring>

#include "wasi/port_call.h"

namespace mayfly::wasi {

namespace {

constexpr uint64_t kBucketBytesMax = 255;
constexpr uint64_t kKeyBytesMax = 4096;
constexpr size_t kKeysMax = 1000;

// UTF-8, as the components' strings are.
PortAnswer read_name(PortCall& call, const guest_abi::WasiRange& range, uint64_t bytes_max,
                     std::string* name) {
  if (range.bytes > bytes_max) return Errno::kNameTooLong;
  *name = MAYFLY_TRY(read_text(call, range, bytes_max));
  return is_utf8(*name) ? Errno::kSuccess : Errno::kIlSeq;
}

// What each port needs of its request.
struct Entry {
  KeyValueStore* store = nullptr;
  std::string bucket;
  std::string key;
};

PortAnswer find_entry(PortCall& call, const guest_abi::WasiBucketRequest& request, Entry* entry) {
  const Handle* const handle = call.find(request.bucket);
  if (handle == nullptr || !handle->is_bucket) return Errno::kBadF;
  entry->store = call.program.key_value.get();
  if (entry->store == nullptr) return Errno::kAcces;
  entry->bucket = handle->bucket;
  entry->store->set_wait({call.context.deadline, call.context.cancel_fd});
  return read_name(call, request.key, kKeyBytesMax, &entry->key);
}

}  // namespace

PortAnswer open_bucket(PortCall& call, guest_abi::WasiResolveRequest& request) {
  std::string name;
  MAYFLY_ERRNO_TRY(MAYFLY_TRY(read_name(call, request.name, kBucketBytesMax, &name)));
  if (call.program.key_value == nullptr) return Errno::kAcces;
  if (call.program.handles.is_full()) return Errno::kMFile;
  Handle handle;
  handle.is_bucket = true;
  handle.bucket = std::move(name);
  const uint32_t number = call.program.handles.add(std::move(handle));
  request.description = description_of(number, *call.find(number));
  return Errno::kSuccess;
}

PortAnswer get_entry(PortCall& call, guest_abi::WasiBucketRequest& request) {
  Entry entry;
  MAYFLY_ERRNO_TRY(MAYFLY_TRY(find_entry(call, request, &entry)));
  std::string value;
  const Errno error = entry.store->get(entry.bucket, entry.key, &value);
  if (error == Errno::kNoEnt) return Errno::kSuccess;
  MAYFLY_ERRNO_TRY(error);
  request.found = 1;
  request.bytes = value.size();
  if (value.size() > request.value.bytes) return Errno::kSuccess;
  MAYFLY_TRY(write_text(call, request.value.address, value));
  count_input(call, value.size());
  return Errno::kSuccess;
}

PortAnswer set_entry(PortCall& call, guest_abi::WasiBucketRequest& request) {
  Entry entry;
  MAYFLY_ERRNO_TRY(MAYFLY_TRY(find_entry(call, request, &entry)));
  if (request.value.bytes > kValueBytesMax) return Errno::kFBig;
  MAYFLY_TRY(check_output(call, request.value.bytes));
  std::string value = MAYFLY_TRY(read_text(call, request.value, kValueBytesMax));
  MAYFLY_ERRNO_TRY(entry.store->set(entry.bucket, entry.key, std::move(value)));
  count_output(call, request.value.bytes);
  return Errno::kSuccess;
}

PortAnswer delete_entry(PortCall& call, guest_abi::WasiBucketRequest& request) {
  Entry entry;
  MAYFLY_ERRNO_TRY(MAYFLY_TRY(find_entry(call, request, &entry)));
  return entry.store->remove(entry.bucket, entry.key);
}

PortAnswer find_key(PortCall& call, guest_abi::WasiBucketRequest& request) {
  Entry entry;
  MAYFLY_ERRNO_TRY(MAYFLY_TRY(find_entry(call, request, &entry)));
  const Errno error = entry.store->contains(entry.bucket, entry.key);
  request.found = error == Errno::kSuccess ? 1 : 0;
  return error == Errno::kNoEnt ? Errno::kSuccess : error;
}

PortAnswer list_keys(PortCall& call, guest_abi::WasiBucketRequest& request) {
  Entry entry;
  MAYFLY_ERRNO_TRY(MAYFLY_TRY(find_entry(call, request, &entry)));
  // So that the first key fits with the sizes of all.
  constexpr uint64_t kSizes = kKeysMax * sizeof(uint32_t);
  if (request.value.bytes < kSizes + kKeyBytesMax) return Errno::kInval;
  KeyPage page;
  MAYFLY_ERRNO_TRY(entry.store->list(entry.bucket, request.number, kKeysMax,
                                     request.value.bytes - kSizes, &page));
  std::string packed;
  for (const std::string& key : page.keys) {
    // A file of others may have what no component has written.
    if (key.size() > kKeyBytesMax || !is_utf8(key)) return Errno::kIo;
    const auto size = static_cast<uint32_t>(key.size());
    packed.resize(packed.size() + sizeof size);
    std::memcpy(packed.data() + packed.size() - sizeof size, &size, sizeof size);
    packed += key;
  }
  MAYFLY_TRY(write_text(call, request.value.address, packed));
  request.found = static_cast<uint32_t>(page.keys.size());
  request.bytes = packed.size();
  request.number_out = page.next;
  return Errno::kSuccess;
}

PortAnswer increment_entry(PortCall& call, guest_abi::WasiBucketRequest& request) {
  Entry entry;
  MAYFLY_ERRNO_TRY(MAYFLY_TRY(find_entry(call, request, &entry)));
  return entry.store->increment(entry.bucket, entry.key, request.number, &request.number_out);
}

}  // namespace mayfly::wasi
