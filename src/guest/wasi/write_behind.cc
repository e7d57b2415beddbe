// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The guest's end of the buffer. A record is whole before `produced` says that it is there.
#include "guest/wasi/write_behind.h"

#include "guest/wasi/port_call.h"

namespace mayfly::guest {

namespace {

using guest_abi::BehindRecord;
using guest_abi::kBehindBufferBytes;
using guest_abi::WriteBehind;

alignas(64) uint8_t buffer[kBehindBufferBytes];

constexpr uint16_t kWritesThrough =
    wasi::kFdAppend | wasi::kFdDsync | wasi::kFdSync | wasi::kFdRsync;

// Where the host has taken all, the buffer begins anew: few pages serve who writes little.
bool find_room(WriteBehind& words, uint64_t bytes) {
  if (words.payload_produced > words.payload_end ||
      bytes > words.payload_end - words.payload_produced) {
    return false;
  }
  if (words.produced == __atomic_load_n(&words.consumed, __ATOMIC_ACQUIRE)) {
    __atomic_store_n(&words.base, words.produced, __ATOMIC_RELAXED);
  }
  const uint64_t used = words.produced - words.base;
  return guest_abi::behind_record_bytes(bytes) <= kBehindBufferBytes - used;
}

// The host stopped watching when it last looked, and may not have seen the record.
void settle() {
  auto& request = new_request<guest_abi::WasiHandleRequest>();
  call_port(guest_abi::WasiPort::kSettle, request);
}

}  // namespace

bool write_behind(const LinearMemory& memory, const Descriptor& descriptor, const Iovecs& iovecs,
                  uint64_t position, uint64_t* bytes) {
  WriteBehind& words = call_page().write_behind;
  if (!descriptor.has(guest_abi::kWasiBuffered) || (descriptor.fd_flags & kWritesThrough) != 0 ||
      __atomic_load_n(&words.is_watched, __ATOMIC_RELAXED) == 0 || words.has_failed != 0) {
    return false;
  }
  if (!small_total(memory, iovecs, guest_abi::kBehindBytesMax, bytes)) return false;
  if (position != guest_abi::kBehindHostPosition && position > INT64_MAX - *bytes) return false;
  if (!find_room(words, *bytes)) return false;

  const BehindRecord record{descriptor.handle(), static_cast<uint32_t>(*bytes), position};
  uint8_t* to = buffer + (words.produced - words.base);
  __builtin_memcpy(to, &record, sizeof record);
  to += sizeof record;
  for (uint32_t i = 0; i < iovecs.count; ++i) {
    const auto iovec = memory.load<wasi::Iovec>(iovecs.offset + i * uint32_t{sizeof(wasi::Iovec)});
    __builtin_memcpy(to, memory.at(iovec.buffer), iovec.bytes);
    to += iovec.bytes;
  }
  // SAFETY: the buffer's address as a number, for the host.
  words.buffer = reinterpret_cast<uint64_t>(&buffer[0]);
  words.payload_produced += *bytes;
  __atomic_store_n(&words.produced, words.produced + guest_abi::behind_record_bytes(*bytes),
                   __ATOMIC_SEQ_CST);
  if (__atomic_load_n(&words.is_watched, __ATOMIC_SEQ_CST) == 0) settle();
  return true;
}

}  // namespace mayfly::guest
