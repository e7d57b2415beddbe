// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Opening and closing. A file is opened as the guest asks, never in a way that could block.
#include <fcntl.h>

#include "wasi/port_call.h"
#include "wasi/write_behind.h"

namespace mayfly::wasi {

namespace {

namespace p1 = guest_abi::wasi;

bool has(uint32_t flags, uint32_t flag) { return (flags & flag) != 0; }

// TRUNC needs a file that is open for writing, whatever the guest may do with it afterwards.
uint8_t access_of(const guest_abi::WasiOpenRequest& request) {
  const uint8_t access = request.access & (guest_abi::kWasiReadable | guest_abi::kWasiWritable);
  const bool truncates = has(request.open_flags, p1::kOpenTrunc);
  if (truncates) return access | guest_abi::kWasiWritable;
  return access == 0 ? guest_abi::kWasiReadable : access;
}

int access_mode(uint8_t access) {
  if (access == guest_abi::kWasiWritable) return O_WRONLY;
  return has(access, guest_abi::kWasiWritable) ? O_RDWR : O_RDONLY;
}

// O_NONBLOCK: opening a FIFO does not wait. Reads and writes wait on their own, with a deadline.
// Append and sync go with each write, so the guest may change them.
OpenHow how_of(const guest_abi::WasiOpenRequest& request) {
  OpenHow how;
  how.flags = access_mode(access_of(request)) | O_NONBLOCK | O_NOCTTY;
  if (has(request.open_flags, p1::kOpenCreat)) how.flags |= O_CREAT;
  if (has(request.open_flags, p1::kOpenDirectory)) how.flags |= O_DIRECTORY;
  if (has(request.open_flags, p1::kOpenExcl)) how.flags |= O_EXCL;
  if (has(request.open_flags, p1::kOpenTrunc)) how.flags |= O_TRUNC;
  if (has(request.open_flags, p1::kOpenCreat)) how.mode = 0666;
  if (has(request.lookup_flags, p1::kLookupSymlinkFollow)) how.follow_last = FollowLast::kYes;
  return how;
}

Intent intent_of(const guest_abi::WasiOpenRequest& request) {
  const bool changes = has(request.open_flags, p1::kOpenCreat | p1::kOpenTrunc) ||
                       has(request.access, guest_abi::kWasiWritable);
  return changes ? Intent::kChange : Intent::kLook;
}

}  // namespace

PortAnswer open_path(PortCall& call, guest_abi::WasiOpenRequest& request) {
  constexpr uint32_t kCreatesDirectory = p1::kOpenCreat | p1::kOpenDirectory;
  if ((request.open_flags & kCreatesDirectory) == kCreatesDirectory) return Errno::kInval;
  Handle* directory = nullptr;
  MAYFLY_ERRNO_TRY(find_directory(call, request.directory, intent_of(request), &directory));
  std::string path;
  MAYFLY_ERRNO_TRY(MAYFLY_TRY(read_path(call, request.path, &path)));
  if (call.program.handles.is_full()) return Errno::kMFile;
  Opened opened = call.program.resolver.open(directory->fd.get(), path, how_of(request));
  if (opened.error != 0) return from_errno(opened.error);
  const TreeAccess access = directory->access;
  const bool is_in_memory = directory->is_in_memory;
  Result<Handle> handle = describe(std::move(opened.fd), access_of(request));
  if (!handle) return from_errno(handle.error().errno_value);
  handle->access = access;
  handle->is_in_memory = is_in_memory;
  const uint32_t number = call.program.handles.add(*std::move(handle));
  request.description = description_of(number, *call.find(number));
  return Errno::kSuccess;
}

PortAnswer close_handle(PortCall& call, guest_abi::WasiHandleRequest& request) {
  Handle* const handle = call.find(request.handle);
  if (handle == nullptr) return Errno::kBadF;
  const Errno late_error = take_late_error(call, *handle);
  call.program.handles.remove(request.handle);
  return late_error;
}

}  // namespace mayfly::wasi
