// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// wasi:sockets/udp and udp-create-socket. A socket's streams have the number of the association
// that they were made for; those of an earlier one are over.
#include "guest/wasi/port_call.h"
#include "guest/wasi2/functions.h"
#include "guest/wasi2/poll.h"
#include "guest/wasi2/socket.h"

namespace mayfly::guest {
namespace {

using guest_abi::ComponentTrap;
using guest_abi::WasiDatagram;
using guest_abi::WasiPort;
using wasi::Errno;

struct Streams {
  uint32_t incoming;
  uint32_t outgoing;
};

// record outgoing-datagram, record incoming-datagram.
struct Outgoing {
  TransferBytes data;
  uint8_t has_address;
  IpSocketAddress address;
};
struct Incoming {
  TransferBytes data;
  IpSocketAddress address;
};
static_assert(sizeof(Outgoing) == 44 && sizeof(Incoming) == 40);

// How many datagrams check-send permits.
constexpr uint64_t kSendsMax = 16;
// Of all datagrams of one receive.
constexpr uint32_t kReceiveBytes = 256U << 10;

Object& udp(const Call& call, uint32_t self) {
  return call.objects.get(self, ObjectKind::kUdpSocket);
}

bool is_bound(const Object& socket) {
  return socket.state == SocketState::kBound || socket.state == SocketState::kConnected;
}

uint32_t new_datagrams(const Call& call, ObjectKind kind, uint32_t socket, uint64_t association) {
  Object stream{};
  stream.kind = kind;
  stream.below = socket;
  stream.position = association;
  return call.objects.add(stream);
}

// kNone for no address: then everybody is a peer.
uint32_t associate(const Call& call, uint32_t self, const WasiAddress& address) {
  Object& socket = udp(call, self);
  if (!is_bound(socket)) return network_failed<Streams>(call, NetworkError::kInvalidState);
  const Errno error = call_address_port(socket, WasiPort::kConnect, address);
  if (error != Errno::kSuccess) return network_failed<Streams>(call, network_error(error));
  const bool is_connected = address.family != static_cast<uint16_t>(WasiFamily::kNone);
  socket.state = is_connected ? SocketState::kConnected : SocketState::kBound;
  const uint64_t association = ++socket.position;
  const uint32_t incoming = new_datagrams(call, ObjectKind::kIncomingDatagrams, self, association);
  return call.ok(
      Streams{incoming, new_datagrams(call, ObjectKind::kOutgoingDatagrams, self, association)});
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

// The socket of a stream; null when its association is over.
const Object* socket_of(const Call& call, const Object& stream) {
  const Object& socket = call.objects.get(stream.below, ObjectKind::kUdpSocket);
  return socket.position == stream.position ? &socket : nullptr;
}

// list<incoming-datagram> of what the host has put one after the other.
uint32_t received(const Call& call, uint32_t datagrams, uint32_t room, uint32_t count) {
  const uint32_t list =
      call.transfer.reserve(uint64_t{count} * sizeof(Incoming), alignof(Incoming));
  for (uint32_t i = 0; i < count; ++i) {
    const auto datagram =
        call.transfer.load<WasiDatagram>(datagrams + i * uint32_t{sizeof(WasiDatagram)});
    call.transfer.store(list + i * uint32_t{sizeof(Incoming)},
                        Incoming{{room, datagram.bytes}, socket_address(datagram.address)});
    room += datagram.bytes;
  }
  return call.ok(TransferBytes{list, count});
}

uint32_t receive(const Call& call, uint32_t self, uint64_t results_max) {
  const Object& stream = call.objects.get(self, ObjectKind::kIncomingDatagrams);
  const Object* const socket = socket_of(call, stream);
  if (socket == nullptr) return network_failed<TransferBytes>(call, NetworkError::kInvalidState);
  const auto count = static_cast<uint32_t>(
      results_max < guest_abi::kWasiDatagramsMax ? results_max : guest_abi::kWasiDatagramsMax);
  if (count == 0) return call.ok(TransferBytes{});
  const uint32_t datagrams =
      call.transfer.allocate(uint64_t{count} * sizeof(WasiDatagram), alignof(WasiDatagram));
  const uint32_t room = call.transfer.reserve(kReceiveBytes, 1);
  auto& request = new_request<guest_abi::WasiDatagramsRequest>();
  request.handle = handle_of(*socket);
  request.count = count;
  request.datagrams = call.transfer.linear().range(datagrams, 0).address;
  request.room = call.transfer.linear().range(room, kReceiveBytes);
  const Errno error = call_port(WasiPort::kReceiveDatagrams, request);
  if (error != Errno::kSuccess) return network_failed<TransferBytes>(call, network_error(error));
  return received(call, datagrams, room, request.done < count ? request.done : count);
}

uint32_t check_send(const Call& call, uint32_t self) {
  Object& stream = call.objects.get(self, ObjectKind::kOutgoingDatagrams);
  stream.permitted = 0;
  const Object* const socket = socket_of(call, stream);
  if (socket == nullptr) return network_failed<uint64_t>(call, NetworkError::kInvalidState);
  const Descriptor* const descriptor = fd_table().find(socket->below);
  uint64_t bytes = 0;
  if (descriptor == nullptr || is_ready(call, *descriptor, PollFor::kWrite, &bytes)) {
    stream.permitted = kSendsMax;
  }
  return call.ok(stream.permitted);
}

// The host's form of the datagrams.
uint32_t datagrams_of(const Call& call, uint32_t list, uint32_t count) {
  const uint32_t datagrams =
      call.transfer.reserve(uint64_t{count} * sizeof(WasiDatagram), alignof(WasiDatagram));
  for (uint32_t i = 0; i < count; ++i) {
    const auto from = call.transfer.load<Outgoing>(list + i * uint32_t{sizeof(Outgoing)});
    call.transfer.at(from.data.address, from.data.size);
    WasiDatagram to{};
    to.data = call.transfer.linear().range(from.data.address, from.data.size);
    if (from.has_address != 0) to.address = host_address(from.address);
    call.transfer.store(datagrams + i * uint32_t{sizeof(WasiDatagram)}, to);
  }
  return datagrams;
}

uint32_t send(const Call& call, uint32_t self, uint32_t list, uint32_t count) {
  Object& stream = call.objects.get(self, ObjectKind::kOutgoingDatagrams);
  if (count > stream.permitted) component_trap(ComponentTrap::kSendNotPermitted);
  const Object* const socket = socket_of(call, stream);
  if (socket == nullptr) return network_failed<uint64_t>(call, NetworkError::kInvalidState);
  if (count == 0) return call.ok(uint64_t{0});
  const uint32_t datagrams = datagrams_of(call, list, count);
  auto& request = new_request<guest_abi::WasiDatagramsRequest>();
  request.handle = handle_of(*socket);
  request.count = count;
  request.datagrams = call.transfer.linear().range(datagrams, 0).address;
  const Errno error = call_port(WasiPort::kSendDatagrams, request);
  if (error != Errno::kSuccess) return network_failed<uint64_t>(call, network_error(error));
  stream.permitted -= request.done;
  return call.ok(uint64_t{request.done});
}

uint32_t subscribe(const Call& call, uint32_t self, ObjectKind kind) {
  call.objects.get(self, kind);
  return new_object_pollable(call, self);
}

}  // namespace
}  // namespace mayfly::guest

using namespace mayfly::guest;  // NOLINT: the C functions below are this file's only others

uint32_t mayfly_wasi2_create_udp_socket(MemoryInfo* transfer, MemoryInfo* state, uint32_t is_ipv6) {
  return create_socket(Call(transfer, state), ObjectKind::kUdpSocket, is_ipv6);
}

void mayfly_wasi2_drop_udp_socket(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  Call(transfer, state).objects.release(self, ObjectKind::kUdpSocket);
}

uint32_t mayfly_wasi2_udp_start_bind(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                     uint32_t network, MAYFLY_WASI2_ADDRESS(a)) {
  const Call call(transfer, state);
  call.objects.get(network, ObjectKind::kNetwork);
  return network_done(call, start_bind(udp(call, self), host_address(MAYFLY_WASI2_FLAT(a))));
}

uint32_t mayfly_wasi2_udp_finish_bind(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  const Call call(transfer, state);
  return network_done(call, finish_bind(udp(call, self)));
}

uint32_t mayfly_wasi2_udp_stream(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                 uint32_t has_address, MAYFLY_WASI2_ADDRESS(a)) {
  const WasiAddress address = has_address != 0 ? host_address(MAYFLY_WASI2_FLAT(a)) : WasiAddress{};
  return associate(Call(transfer, state), self, address);
}

uint32_t mayfly_wasi2_udp_local_address(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  const Call call(transfer, state);
  return local_address(call, udp(call, self));
}

uint32_t mayfly_wasi2_udp_remote_address(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  const Call call(transfer, state);
  return remote_address(call, udp(call, self));
}

uint32_t mayfly_wasi2_udp_subscribe(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  return subscribe(Call(transfer, state), self, ObjectKind::kUdpSocket);
}

uint32_t mayfly_wasi2_receive_datagrams(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                        uint64_t results_max) {
  return receive(Call(transfer, state), self, results_max);
}

uint32_t mayfly_wasi2_subscribe_incoming(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  return subscribe(Call(transfer, state), self, ObjectKind::kIncomingDatagrams);
}

void mayfly_wasi2_drop_incoming(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  Call(transfer, state).objects.release(self, ObjectKind::kIncomingDatagrams);
}

uint32_t mayfly_wasi2_check_send(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  return check_send(Call(transfer, state), self);
}

uint32_t mayfly_wasi2_send_datagrams(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                     uint32_t list, uint32_t count) {
  return send(Call(transfer, state), self, list, count);
}

uint32_t mayfly_wasi2_subscribe_outgoing(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  return subscribe(Call(transfer, state), self, ObjectKind::kOutgoingDatagrams);
}

void mayfly_wasi2_drop_outgoing(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  Call(transfer, state).objects.release(self, ObjectKind::kOutgoingDatagrams);
}
