// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sockets: the listeners that the program was given, and the connections that they accept.
#include <sys/socket.h>

#include <cerrno>

#include "wasi/buffers.h"
#include "wasi/port_call.h"
#include "wasi/wait.h"

namespace mayfly::wasi {

namespace {

namespace p1 = guest_abi::wasi;

bool is_nonblocking(uint32_t fd_flags) { return (fd_flags & p1::kFdNonblock) != 0; }

Errno find_socket(PortCall& call, uint32_t number, Handle** handle) {
  *handle = call.find(number);
  if (*handle == nullptr) return Errno::kBadF;
  return (*handle)->filetype == FileType::kSocketStream ? Errno::kSuccess : Errno::kNotSock;
}

msghdr message_of(std::vector<iovec>& buffers) {
  msghdr message{};
  message.msg_iov = buffers.data();
  message.msg_iovlen = buffers.size();
  return message;
}

// Waits unless the guest wants to know that it would have to.
Errno wait_or_refuse(const Handle& handle, short events, uint32_t fd_flags, PortCall& call) {
  if (is_nonblocking(fd_flags)) return Errno::kAgain;
  return wait_for(handle.fd.get(), events, call.context);
}

uint64_t total(const std::vector<iovec>& buffers) {
  uint64_t bytes = 0;
  for (const iovec& buffer : buffers) bytes += buffer.iov_len;
  return bytes;
}

// Without the bytes that are there already.
std::vector<iovec> after(const std::vector<iovec>& buffers, uint64_t bytes) {
  std::vector<iovec> rest;
  for (const iovec& buffer : buffers) {
    const uint64_t skipped = std::min<uint64_t>(bytes, buffer.iov_len);
    bytes -= skipped;
    if (skipped == buffer.iov_len) continue;
    rest.push_back({static_cast<char*>(buffer.iov_base) + skipped, buffer.iov_len - skipped});
  }
  return rest;
}

}  // namespace

PortAnswer accept_connection(PortCall& call, guest_abi::WasiAcceptRequest& request) {
  Handle* listener = nullptr;
  MAYFLY_ERRNO_TRY(find_socket(call, request.handle, &listener));
  if (!listener->has(guest_abi::kWasiListener)) return Errno::kInval;
  if (call.program.handles.is_full()) return Errno::kMFile;
  const guest_abi::WasiFamily family = listener->socket.family;
  while (true) {
    Fd fd(accept4(listener->fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (fd.valid()) {
      constexpr uint8_t kBoth = guest_abi::kWasiReadable | guest_abi::kWasiWritable;
      Result<Handle> handle = describe(std::move(fd), kBoth);
      if (!handle) return from_errno(handle.error().errno_value);
      handle->socket.family = family;
      const uint32_t number = call.program.handles.add(*std::move(handle));
      request.description = description_of(number, *call.find(number));
      return Errno::kSuccess;
    }
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno != EAGAIN) return from_errno(errno);
    MAYFLY_ERRNO_TRY(wait_or_refuse(*listener, POLLIN, request.fd_flags, call));
  }
}

PortAnswer receive(PortCall& call, guest_abi::WasiTransferRequest& request) {
  Handle* handle = nullptr;
  MAYFLY_ERRNO_TRY(find_socket(call, request.handle, &handle));
  const std::vector<iovec> buffers = MAYFLY_TRY(buffers_of(call, request));
  const bool peeks = (request.detail & p1::kRecvPeek) != 0;
  const uint64_t wanted = (request.detail & p1::kRecvWaitall) != 0 && !peeks ? total(buffers) : 1;
  request.bytes = 0;
  request.flags_out = 0;
  do {
    std::vector<iovec> rest = after(buffers, request.bytes);
    msghdr message = message_of(rest);
    const ssize_t bytes =
        recvmsg(handle->fd.get(), &message, MSG_DONTWAIT | (peeks ? MSG_PEEK : 0));
    if (bytes == 0) break;
    if (bytes > 0) {
      request.bytes += static_cast<uint64_t>(bytes);
      count_input(call, static_cast<uint64_t>(bytes));
      if ((message.msg_flags & MSG_TRUNC) != 0) request.flags_out = p1::kRecvDataTruncated;
      continue;
    }
    if (errno == EINTR) continue;
    const Errno error = errno == EAGAIN ? wait_or_refuse(*handle, POLLIN, request.fd_flags, call)
                                        : from_errno(errno);
    if (error == Errno::kSuccess) continue;
    return request.bytes > 0 && error != Errno::kIntr ? Errno::kSuccess : error;
  } while (request.bytes < wanted);
  return Errno::kSuccess;
}

PortAnswer send(PortCall& call, guest_abi::WasiTransferRequest& request) {
  Handle* handle = nullptr;
  MAYFLY_ERRNO_TRY(find_socket(call, request.handle, &handle));
  std::vector<iovec> buffers = MAYFLY_TRY(buffers_of(call, request));
  MAYFLY_TRY(check_output(call, total(buffers)));
  const msghdr message = message_of(buffers);
  while (true) {
    const ssize_t bytes = sendmsg(handle->fd.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (bytes >= 0) {
      request.bytes = static_cast<uint64_t>(bytes);
      count_output(call, request.bytes);
      return Errno::kSuccess;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return from_errno(errno);
    MAYFLY_ERRNO_TRY(wait_or_refuse(*handle, POLLOUT, request.fd_flags, call));
  }
}

PortAnswer shutdown_handle(PortCall& call, guest_abi::WasiHandleRequest& request) {
  Handle* handle = nullptr;
  MAYFLY_ERRNO_TRY(find_socket(call, request.handle, &handle));
  switch (request.detail) {
    case p1::kShutdownRead:
      return errno_of(shutdown(handle->fd.get(), SHUT_RD));
    case p1::kShutdownWrite:
      return errno_of(shutdown(handle->fd.get(), SHUT_WR));
    case p1::kShutdownRead | p1::kShutdownWrite:
      return errno_of(shutdown(handle->fd.get(), SHUT_RDWR));
    default:
      return Errno::kInval;
  }
}

}  // namespace mayfly::wasi
