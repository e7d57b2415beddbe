// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Descriptors of wasi:filesystem: each is an object over an fd of preview 1's table, with the
// rights that its flags stand for. Their functions are in descriptor.cc (what it is),
// descriptor_io.cc (what is in it) and descriptor_paths.cc (what is beneath it).
#pragma once

#include <cstdint>

#include "guest/wasi/fd_table.h"
#include "guest/wasi2/call.h"

namespace mayfly::guest {

// kYes: the program was given the fd, which stays open when its descriptors are dropped.
enum class KeepsFd : uint8_t { kNo, kYes };
uint32_t new_descriptor(const Call& call, uint32_t fd, KeepsFd keeps_fd);
// A stream of a descriptor, that begins at a position.
uint32_t new_stream(const Call& call, ObjectKind kind, uint32_t descriptor, uint64_t position);

// The fd of a descriptor.
inline uint32_t fd_of(const Call& call, uint32_t descriptor) {
  return call.objects.get(descriptor, ObjectKind::kDescriptor).below;
}

// new-timestamp, flat: 0 is no-change, 1 is now, 2 is timestamp.
struct NewTimestamp {
  uint32_t kind;
  uint64_t seconds;
  uint32_t nanoseconds;
};

// Two of them as preview 1 has them. Errors: kInval, kOverflow.
struct NewTimes {
  uint64_t atim = 0;
  uint64_t mtim = 0;
  uint32_t flags = 0;
};
wasi::Errno new_times(const NewTimestamp& accessed, const NewTimestamp& modified, NewTimes* times);

// A file's status, put into the transfer memory by preview 1's functions.
wasi::Errno stat_fd(const Call& call, uint32_t fd, wasi::Filestat* stat);
// result<descriptor-stat, error-code>, result<metadata-hash-value, error-code>.
uint32_t stat_result(const Call& call, wasi::Errno error, const wasi::Filestat& stat);
uint32_t hash_result(const Call& call, wasi::Errno error, const wasi::Filestat& stat);

// descriptor-type of a file type of preview 1.
uint8_t descriptor_type(uint8_t filetype);

bool is_utf8(const uint8_t* text, uint64_t size);

}  // namespace mayfly::guest
