// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sockets that the program makes itself: what they are bound to and connected with is granted or
// refused here, by address, at each call. In which order a program may do what is the guest
// library's and the kernel's; nothing here relies on it.
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "wasi/own_socket.h"
#include "wasi/wait.h"

#include <poll.h>

namespace mayfly::wasi {

namespace {

constexpr int kBacklogMax = 4096;

Errno set_flag(int fd, int level, int option) {
  const int yes = 1;
  return errno_of(::setsockopt(fd, level, option, &yes, sizeof yes));
}

// Addresses that no socket of WASI is bound to or connected with, whatever is granted.
Errno check_family(const OwnSocket& socket, const WasiAddress& address) {
  if (family_of(address) != socket.family) return Errno::kAfNoSupport;
  return is_ipv4_inside(address) ? Errno::kInval : Errno::kSuccess;
}

// Without a grant to listen, a socket has any free port, so that it can send or connect.
Errno check_bind(PortCall& call, const Handle& handle, const WasiAddress& address,
                 bool* may_listen) {
  const bool datagrams = is_datagram(handle);
  const Network& network = call.program.network;
  *may_listen =
      network.allows(datagrams ? NetworkUse::kUdpListen : NetworkUse::kTcpListen, address);
  if (*may_listen) return Errno::kSuccess;
  const bool may_send =
      network.allows_some(datagrams ? NetworkUse::kUdpSend : NetworkUse::kTcpConnect);
  return address.port == 0 && may_send ? Errno::kSuccess : Errno::kAcces;
}

Errno get_address(int fd, guest_abi::WasiAddressOf which, WasiAddress* address) {
  KernelAddress kernel;
  const int failed = which == guest_abi::WasiAddressOf::kPeer
                         ? ::getpeername(fd, kernel.get(), &kernel.bytes)
                         : ::getsockname(fd, kernel.get(), &kernel.bytes);
  MAYFLY_ERRNO_TRY(errno_of(failed));
  *address = from_kernel(kernel);
  return Errno::kSuccess;
}

Errno bind_to(int fd, const WasiAddress& address) {
  const KernelAddress kernel = to_kernel(address);
  return errno_of(::bind(fd, kernel.get(), kernel.bytes));
}

Errno connect_to(int fd, const WasiAddress& address) {
  const KernelAddress kernel = to_kernel(address);
  int failed = 0;
  do {
    failed = ::connect(fd, kernel.get(), kernel.bytes);
  } while (failed != 0 && errno == EINTR);
  return errno_of(failed);
}

// A socket whose port the kernel chose loses it, and must have it back.
Errno forget_peer(Handle& handle) {
  OwnSocket& socket = handle.socket;
  if (family_of(socket.peer) == WasiFamily::kNone) return Errno::kSuccess;
  KernelAddress nobody;
  nobody.storage.ss_family = AF_UNSPEC;
  MAYFLY_ERRNO_TRY(errno_of(::connect(handle.fd.get(), nobody.get(), sizeof(sockaddr))));
  socket.peer = {};
  WasiAddress local{};
  MAYFLY_ERRNO_TRY(get_address(handle.fd.get(), guest_abi::WasiAddressOf::kLocal, &local));
  return local.port == socket.bound.port ? Errno::kSuccess : bind_to(handle.fd.get(), socket.bound);
}

Errno set_peer(PortCall& call, Handle& handle, const WasiAddress& address) {
  if (family_of(address) == WasiFamily::kNone) return forget_peer(handle);
  MAYFLY_ERRNO_TRY(check_remote(handle.socket, address));
  if (!call.program.network.allows(NetworkUse::kUdpSend, address)) return Errno::kAcces;
  MAYFLY_ERRNO_TRY(connect_to(handle.fd.get(), address));
  handle.socket.peer = address;
  return Errno::kSuccess;
}

}  // namespace

Errno find_own_socket(PortCall& call, uint32_t number, Handle** handle) {
  *handle = call.find(number);
  if (*handle == nullptr) return Errno::kBadF;
  return (*handle)->socket.family == WasiFamily::kNone ? Errno::kNotSock : Errno::kSuccess;
}

Errno check_remote(const OwnSocket& socket, const WasiAddress& address) {
  MAYFLY_ERRNO_TRY(check_family(socket, address));
  return address.port == 0 || is_unspecified(address) ? Errno::kInval : Errno::kSuccess;
}

PortAnswer make_socket(PortCall& call, guest_abi::WasiSocketRequest& request) {
  const auto family = static_cast<WasiFamily>(request.family);
  const int kernel = kernel_family(family);
  if (kernel == AF_UNSPEC) return Errno::kAfNoSupport;
  const auto type = static_cast<FileType>(request.type);
  if (type != FileType::kSocketStream && type != FileType::kSocketDgram) return Errno::kInval;
  if (call.program.handles.is_full()) return Errno::kMFile;
  const int kind = type == FileType::kSocketDgram ? SOCK_DGRAM : SOCK_STREAM;
  Fd fd(::socket(kernel, kind | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return from_errno(errno);
  if (kernel == AF_INET6) {
    MAYFLY_ERRNO_TRY(set_flag(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY));
  }
  // A server's port is free again when its last connections are still on their way out.
  if (kind == SOCK_STREAM) MAYFLY_ERRNO_TRY(set_flag(fd.get(), SOL_SOCKET, SO_REUSEADDR));
  Result<Handle> handle =
      describe(std::move(fd), guest_abi::kWasiReadable | guest_abi::kWasiWritable);
  if (!handle) return from_errno(handle.error().errno_value);
  handle->filetype = type;
  handle->socket.family = family;
  const uint32_t number = call.program.handles.add(*std::move(handle));
  request.description = description_of(number, *call.find(number));
  return Errno::kSuccess;
}

PortAnswer bind_socket(PortCall& call, guest_abi::WasiAddressRequest& request) {
  Handle* handle = nullptr;
  MAYFLY_ERRNO_TRY(find_own_socket(call, request.handle, &handle));
  MAYFLY_ERRNO_TRY(check_family(handle->socket, request.address));
  if (is_multicast_or_broadcast(request.address)) return Errno::kInval;
  bool may_listen = false;
  MAYFLY_ERRNO_TRY(check_bind(call, *handle, request.address, &may_listen));
  MAYFLY_ERRNO_TRY(bind_to(handle->fd.get(), request.address));
  handle->socket.may_listen = may_listen;
  if (!is_datagram(*handle)) return Errno::kSuccess;
  return get_address(handle->fd.get(), guest_abi::WasiAddressOf::kLocal, &handle->socket.bound);
}

PortAnswer connect_socket(PortCall& call, guest_abi::WasiAddressRequest& request) {
  Handle* handle = nullptr;
  MAYFLY_ERRNO_TRY(find_own_socket(call, request.handle, &handle));
  if (is_datagram(*handle)) return set_peer(call, *handle, request.address);
  MAYFLY_ERRNO_TRY(check_remote(handle->socket, request.address));
  if (is_multicast_or_broadcast(request.address)) return Errno::kInval;
  if (!call.program.network.allows(NetworkUse::kTcpConnect, request.address)) {
    return Errno::kAcces;
  }
  return connect_to(handle->fd.get(), request.address);
}

PortAnswer finish_connect(PortCall& call, guest_abi::WasiHandleRequest& request) {
  Handle* handle = nullptr;
  MAYFLY_ERRNO_TRY(find_own_socket(call, request.handle, &handle));
  pollfd connected = {handle->fd.get(), POLLOUT, 0};
  if (::poll(&connected, 1, 0) <= 0) return Errno::kAgain;
  int error = 0;
  socklen_t bytes = sizeof error;
  MAYFLY_ERRNO_TRY(errno_of(::getsockopt(handle->fd.get(), SOL_SOCKET, SO_ERROR, &error, &bytes)));
  return error == 0 ? Errno::kSuccess : from_errno(error);
}

PortAnswer listen_at_socket(PortCall& call, guest_abi::WasiHandleRequest& request) {
  Handle* handle = nullptr;
  MAYFLY_ERRNO_TRY(find_own_socket(call, request.handle, &handle));
  if (is_datagram(*handle)) return Errno::kNotSup;
  if (!handle->socket.may_listen) return Errno::kAcces;
  const auto backlog = static_cast<int>(std::min<uint32_t>(request.detail, kBacklogMax));
  MAYFLY_ERRNO_TRY(errno_of(::listen(handle->fd.get(), backlog)));
  handle->flags |= guest_abi::kWasiListener;
  return Errno::kSuccess;
}

PortAnswer address_of_socket(PortCall& call, guest_abi::WasiAddressRequest& request) {
  Handle* handle = nullptr;
  MAYFLY_ERRNO_TRY(find_own_socket(call, request.handle, &handle));
  return get_address(handle->fd.get(), static_cast<guest_abi::WasiAddressOf>(request.detail),
                     &request.answer);
}

uint64_t send_room(int fd) {
  std::array<uint32_t, SK_MEMINFO_VARS> memory{};
  socklen_t bytes = sizeof memory;
  if (::getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory.data(), &bytes) != 0) return 0;
  const uint32_t buffer = memory[SK_MEMINFO_SNDBUF];
  const uint32_t queued = memory[SK_MEMINFO_WMEM_QUEUED];
  // What the kernel needs beside the bytes counts, too.
  return queued < buffer ? (buffer - queued) / 2 : 0;
}

int64_t send_past_buffer(int fd, const msghdr& message) {
  // The kernel limits it to net.core.wmem_max.
  constexpr int kWide = 1 << 20;
  int before = 0;
  socklen_t bytes = sizeof before;
  if (::getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &before, &bytes) != 0) return -1;
  if (::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &kWide, sizeof kWide) != 0) return -1;
  const int64_t sent = ::sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  const int error = errno;
  // It doubles what it is given.
  const int half = before / 2;
  (void)::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &half, sizeof half);
  errno = error;
  return sent;
}

}  // namespace mayfly::wasi
