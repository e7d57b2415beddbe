// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A socket's object stands over an fd of preview 1's table, as a descriptor does, so that streams
// and pollables need nothing of their own for it.
#include "guest/wasi2/socket.h"

#include "guest/wasi/functions.h"
#include "guest/wasi/port_call.h"

namespace mayfly::guest {
namespace {

using guest_abi::WasiPort;
using wasi::Errno;

NetworkError check_bindable(const Object& socket) {
  switch (socket.state) {
    case SocketState::kUnbound:
      return NetworkError::kNone;
    case SocketState::kBindStarted:
    case SocketState::kListenStarted:
    case SocketState::kConnecting:
      return NetworkError::kConcurrencyConflict;
    default:
      return NetworkError::kInvalidState;
  }
}

}  // namespace

wasi::Errno add_fd(guest_abi::WasiDescription description, uint32_t* fd) {
  *fd = fd_table().lowest_free();
  if (*fd != FdTable::kFdsMax) {
    fd_table().set(*fd, make_descriptor(description));
    return Errno::kSuccess;
  }
  auto& request = new_request<guest_abi::WasiHandleRequest>();
  request.handle = description.handle;
  call_port(WasiPort::kClose, request);
  return Errno::kMFile;
}

uint32_t create_socket(const Call& call, ObjectKind kind, uint32_t is_ipv6) {
  auto& request = new_request<guest_abi::WasiSocketRequest>();
  request.family = static_cast<uint16_t>(is_ipv6 != 0 ? WasiFamily::kIpv6 : WasiFamily::kIpv4);
  request.type =
      static_cast<uint8_t>(kind == ObjectKind::kTcpSocket ? wasi::FileType::kSocketStream
                                                          : wasi::FileType::kSocketDgram);
  Errno error = call_port(WasiPort::kSocket, request);
  Object socket{};
  socket.kind = kind;
  socket.is_ipv6 = is_ipv6 != 0;
  if (error == Errno::kSuccess) error = add_fd(request.description, &socket.below);
  if (error == Errno::kAfNoSupport) error = Errno::kNotSup;
  if (error != Errno::kSuccess) return network_failed<uint32_t>(call, network_error(error));
  return call.ok(call.objects.add(socket));
}

uint32_t handle_of(const Object& socket) {
  const Descriptor* const descriptor = fd_table().find(socket.below);
  return descriptor == nullptr ? UINT32_MAX : descriptor->handle();
}

Errno call_address_port(const Object& socket, WasiPort port, const WasiAddress& address) {
  auto& request = new_request<guest_abi::WasiAddressRequest>();
  request.handle = handle_of(socket);
  request.address = address;
  return call_port(port, request);
}

NetworkError start_bind(Object& socket, const WasiAddress& address) {
  const NetworkError state = check_bindable(socket);
  if (state != NetworkError::kNone) return state;
  const Errno error = call_address_port(socket, WasiPort::kBind, address);
  if (error != Errno::kSuccess) return network_error(error);
  socket.state = SocketState::kBindStarted;
  return NetworkError::kNone;
}

NetworkError finish_bind(Object& socket) {
  if (socket.state != SocketState::kBindStarted) return NetworkError::kNotInProgress;
  socket.state = SocketState::kBound;
  return NetworkError::kNone;
}

uint32_t address_result(const Call& call, const Object& socket, guest_abi::WasiAddressOf which) {
  auto& request = new_request<guest_abi::WasiAddressRequest>();
  request.handle = handle_of(socket);
  request.detail = static_cast<uint32_t>(which);
  const Errno error = call_port(WasiPort::kSocketAddress, request);
  if (error != Errno::kSuccess) return network_failed<IpSocketAddress>(call, network_error(error));
  return call.ok(socket_address(request.answer));
}

uint32_t address_family(const Object& socket) { return socket.is_ipv6 ? 1 : 0; }

NetworkError get_option(const Object& socket, WasiSocketOption option, uint64_t* value) {
  auto& request = new_request<guest_abi::WasiOptionRequest>();
  request.handle = handle_of(socket);
  request.option = static_cast<uint32_t>(option);
  const Errno error = call_port(WasiPort::kSocketOption, request);
  *value = request.value_out;
  return network_error(error);
}

NetworkError set_option(const Object& socket, WasiSocketOption option, uint64_t value) {
  if (value == 0 && option != WasiSocketOption::kKeepAlive) return NetworkError::kInvalidArgument;
  auto& request = new_request<guest_abi::WasiOptionRequest>();
  request.handle = handle_of(socket);
  request.option = static_cast<uint32_t>(option);
  request.sets = 1;
  request.value = value;
  return network_error(call_port(WasiPort::kSocketOption, request));
}

}  // namespace mayfly::guest
