// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is beneath a directory. Paths are preview 1's: the host resolves them.
#include "guest/wasi/functions.h"
#include "guest/wasi2/descriptor.h"
#include "guest/wasi2/functions.h"

namespace mayfly::guest {
namespace {

using wasi::Errno;

// flags open-flags are preview 1's; of descriptor-flags: read, write, what is synced, and changes.
constexpr uint32_t kRead = 1, kWrite = 2, kFileSync = 4, kDataSync = 8, kWriteSync = 16,
                   kMutateDirectory = 32;

constexpr wasi::Rights kWriteRights = wasi::kFdWrite | wasi::kFdAllocate | wasi::kFdFilestatSetSize;
constexpr wasi::Rights kReadRights = wasi::kFdRead | wasi::kFdReaddir;

constexpr wasi::Rights rights_of(uint32_t flags) {
  wasi::Rights rights = wasi::kRightsAll;
  if ((flags & kRead) == 0) rights &= ~kReadRights;
  if ((flags & kWrite) == 0) rights &= ~kWriteRights;
  return rights;
}

constexpr uint32_t fd_flags_of(uint32_t flags) {
  uint32_t fd_flags = 0;
  if ((flags & kFileSync) != 0) fd_flags |= wasi::kFdSync;
  if ((flags & kDataSync) != 0) fd_flags |= wasi::kFdDsync;
  if ((flags & kWriteSync) != 0) fd_flags |= wasi::kFdRsync;
  return fd_flags;
}

struct Path {
  uint32_t address;
  uint32_t size;
};

// A directory that is opened can be read, and changed when the one that it is beneath can, asked
// for or not: the adapter of preview 1 does not ask.
uint32_t open_at(const Call& call, uint32_t self, uint32_t lookup, const Path& path,
                 uint32_t open_flags, uint32_t flags) {
  Descriptor* base = nullptr;
  const uint32_t fd = fd_of(call, self);
  Errno error = find_directory(fd, 0, &base);
  if (error != Errno::kSuccess) return call.failed<uint32_t>(error);
  const bool changes = (flags & (kWrite | kMutateDirectory)) != 0 ||
                       (open_flags & (wasi::kOpenCreat | wasi::kOpenTrunc)) != 0;
  if (changes && !base->has(guest_abi::kWasiWritable)) {
    return call.failed<uint32_t>(Errno::kRoFs);
  }
  const uint32_t to = call.transfer.allocate(uint32_t{0});
  error = static_cast<Errno>(mayfly_wasi_p1_path_open(
      call.transfer.memory(), fd, lookup, path.address, path.size, open_flags, rights_of(flags),
      wasi::kRightsAll, fd_flags_of(flags), to));
  if (error != Errno::kSuccess) return call.failed<uint32_t>(error);
  const auto opened = call.transfer.load<uint32_t>(to);
  Descriptor* const descriptor = fd_table().find(opened);
  if (descriptor != nullptr && descriptor->is_directory()) {
    descriptor->rights_base |= wasi::kFdReaddir;
  }
  return call.ok(new_descriptor(call, opened, KeepsFd::kNo));
}

// The longest that there is: PATH_MAX of Linux.
constexpr uint32_t kLinkBytesMax = 4096;

uint32_t readlink_at(const Call& call, uint32_t self, const Path& path) {
  const uint32_t to = call.transfer.reserve(kLinkBytesMax, 1);
  const uint32_t done = call.transfer.allocate(uint32_t{0});
  auto error = static_cast<Errno>(mayfly_wasi_p1_path_readlink(
      call.transfer.memory(), fd_of(call, self), path.address, path.size, to, kLinkBytesMax, done));
  const auto size = call.transfer.load<uint32_t>(done);
  if (error == Errno::kSuccess && !is_utf8(call.transfer.at(to, size), size)) {
    error = Errno::kIlSeq;
  }
  if (error != Errno::kSuccess) return call.failed<TransferBytes>(error);
  return call.ok(TransferBytes{to, size});
}

Errno stat_at(const Call& call, uint32_t self, uint32_t lookup, const Path& path,
              wasi::Filestat* stat) {
  const uint32_t to = call.transfer.allocate(sizeof *stat, alignof(wasi::Filestat));
  const uint32_t error = mayfly_wasi_p1_path_filestat_get(call.transfer.memory(), fd_of(call, self),
                                                          lookup, path.address, path.size, to);
  *stat = call.transfer.load<wasi::Filestat>(to);
  return static_cast<Errno>(error);
}

}  // namespace
}  // namespace mayfly::guest

using namespace mayfly::guest;  // NOLINT: the C functions below are this file's only others

uint32_t mayfly_wasi2_open_at(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                              uint32_t lookup, uint32_t path, uint32_t size, uint32_t open_flags,
                              uint32_t flags) {
  return open_at(Call(transfer, state), self, lookup, {path, size}, open_flags, flags);
}

uint32_t mayfly_wasi2_readlink_at(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                  uint32_t path, uint32_t size) {
  return readlink_at(Call(transfer, state), self, {path, size});
}

uint32_t mayfly_wasi2_stat_at(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                              uint32_t lookup, uint32_t path, uint32_t size) {
  const Call call(transfer, state);
  wasi::Filestat stat{};
  const Errno error = stat_at(call, self, lookup, {path, size}, &stat);
  return stat_result(call, error, stat);
}

uint32_t mayfly_wasi2_metadata_hash_at(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                       uint32_t lookup, uint32_t path, uint32_t size) {
  const Call call(transfer, state);
  wasi::Filestat stat{};
  const Errno error = stat_at(call, self, lookup, {path, size}, &stat);
  return hash_result(call, error, stat);
}

uint32_t mayfly_wasi2_set_times_at(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                   uint32_t lookup, uint32_t path, uint32_t size, uint32_t accessed,
                                   uint64_t accessed_s, uint32_t accessed_ns, uint32_t modified,
                                   uint64_t modified_s, uint32_t modified_ns) {
  const Call call(transfer, state);
  NewTimes times;
  const Errno error =
      new_times({accessed, accessed_s, accessed_ns}, {modified, modified_s, modified_ns}, &times);
  if (error != Errno::kSuccess) return call.done(error);
  return call.done(mayfly_wasi_p1_path_filestat_set_times(
      transfer, fd_of(call, self), lookup, path, size, times.atim, times.mtim, times.flags));
}

uint32_t mayfly_wasi2_create_directory_at(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                          uint32_t path, uint32_t size) {
  const Call call(transfer, state);
  return call.done(mayfly_wasi_p1_path_create_directory(transfer, fd_of(call, self), path, size));
}

uint32_t mayfly_wasi2_remove_directory_at(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                          uint32_t path, uint32_t size) {
  const Call call(transfer, state);
  return call.done(mayfly_wasi_p1_path_remove_directory(transfer, fd_of(call, self), path, size));
}

uint32_t mayfly_wasi2_unlink_file_at(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                     uint32_t path, uint32_t size) {
  const Call call(transfer, state);
  return call.done(mayfly_wasi_p1_path_unlink_file(transfer, fd_of(call, self), path, size));
}

uint32_t mayfly_wasi2_link_at(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                              uint32_t old_lookup, uint32_t old_path, uint32_t old_size,
                              uint32_t other, uint32_t new_path, uint32_t new_size) {
  const Call call(transfer, state);
  return call.done(mayfly_wasi_p1_path_link(transfer, fd_of(call, self), old_lookup, old_path,
                                            old_size, fd_of(call, other), new_path, new_size));
}

uint32_t mayfly_wasi2_rename_at(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                uint32_t old_path, uint32_t old_size, uint32_t other,
                                uint32_t new_path, uint32_t new_size) {
  const Call call(transfer, state);
  return call.done(mayfly_wasi_p1_path_rename(transfer, fd_of(call, self), old_path, old_size,
                                              fd_of(call, other), new_path, new_size));
}

uint32_t mayfly_wasi2_symlink_at(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                 uint32_t old_path, uint32_t old_size, uint32_t new_path,
                                 uint32_t new_size) {
  const Call call(transfer, state);
  return call.done(mayfly_wasi_p1_path_symlink(transfer, old_path, old_size, fd_of(call, self),
                                               new_path, new_size));
}
