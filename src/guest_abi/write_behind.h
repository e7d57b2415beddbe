// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// WriteBehind: what a program has written to files and its host has not taken yet. Records in a
// buffer of the guest's, and a few words in the call page that say what is in it:
//
//   guest: copies a record behind the last one, raises `produced`
//   host:  gives the records to the files, in their order, raises `consumed`
//
// The host takes all of it before it answers any port and when a call ends, and looks at a guest
// that runs on (docs/decisions/0017-writes-behind.md). Both may be at work at once: each word has
// one writer, and the counts only rise. Where both counts are equal the guest may begin the buffer
// anew, and says so with `base`.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mayfly::guest_abi {

struct WriteBehind {
  // Written by the guest.
  uint64_t buffer;            // the address of kBehindBufferBytes bytes
  uint64_t base;              // what `produced` was where the buffer begins
  uint64_t produced;          // bytes of records so far
  uint64_t payload_produced;  // bytes for files so far
  // Written by the host, which never reads them back.
  uint64_t consumed;
  uint64_t payload_end;  // that payload_produced may reach: quotas are kept at the write
  // 0: nobody would look at a guest that runs on, so each write is a port call. The host reads
  // `produced` after it has stored a 0; the guest reads this after it has raised `produced`.
  uint32_t is_watched;
  // 1: a write behind has failed, so each write is a port call, until that was told.
  uint32_t has_failed;
  uint64_t reserved;
};
static_assert(sizeof(WriteBehind) == 64);

// A record: this header, the bytes, and padding to a multiple of the header's size.
struct BehindRecord {
  uint32_t handle;
  uint32_t bytes;     // 1 to kBehindBytesMax
  uint64_t position;  // in the file; kBehindHostPosition: where the host's position is
};
inline constexpr uint64_t kBehindHostPosition = UINT64_MAX;
inline constexpr uint64_t kBehindBufferBytes = uint64_t{512} << 10;
inline constexpr uint64_t kBehindBytesMax = uint64_t{64} << 10;
static_assert(kBehindBufferBytes % sizeof(BehindRecord) == 0 && sizeof(BehindRecord) == 16);

// What a record takes of the buffer.
constexpr uint64_t behind_record_bytes(uint64_t bytes) {
  constexpr uint64_t kUnit = sizeof(BehindRecord);
  return kUnit + (bytes + kUnit - 1) / kUnit * kUnit;
}

}  // namespace mayfly::guest_abi
