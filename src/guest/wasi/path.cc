// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The path_* calls but path_open: rights and ranges are checked here, the path itself by the host,
// which resolves it beneath the directory.
#include "guest/wasi/fd_table.h"
#include "guest/wasi/functions.h"
#include "guest/wasi/linear_memory.h"
#include "guest/wasi/port_call.h"
#include "guest/wasi/stat.h"

using namespace mayfly::guest;  // NOLINT: this file defines the C functions only

namespace {

namespace guest_abi = mayfly::guest_abi;
using guest_abi::WasiPort;

struct Path {
  uint32_t offset;
  uint32_t bytes;
};

// An open directory with the rights, and a path that lies in memory.
wasi::Errno check(const LinearMemory& memory, uint32_t fd, wasi::Rights rights, const Path& path,
                  Descriptor** directory) {
  const wasi::Errno error = find_directory(fd, rights, directory);
  if (error != wasi::Errno::kSuccess) return error;
  return memory.contains(path.offset, path.bytes) ? wasi::Errno::kSuccess : wasi::Errno::kFault;
}

uint32_t path_call(WasiPort port, const LinearMemory& memory, uint32_t fd, wasi::Rights rights,
                   const Path& path) {
  Descriptor* directory = nullptr;
  MAYFLY_WASI_TRY(check(memory, fd, rights, path, &directory));
  auto& request = new_request<guest_abi::WasiPathRequest>();
  request.directory = directory->handle();
  request.path = memory.range(path.offset, path.bytes);
  return answer(call_port(port, request));
}

uint32_t filestat_get(const LinearMemory& memory, uint32_t fd, uint32_t lookup, const Path& path,
                      uint32_t to, StatLayout layout) {
  Descriptor* directory = nullptr;
  MAYFLY_WASI_TRY(check(memory, fd, wasi::kPathFilestatGet, path, &directory));
  if (!memory.contains(to, stat_bytes(layout))) return answer(wasi::Errno::kFault);
  auto& request = new_request<guest_abi::WasiStatRequest>();
  request.handle = directory->handle();
  request.lookup_flags = lookup;
  request.path = memory.range(path.offset, path.bytes);
  MAYFLY_WASI_TRY(call_port(WasiPort::kPathStat, request));
  store_stat(memory, to, layout, request.stat);
  return answer(wasi::Errno::kSuccess);
}

}  // namespace

uint32_t mayfly_wasi_p1_path_create_directory(MemoryInfo* memory, uint32_t fd, uint32_t path,
                                              uint32_t bytes) {
  return path_call(WasiPort::kCreateDirectory, LinearMemory(memory), fd, wasi::kPathCreateDirectory,
                   {path, bytes});
}

uint32_t mayfly_wasi_p1_path_remove_directory(MemoryInfo* memory, uint32_t fd, uint32_t path,
                                              uint32_t bytes) {
  return path_call(WasiPort::kRemoveDirectory, LinearMemory(memory), fd, wasi::kPathRemoveDirectory,
                   {path, bytes});
}

uint32_t mayfly_wasi_p1_path_unlink_file(MemoryInfo* memory, uint32_t fd, uint32_t path,
                                         uint32_t bytes) {
  return path_call(WasiPort::kUnlink, LinearMemory(memory), fd, wasi::kPathUnlinkFile,
                   {path, bytes});
}

uint32_t mayfly_wasi_p1_path_filestat_get(MemoryInfo* memory, uint32_t fd, uint32_t lookup,
                                          uint32_t path, uint32_t bytes, uint32_t to) {
  return filestat_get(LinearMemory(memory), fd, lookup, {path, bytes}, to, StatLayout::kPreview1);
}

uint32_t mayfly_wasi_unstable_path_filestat_get(MemoryInfo* memory, uint32_t fd, uint32_t lookup,
                                                uint32_t path, uint32_t bytes, uint32_t to) {
  return filestat_get(LinearMemory(memory), fd, lookup, {path, bytes}, to, StatLayout::kUnstable);
}

uint32_t mayfly_wasi_p1_path_filestat_set_times(MemoryInfo* memory, uint32_t fd, uint32_t lookup,
                                                uint32_t path, uint32_t bytes, uint64_t atim,
                                                uint64_t mtim, uint32_t flags) {
  const LinearMemory linear(memory);
  Descriptor* directory = nullptr;
  MAYFLY_WASI_TRY(check(linear, fd, wasi::kPathFilestatSetTimes, {path, bytes}, &directory));
  MAYFLY_WASI_TRY(check_set_times(flags));
  auto& request = new_request<guest_abi::WasiSetTimesRequest>();
  request.handle = directory->handle();
  request.lookup_flags = lookup;
  request.path = linear.range(path, bytes);
  request.atim = atim;
  request.mtim = mtim;
  request.set_flags = flags;
  return answer(call_port(WasiPort::kPathSetTimes, request));
}

uint32_t mayfly_wasi_p1_path_readlink(MemoryInfo* memory, uint32_t fd, uint32_t path,
                                      uint32_t bytes, uint32_t to, uint32_t to_bytes,
                                      uint32_t bytes_to) {
  const LinearMemory linear(memory);
  Descriptor* directory = nullptr;
  MAYFLY_WASI_TRY(check(linear, fd, wasi::kPathReadlink, {path, bytes}, &directory));
  if (!linear.contains(to, to_bytes) || !linear.contains(bytes_to, 4)) {
    return answer(wasi::Errno::kFault);
  }
  auto& request = new_request<guest_abi::WasiReadLinkRequest>();
  request.directory = directory->handle();
  request.path = linear.range(path, bytes);
  request.to = linear.range(to, to_bytes);
  MAYFLY_WASI_TRY(call_port(WasiPort::kReadLink, request));
  linear.store(bytes_to, static_cast<uint32_t>(request.bytes));
  return answer(wasi::Errno::kSuccess);
}

uint32_t mayfly_wasi_p1_path_symlink(MemoryInfo* memory, uint32_t old_path, uint32_t old_bytes,
                                     uint32_t fd, uint32_t new_path, uint32_t new_bytes) {
  const LinearMemory linear(memory);
  Descriptor* directory = nullptr;
  MAYFLY_WASI_TRY(check(linear, fd, wasi::kPathSymlink, {new_path, new_bytes}, &directory));
  if (!linear.contains(old_path, old_bytes)) return answer(wasi::Errno::kFault);
  auto& request = new_request<guest_abi::WasiTwoPathsRequest>();
  request.new_directory = directory->handle();
  request.old_path = linear.range(old_path, old_bytes);
  request.new_path = linear.range(new_path, new_bytes);
  return answer(call_port(WasiPort::kSymlink, request));
}

uint32_t mayfly_wasi_p1_path_link(MemoryInfo* memory, uint32_t old_fd, uint32_t old_lookup,
                                  uint32_t old_path, uint32_t old_bytes, uint32_t new_fd,
                                  uint32_t new_path, uint32_t new_bytes) {
  const LinearMemory linear(memory);
  Descriptor* source = nullptr;
  Descriptor* target = nullptr;
  MAYFLY_WASI_TRY(check(linear, old_fd, wasi::kPathLinkSource, {old_path, old_bytes}, &source));
  MAYFLY_WASI_TRY(check(linear, new_fd, wasi::kPathLinkTarget, {new_path, new_bytes}, &target));
  // A link to what a symbolic link names cannot be made without following it on the host.
  if (old_lookup != 0) return answer(wasi::Errno::kInval);
  auto& request = new_request<guest_abi::WasiTwoPathsRequest>();
  request.old_directory = source->handle();
  request.new_directory = target->handle();
  request.old_path = linear.range(old_path, old_bytes);
  request.new_path = linear.range(new_path, new_bytes);
  return answer(call_port(WasiPort::kLink, request));
}

uint32_t mayfly_wasi_p1_path_rename(MemoryInfo* memory, uint32_t old_fd, uint32_t old_path,
                                    uint32_t old_bytes, uint32_t new_fd, uint32_t new_path,
                                    uint32_t new_bytes) {
  const LinearMemory linear(memory);
  Descriptor* source = nullptr;
  Descriptor* target = nullptr;
  MAYFLY_WASI_TRY(check(linear, old_fd, wasi::kPathRenameSource, {old_path, old_bytes}, &source));
  MAYFLY_WASI_TRY(check(linear, new_fd, wasi::kPathRenameTarget, {new_path, new_bytes}, &target));
  auto& request = new_request<guest_abi::WasiTwoPathsRequest>();
  request.old_directory = source->handle();
  request.new_directory = target->handle();
  request.old_path = linear.range(old_path, old_bytes);
  request.new_path = linear.range(new_path, new_bytes);
  return answer(call_port(WasiPort::kRename, request));
}
