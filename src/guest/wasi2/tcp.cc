// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// wasi:sockets/tcp and tcp-create-socket: from one state of a socket to the next. The host binds
// and listens when the start-function asks for it; only connections take their time.
#include "guest/wasi/functions.h"
#include "guest/wasi/port_call.h"
#include "guest/wasi2/descriptor.h"
#include "guest/wasi2/functions.h"
#include "guest/wasi2/poll.h"
#include "guest/wasi2/socket.h"

namespace mayfly::guest {
namespace {

using guest_abi::WasiPort;
using wasi::Errno;

// tuple<input-stream, output-stream>; accept has the socket in front.
struct Streams {
  uint32_t input;
  uint32_t output;
};
struct Accepted {
  uint32_t socket;
  Streams streams;
};

constexpr uint64_t kBacklog = 128;

Object& tcp(const Call& call, uint32_t self) {
  return call.objects.get(self, ObjectKind::kTcpSocket);
}

bool is_in_progress(const Object& socket) {
  return socket.state == SocketState::kBindStarted || socket.state == SocketState::kListenStarted ||
         socket.state == SocketState::kConnecting;
}

bool is_bound(const Object& socket) {
  return socket.state != SocketState::kUnbound && socket.state != SocketState::kBindStarted &&
         socket.state != SocketState::kClosed;
}

Streams new_streams(const Call& call, uint32_t socket) {
  const uint32_t input = new_stream(call, ObjectKind::kInputStream, socket, 0);
  return {input, new_stream(call, ObjectKind::kOutputStream, socket, 0)};
}

NetworkError start_connect(Object& socket, const WasiAddress& address) {
  if (is_in_progress(socket)) return NetworkError::kConcurrencyConflict;
  if (socket.state != SocketState::kUnbound && socket.state != SocketState::kBound) {
    return NetworkError::kInvalidState;
  }
  const Errno error = call_address_port(socket, WasiPort::kConnect, address);
  // What was refused before anything was tried leaves the socket as it is.
  const bool is_refused =
      error == Errno::kAcces || error == Errno::kInval || error == Errno::kAfNoSupport;
  if (is_refused) return network_error(error);
  if (error != Errno::kSuccess && error != Errno::kInProgress) {
    socket.state = SocketState::kClosed;
    // The address is the socket's own, which the kernel was to choose.
    return error == Errno::kAddrNotAvail ? NetworkError::kAddressInUse : network_error(error);
  }
  socket.state = SocketState::kConnecting;
  return NetworkError::kNone;
}

uint32_t finish_connect(const Call& call, uint32_t self) {
  Object& socket = tcp(call, self);
  if (socket.state != SocketState::kConnecting) {
    return network_failed<Streams>(call, NetworkError::kNotInProgress);
  }
  auto& request = new_request<guest_abi::WasiHandleRequest>();
  request.handle = handle_of(socket);
  const Errno error = call_port(WasiPort::kFinishConnect, request);
  if (error == Errno::kSuccess) {
    socket.state = SocketState::kConnected;
    return call.ok(new_streams(call, self));
  }
  if (error != Errno::kAgain) socket.state = SocketState::kClosed;
  return network_failed<Streams>(call, network_error(error));
}

NetworkError listen(const Object& socket, uint64_t backlog) {
  auto& request = new_request<guest_abi::WasiHandleRequest>();
  request.handle = handle_of(socket);
  request.detail = static_cast<uint32_t>(backlog < UINT32_MAX ? backlog : UINT32_MAX);
  return network_error(call_port(WasiPort::kListen, request));
}

NetworkError start_listen(Object& socket) {
  if (is_in_progress(socket)) return NetworkError::kConcurrencyConflict;
  if (socket.state != SocketState::kBound) return NetworkError::kInvalidState;
  const NetworkError error = listen(socket, socket.permitted != 0 ? socket.permitted : kBacklog);
  if (error == NetworkError::kNone) socket.state = SocketState::kListenStarted;
  return error;
}

NetworkError finish_listen(Object& socket) {
  if (socket.state != SocketState::kListenStarted) return NetworkError::kNotInProgress;
  socket.state = SocketState::kListening;
  return NetworkError::kNone;
}

uint32_t accept(const Call& call, uint32_t self) {
  const Object& listener = tcp(call, self);
  if (listener.state != SocketState::kListening) {
    return network_failed<Accepted>(call, NetworkError::kInvalidState);
  }
  Object socket{};
  socket.kind = ObjectKind::kTcpSocket;
  socket.is_ipv6 = listener.is_ipv6;
  socket.state = SocketState::kConnected;
  auto& request = new_request<guest_abi::WasiAcceptRequest>();
  request.handle = handle_of(listener);
  request.fd_flags = wasi::kFdNonblock;
  Errno error = call_port(WasiPort::kAccept, request);
  if (error == Errno::kSuccess) error = add_fd(request.description, &socket.below);
  if (error != Errno::kSuccess) return network_failed<Accepted>(call, network_error(error));
  const uint32_t accepted = call.objects.add(socket);
  return call.ok(Accepted{accepted, new_streams(call, accepted)});
}

uint32_t local_address(const Call& call, const Object& socket) {
  if (!is_bound(socket)) {
    return network_failed<IpSocketAddress>(call, NetworkError::kInvalidState);
  }
  return address_result(call, socket, guest_abi::WasiAddressOf::kLocal);
}

uint32_t remote_address(const Call& call, const Object& socket) {
  if (socket.state != SocketState::kConnected) {
    return network_failed<IpSocketAddress>(call, NetworkError::kInvalidState);
  }
  return address_result(call, socket, guest_abi::WasiAddressOf::kPeer);
}

NetworkError set_backlog(Object& socket, uint64_t backlog) {
  if (backlog == 0) return NetworkError::kInvalidArgument;
  switch (socket.state) {
    case SocketState::kConnecting:
    case SocketState::kConnected:
    case SocketState::kClosed:
      return NetworkError::kInvalidState;
    case SocketState::kListening:
      return listen(socket, backlog);
    default:
      socket.permitted = backlog;
      return NetworkError::kNone;
  }
}

// enum shutdown-type. A direction that was shut down before stays so, whatever the kernel says to
// that: its peer may be gone since.
NetworkError shutdown(Object& socket, uint32_t type) {
  constexpr uint32_t kReceive = 0, kSend = 1;
  if (socket.state != SocketState::kConnected) return NetworkError::kInvalidState;
  const uint32_t directions = type == kReceive ? uint32_t{wasi::kShutdownRead}
                              : type == kSend
                                  ? uint32_t{wasi::kShutdownWrite}
                                  : uint32_t{wasi::kShutdownRead | wasi::kShutdownWrite};
  const uint32_t rest = directions & ~static_cast<uint32_t>(socket.position);
  if (rest == 0) return NetworkError::kNone;
  auto& request = new_request<guest_abi::WasiHandleRequest>();
  request.handle = handle_of(socket);
  request.detail = rest;
  const Errno error = call_port(WasiPort::kShutdown, request);
  // Not connected any more: both directions are over.
  if (error != Errno::kSuccess && error != Errno::kNotConn) return network_error(error);
  socket.position |= directions;
  return NetworkError::kNone;
}

}  // namespace
}  // namespace mayfly::guest

using namespace mayfly::guest;  // NOLINT: the C functions below are this file's only others

uint32_t mayfly_wasi2_create_tcp_socket(MemoryInfo* transfer, MemoryInfo* state, uint32_t is_ipv6) {
  return create_socket(Call(transfer, state), ObjectKind::kTcpSocket, is_ipv6);
}

void mayfly_wasi2_drop_tcp_socket(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  Call(transfer, state).objects.release(self, ObjectKind::kTcpSocket);
}

uint32_t mayfly_wasi2_tcp_start_bind(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                     uint32_t network, MAYFLY_WASI2_ADDRESS(a)) {
  const Call call(transfer, state);
  call.objects.get(network, ObjectKind::kNetwork);
  return network_done(call, start_bind(tcp(call, self), host_address(MAYFLY_WASI2_FLAT(a))));
}

uint32_t mayfly_wasi2_tcp_finish_bind(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  const Call call(transfer, state);
  return network_done(call, finish_bind(tcp(call, self)));
}

uint32_t mayfly_wasi2_tcp_start_connect(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                        uint32_t network, MAYFLY_WASI2_ADDRESS(a)) {
  const Call call(transfer, state);
  call.objects.get(network, ObjectKind::kNetwork);
  return network_done(call, start_connect(tcp(call, self), host_address(MAYFLY_WASI2_FLAT(a))));
}

uint32_t mayfly_wasi2_tcp_finish_connect(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  return finish_connect(Call(transfer, state), self);
}

uint32_t mayfly_wasi2_tcp_start_listen(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  const Call call(transfer, state);
  return network_done(call, start_listen(tcp(call, self)));
}

uint32_t mayfly_wasi2_tcp_finish_listen(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  const Call call(transfer, state);
  return network_done(call, finish_listen(tcp(call, self)));
}

uint32_t mayfly_wasi2_tcp_accept(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  return accept(Call(transfer, state), self);
}

uint32_t mayfly_wasi2_tcp_local_address(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  const Call call(transfer, state);
  return local_address(call, tcp(call, self));
}

uint32_t mayfly_wasi2_tcp_remote_address(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  const Call call(transfer, state);
  return remote_address(call, tcp(call, self));
}

uint32_t mayfly_wasi2_tcp_is_listening(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  return tcp(Call(transfer, state), self).state == SocketState::kListening ? 1 : 0;
}

uint32_t mayfly_wasi2_tcp_set_backlog(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                      uint64_t backlog) {
  const Call call(transfer, state);
  return network_done(call, set_backlog(tcp(call, self), backlog));
}

uint32_t mayfly_wasi2_tcp_subscribe(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  const Call call(transfer, state);
  tcp(call, self);
  return new_object_pollable(call, self);
}

uint32_t mayfly_wasi2_tcp_shutdown(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                   uint32_t type) {
  const Call call(transfer, state);
  return network_done(call, shutdown(tcp(call, self), type));
}
