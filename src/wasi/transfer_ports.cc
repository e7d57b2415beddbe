// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reading, writing and seeking. The kernel copies straight between a file and the guest's memory,
// in ranges that were checked for this call.
#include <unistd.h>

#include "wasi/buffers.h"
#include "wasi/port_call.h"
#include "wasi/stream_io.h"

namespace mayfly::wasi {

namespace {

namespace p1 = guest_abi::wasi;

Blocking blocking_of(const guest_abi::WasiTransferRequest& request) {
  return (request.fd_flags & p1::kFdNonblock) != 0 ? Blocking::kNo : Blocking::kYes;
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

uint64_t bytes_of(const std::vector<iovec>& buffers) {
  uint64_t bytes = 0;
  for (const iovec& buffer : buffers) bytes += buffer.iov_len;
  return bytes;
}

// Cuts the buffers so that they have at most bytes_max together.
void limit_to(std::vector<iovec>& buffers, uint64_t bytes_max) {
  for (size_t i = 0; i < buffers.size(); ++i) {
    if (buffers[i].iov_len > bytes_max) {
      buffers[i].iov_len = bytes_max;
      buffers.resize(i + 1);
      return;
    }
    bytes_max -= buffers[i].iov_len;
  }
}

Transferred read_file(const Handle& handle, const std::vector<iovec>& buffers,
                      const guest_abi::WasiTransferRequest& request) {
  const ssize_t bytes = preadv2(handle.fd.get(), buffers.data(), static_cast<int>(buffers.size()),
                                position_of(request), 0);
  if (bytes < 0) return {from_errno(errno), 0};
  return {Errno::kSuccess, static_cast<uint64_t>(bytes)};
}

}  // namespace

Result<std::vector<iovec>> buffers_of(PortCall& call,
                                      const guest_abi::WasiTransferRequest& request) {
  if (request.buffers_count > guest_abi::kWasiBuffersMax) {
    return invalid("a transfer of " + std::to_string(request.buffers_count) +
                   " buffers, the limit is " + std::to_string(guest_abi::kWasiBuffersMax));
  }
  std::vector<iovec> buffers;
  buffers.reserve(request.buffers_count);
  for (uint32_t i = 0; i < request.buffers_count; ++i) {
    const guest_abi::WasiRange& range = request.buffers[i];
    const auto bytes = MAYFLY_TRY(call.guest().view(range.address, range.bytes));
    buffers.push_back({bytes.data(), bytes.size()});
  }
  return buffers;
}

PortAnswer read_handle(PortCall& call, guest_abi::WasiTransferRequest& request) {
  Handle* handle = nullptr;
  MAYFLY_ERRNO_TRY(find_handle(call, request.handle, Intent::kLook, &handle));
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

PortAnswer write_handle(PortCall& call, guest_abi::WasiTransferRequest& request) {
  Handle* handle = nullptr;
  MAYFLY_ERRNO_TRY(find_handle(call, request.handle, Intent::kLook, &handle));
  MAYFLY_ERRNO_TRY(check_position(request));
  std::vector<iovec> buffers = MAYFLY_TRY(buffers_of(call, request));
  // Standard streams are the caller's files, whatever he connected them to.
  const bool has_quota = handle->is_regular() && !handle->has(guest_abi::kWasiHostPosition);
  if (has_quota) {
    const bool is_used_up = call.program.write_bytes_left == 0;
    if (is_used_up && bytes_of(buffers) > 0) return Errno::kDQuot;
    limit_to(buffers, call.program.write_bytes_left);
  }
  MAYFLY_TRY(check_output(call, bytes_of(buffers)));
  const Transferred done = is_file(*handle, request)
                               ? write_file(*handle, buffers, request)
                               : write_stream(*handle, buffers, blocking_of(request), call.context);
  request.bytes = done.bytes;
  count_output(call, done.bytes);
  if (has_quota) call.program.write_bytes_left -= done.bytes;
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
