// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a descriptor is: its flags, type, status, times and size; how it begins and ends.
#include "guest/wasi2/descriptor.h"

#include "guest/wasi/chacha20.h"
#include "guest/wasi/functions.h"
#include "guest/wasi/start.h"
#include "guest/wasi2/functions.h"

namespace mayfly::guest {
namespace {

using wasi::Errno;

// flags descriptor-flags.
constexpr uint8_t kRead = 1, kWrite = 2, kMutateDirectory = 32;

struct Datetime {
  uint64_t seconds;
  uint32_t nanoseconds;
};

struct OptionalDatetime {
  uint8_t is_some;
  Datetime value;
};

// record descriptor-stat.
struct DescriptorStat {
  uint8_t type;
  uint64_t link_count;
  uint64_t size;
  OptionalDatetime accessed;
  OptionalDatetime modified;
  OptionalDatetime status_changed;
};
static_assert(sizeof(DescriptorStat) == 96);

constexpr uint64_t kSecond = 1'000'000'000;

OptionalDatetime datetime(uint64_t nanoseconds) {
  return {1, {nanoseconds / kSecond, static_cast<uint32_t>(nanoseconds % kSecond)}};
}

Errno set_time(const NewTimestamp& timestamp, uint32_t set, uint32_t set_now, uint64_t* time,
               uint32_t* flags) {
  constexpr uint32_t kNoChange = 0, kNow = 1;
  if (timestamp.kind == kNoChange) return Errno::kSuccess;
  *flags |= timestamp.kind == kNow ? set_now : set;
  if (timestamp.kind == kNow) return Errno::kSuccess;
  if (timestamp.nanoseconds >= kSecond) return Errno::kInval;
  if (__builtin_mul_overflow(timestamp.seconds, kSecond, time) ||
      __builtin_add_overflow(*time, uint64_t{timestamp.nanoseconds}, time)) {
    return Errno::kOverflow;
  }
  return Errno::kSuccess;
}

uint8_t flags_of(const Descriptor& descriptor) {
  const auto can = [&](wasi::Rights right) { return (descriptor.rights_base & right) != 0; };
  uint8_t flags = 0;
  if (can(wasi::kFdRead | wasi::kFdReaddir)) flags |= kRead;
  if (can(wasi::kFdWrite)) flags |= kWrite;
  if (descriptor.is_directory() && descriptor.has(guest_abi::kWasiWritable)) {
    flags |= kMutateDirectory;
  }
  if ((descriptor.fd_flags & wasi::kFdSync) != 0) flags |= 4;
  if ((descriptor.fd_flags & wasi::kFdDsync) != 0) flags |= 8;
  if ((descriptor.fd_flags & wasi::kFdRsync) != 0) flags |= 16;
  return flags;
}

// One way, so that nobody learns of a host's devices and inodes.
struct Hash {
  uint64_t lower;
  uint64_t upper;
};

Hash hash_of(const wasi::Filestat& stat) {
  const uint64_t words[4] = {stat.dev, stat.ino, stat.size, stat.mtim};
  ChaCha20Input input{};
  static_assert(sizeof words == sizeof input.key);
  __builtin_memcpy(input.key, words, sizeof words);
  uint8_t output[4 * kChaCha20BlockBytes];
  chacha20_four_blocks(input, output);
  Hash hash{};
  __builtin_memcpy(&hash, output, sizeof hash);
  return hash;
}

// How long the character is that such a byte begins; 0: none.
uint32_t utf8_length(uint8_t first) {
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return 2;
  if (first >= 0xE0 && first <= 0xEF) return 3;
  return first >= 0xF0 && first <= 0xF4 ? 4 : 0;
}

uint32_t directories(const Call& call) {
  struct Directory {
    uint32_t descriptor;
    TransferBytes name;
  };
  const uint32_t fd_count = start_block().handle_count;
  const uint32_t list = call.transfer.reserve(uint64_t{fd_count} * sizeof(Directory), 4);
  uint32_t count = 0;
  for (uint32_t fd = 0; fd < fd_count; ++fd) {
    const Descriptor* const descriptor = fd_table().find(fd);
    if (descriptor == nullptr || !descriptor->has(guest_abi::kWasiPreopen)) continue;
    Directory directory{new_descriptor(call, fd, KeepsFd::kYes), {0, descriptor->name_bytes}};
    directory.name.address = call.transfer.allocate(directory.name.size, 1);
    mayfly_wasi_p1_fd_prestat_dir_name(call.transfer.memory(), fd, directory.name.address,
                                       directory.name.size);
    call.transfer.store(list + count * uint32_t{sizeof(Directory)}, directory);
    ++count;
  }
  return call.transfer.allocate(TransferBytes{list, count});
}

}  // namespace

uint32_t new_descriptor(const Call& call, uint32_t fd, KeepsFd keeps_fd) {
  Object descriptor{};
  descriptor.kind = ObjectKind::kDescriptor;
  descriptor.keeps_fd = keeps_fd == KeepsFd::kYes;
  descriptor.below = fd;
  return call.objects.add(descriptor);
}

uint32_t new_stream(const Call& call, ObjectKind kind, uint32_t descriptor, uint64_t position) {
  Object stream{};
  stream.kind = kind;
  stream.below = descriptor;
  stream.position = position;
  return call.objects.add(stream);
}

uint8_t descriptor_type(uint8_t filetype) {
  enum : uint8_t {
    kUnknown,
    kBlockDevice,
    kCharacterDevice,
    kDirectory,
    kFifo,
    kSymbolicLink,
    kRegularFile,
    kSocket,
  };
  switch (static_cast<wasi::FileType>(filetype)) {
    case wasi::FileType::kUnknown:
      return kUnknown;
    case wasi::FileType::kBlockDevice:
      return kBlockDevice;
    case wasi::FileType::kCharacterDevice:
      return kCharacterDevice;
    case wasi::FileType::kDirectory:
      return kDirectory;
    case wasi::FileType::kRegularFile:
      return kRegularFile;
    case wasi::FileType::kSocketDgram:
    case wasi::FileType::kSocketStream:
      return kSocket;
    case wasi::FileType::kSymbolicLink:
      return kSymbolicLink;
  }
  return kUnknown;
}

Errno new_times(const NewTimestamp& accessed, const NewTimestamp& modified, NewTimes* times) {
  const Errno error =
      set_time(accessed, wasi::kSetAtim, wasi::kSetAtimNow, &times->atim, &times->flags);
  if (error != Errno::kSuccess) return error;
  return set_time(modified, wasi::kSetMtim, wasi::kSetMtimNow, &times->mtim, &times->flags);
}

Errno stat_fd(const Call& call, uint32_t fd, wasi::Filestat* stat) {
  const uint32_t to = call.transfer.allocate(sizeof *stat, alignof(wasi::Filestat));
  const uint32_t error = mayfly_wasi_p1_fd_filestat_get(call.transfer.memory(), fd, to);
  *stat = call.transfer.load<wasi::Filestat>(to);
  return static_cast<Errno>(error);
}

uint32_t stat_result(const Call& call, Errno error, const wasi::Filestat& stat) {
  if (error != Errno::kSuccess) return call.failed<DescriptorStat>(error);
  return call.ok(DescriptorStat{descriptor_type(stat.filetype), stat.nlink, stat.size,
                                datetime(stat.atim), datetime(stat.mtim), datetime(stat.ctim)});
}

uint32_t hash_result(const Call& call, Errno error, const wasi::Filestat& stat) {
  return error == Errno::kSuccess ? call.ok(hash_of(stat)) : call.failed<Hash>(error);
}

// unicode.org #table-3-7: the second byte is narrower after E0, ED, F0 and F4.
bool is_utf8(const uint8_t* text, uint64_t size) {
  for (uint64_t at = 0; at < size;) {
    const uint8_t first = text[at];
    const uint32_t length = utf8_length(first);
    if (length == 0 || length > size - at) return false;
    for (uint32_t i = 1; i < length; ++i) {
      if ((text[at + i] & 0xC0) != 0x80) return false;
    }
    const uint8_t second = length > 1 ? text[at + 1] : 0;
    if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
        (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F)) {
      return false;
    }
    at += length;
  }
  return true;
}

}  // namespace mayfly::guest

using namespace mayfly::guest;  // NOLINT: the C functions below are this file's only others

uint32_t mayfly_wasi2_get_directories(MemoryInfo* transfer, MemoryInfo* state) {
  return directories(Call(transfer, state));
}

void mayfly_wasi2_drop_descriptor(MemoryInfo* transfer, MemoryInfo* state, uint32_t descriptor) {
  Call(transfer, state).objects.release(descriptor, ObjectKind::kDescriptor);
}

uint32_t mayfly_wasi2_get_flags(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  const Call call(transfer, state);
  Descriptor* descriptor = nullptr;
  const Errno error = find_fd(fd_of(call, self), 0, &descriptor);
  return error == Errno::kSuccess ? call.ok(flags_of(*descriptor)) : call.failed<uint8_t>(error);
}

uint32_t mayfly_wasi2_get_type(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  const Call call(transfer, state);
  Descriptor* descriptor = nullptr;
  const Errno error = find_fd(fd_of(call, self), 0, &descriptor);
  return error == Errno::kSuccess ? call.ok(descriptor_type(descriptor->filetype))
                                  : call.failed<uint8_t>(error);
}

uint32_t mayfly_wasi2_stat(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  const Call call(transfer, state);
  wasi::Filestat stat{};
  const Errno error = stat_fd(call, fd_of(call, self), &stat);
  return stat_result(call, error, stat);
}

uint32_t mayfly_wasi2_set_size(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                               uint64_t size) {
  const Call call(transfer, state);
  return call.done(mayfly_wasi_p1_fd_filestat_set_size(transfer, fd_of(call, self), size));
}

uint32_t mayfly_wasi2_set_times(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                uint32_t accessed, uint64_t accessed_s, uint32_t accessed_ns,
                                uint32_t modified, uint64_t modified_s, uint32_t modified_ns) {
  const Call call(transfer, state);
  NewTimes times;
  const Errno error =
      new_times({accessed, accessed_s, accessed_ns}, {modified, modified_s, modified_ns}, &times);
  if (error != Errno::kSuccess) return call.done(error);
  return call.done(mayfly_wasi_p1_fd_filestat_set_times(transfer, fd_of(call, self), times.atim,
                                                        times.mtim, times.flags));
}

uint32_t mayfly_wasi2_is_same_object(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                     uint32_t other) {
  const Call call(transfer, state);
  wasi::Filestat one{};
  wasi::Filestat two{};
  if (stat_fd(call, fd_of(call, self), &one) != Errno::kSuccess ||
      stat_fd(call, fd_of(call, other), &two) != Errno::kSuccess) {
    return 0;
  }
  return one.dev == two.dev && one.ino == two.ino ? 1 : 0;
}

uint32_t mayfly_wasi2_metadata_hash(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  const Call call(transfer, state);
  wasi::Filestat stat{};
  const Errno error = stat_fd(call, fd_of(call, self), &stat);
  return hash_result(call, error, stat);
}
