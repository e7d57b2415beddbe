// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reading, writing and seeking. The kernel copies straight between a file and the guest's memory,
// in ranges that were checked for this call.
#include <unistd.h>

#include "wasi/buffers.h"
#include "wasi/http_ports.h"
#include "wasi/port_call.h"
#include "wasi/stream_io.h"
#include "wasi/transfer.h"
#include "wasi/write_behind.h"

namespace mayfly::wasi {

namespace {

namespace p1 = guest_abi::wasi;

Blocking blocking_of(const guest_abi::WasiTransferRequest& request) {
  return (request.fd_flags & p1::kFdNonblock) != 0 ? Blocking::kNo : Blocking::kYes;
}

Writing writing_of(const guest_abi::WasiTransferRequest& request) {
  if (blocking_of(request) == Blocking::kNo) return Writing::kAtOnce;
  return (request.fd_flags & guest_abi::kWasiPermitted) != 0 ? Writing::kPermitted : Writing::kAll;
}

// -1 is the kernel's word for the position of the open file.
off_t position_of(const guest_abi::WasiTransferRequest& request) {
  return request.use_position != 0 ? static_cast<off_t>(request.position) : -1;
}

Errno check_position(const guest_abi::WasiTransferRequest& request) {
  return request.use_position != 0 && request.position > INT64_MAX ? Errno::kInval
                                                                   : Errno::kSuccess;
}

int write_flags(uint16_t fd_flags) {
  int flags = 0;
  if ((fd_flags & p1::kFdAppend) != 0) flags |= RWF_APPEND;
  if ((fd_flags & p1::kFdDsync) != 0) flags |= RWF_DSYNC;
  if ((fd_flags & (p1::kFdSync | p1::kFdRsync)) != 0) flags |= RWF_SYNC;
  return flags;
}

// Files do not block, as POSIX has it; so does what is read at a position.
bool is_file(const Handle& handle, const guest_abi::WasiTransferRequest& request) {
  return handle.is_regular() || handle.filetype == FileType::kBlockDevice ||
         request.use_position != 0;
}

Transferred write_file(const Handle& handle, const std::vector<iovec>& buffers,
                       guest_abi::WasiTransferRequest& request) {
  const int flags = write_flags(request.fd_flags);
  const ssize_t bytes = pwritev2(handle.fd.get(), buffers.data(), static_cast<int>(buffers.size()),
                                 position_of(request), flags);
  if (bytes < 0) return {from_errno(errno), 0};
  if ((flags & RWF_APPEND) != 0) {
    const off_t end = lseek(handle.fd.get(), 0, SEEK_CUR);
    request.position_out = end < 0 ? 0 : static_cast<uint64_t>(end);
  }
  return {Errno::kSuccess, static_cast<uint64_t>(bytes)};
}

Transferred read_file(const Handle& handle, const std::vector<iovec>& buffers,
                      const guest_abi::WasiTransferRequest& request) {
  const ssize_t bytes = preadv2(handle.fd.get(), buffers.data(), static_cast<int>(buffers.size()),
                                position_of(request), 0);
  if (bytes < 0) return {from_errno(errno), 0};
  return {Errno::kSuccess, static_cast<uint64_t>(bytes)};
}

// Whom a datagram comes from and goes to is checked where datagrams are (datagram_ports.cc).
Errno find_movable(PortCall& call, uint32_t number, Handle** handle) {
  MAYFLY_ERRNO_TRY(find_handle(call, number, Intent::kLook, handle));
  return (*handle)->filetype == FileType::kSocketDgram ? Errno::kNotSup : Errno::kSuccess;
}

}  // namespace

PortAnswer read_handle(PortCall& call, guest_abi::WasiTransferRequest& request) {
  Handle* handle = nullptr;
  MAYFLY_ERRNO_TRY(find_movable(call, request.handle, &handle));
  if (handle->exchange != nullptr) return read_exchange(call, *handle, request);
  MAYFLY_ERRNO_TRY(check_position(request));
  std::vector<iovec> buffers = MAYFLY_TRY(buffers_of(call, request));
  const Transferred done = is_file(*handle, request)
                               ? read_file(*handle, buffers, request)
                               : read_stream(*handle, buffers, blocking_of(request), call.context);
  request.bytes = done.bytes;
  count_input(call, done.bytes);
  return done.error;
}

Errno take_quota(PortCall& call, uint64_t bytes) {
  if (bytes > call.program.write_bytes_left) return Errno::kDQuot;
  call.program.write_bytes_left -= bytes;
  return Errno::kSuccess;
}

namespace {

// Standard streams are the caller's files, whatever he connected them to.
bool has_quota(const Handle& handle) {
  return handle.is_regular() && !handle.has(guest_abi::kWasiHostPosition);
}

}  // namespace

PortAnswer write_all(PortCall& call, Handle& handle, std::vector<iovec>& buffers,
                     guest_abi::WasiTransferRequest& request) {
  MAYFLY_TRY(check_output(call, bytes_of(buffers)));
  Errno error = Errno::kSuccess;
  if (has_quota(handle) && bytes_of(buffers) > call.program.write_bytes_left) {
    limit_to(buffers, call.program.write_bytes_left);
    error = Errno::kDQuot;
  }
  size_t first = 0;
  while (first < buffers.size() && buffers[first].iov_len > 0) {
    const ssize_t bytes =
        pwritev2(handle.fd.get(), &buffers[first], static_cast<int>(buffers.size() - first),
                 position_of(request), 0);
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes <= 0) return bytes < 0 ? from_errno(errno) : Errno::kIo;
    const auto written = static_cast<uint64_t>(bytes);
    request.position += written;
    count_output(call, written);
    if (has_quota(handle)) call.program.write_bytes_left -= written;
    advance(buffers, first, written);
  }
  return error;
}

PortAnswer write_handle(PortCall& call, guest_abi::WasiTransferRequest& request) {
  Handle* handle = nullptr;
  MAYFLY_ERRNO_TRY(find_movable(call, request.handle, &handle));
  if (handle->exchange != nullptr) return write_exchange(call, *handle, request);
  MAYFLY_ERRNO_TRY(take_late_error(call, *handle));
  MAYFLY_ERRNO_TRY(check_position(request));
  std::vector<iovec> buffers = MAYFLY_TRY(buffers_of(call, request));
  if (has_quota(*handle)) {
    const bool is_used_up = call.program.write_bytes_left == 0;
    if (is_used_up && bytes_of(buffers) > 0) return Errno::kDQuot;
    limit_to(buffers, call.program.write_bytes_left);
  }
  MAYFLY_TRY(check_output(call, bytes_of(buffers)));
  const Transferred done = is_file(*handle, request)
                               ? write_file(*handle, buffers, request)
                               : write_stream(*handle, buffers, writing_of(request), call.context);
  request.bytes = done.bytes;
  count_output(call, done.bytes);
  if (has_quota(*handle)) call.program.write_bytes_left -= done.bytes;
  if (done.bytes <= guest_abi::kBehindBytesMax) count_direct_write(call, *handle);
  return done.error;
}

PortAnswer seek_handle(PortCall& call, guest_abi::WasiSeekRequest& request) {
  Handle* handle = nullptr;
  MAYFLY_ERRNO_TRY(find_handle(call, request.handle, Intent::kLook, &handle));
  int whence = SEEK_SET;
  switch (static_cast<p1::Whence>(request.whence)) {
    case p1::Whence::kSet:
      break;
    case p1::Whence::kCur:
      whence = SEEK_CUR;
      break;
    case p1::Whence::kEnd:
      whence = SEEK_END;
      break;
    default:
      return Errno::kInval;
  }
  const off_t position = lseek(handle->fd.get(), static_cast<off_t>(request.offset), whence);
  MAYFLY_ERRNO_TRY(errno_of(position));
  request.position = static_cast<uint64_t>(position);
  return Errno::kSuccess;
}

}  // namespace mayfly::wasi
