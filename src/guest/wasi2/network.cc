// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// wasi:sockets/network and instance-network. There is one network, and it has nothing of its own:
// what may be done in it is the host's to say.
#include "guest/wasi2/network.h"

#include "guest/wasi2/functions.h"

namespace mayfly::guest {
namespace {

using wasi::Errno;

struct Row {
  Errno error;
  NetworkError code;
};

constexpr Row kRows[] = {
    {Errno::kSuccess, NetworkError::kNone},
    {Errno::kAcces, NetworkError::kAccessDenied},
    {Errno::kPerm, NetworkError::kAccessDenied},
    {Errno::kNotSup, NetworkError::kNotSupported},
    {Errno::kProtoNoSupport, NetworkError::kNotSupported},
    {Errno::kInval, NetworkError::kInvalidArgument},
    {Errno::kAfNoSupport, NetworkError::kInvalidArgument},
    {Errno::kDestAddrReq, NetworkError::kInvalidArgument},
    {Errno::kIsConn, NetworkError::kInvalidArgument},
    {Errno::kNoMem, NetworkError::kOutOfMemory},
    {Errno::kNoBufs, NetworkError::kOutOfMemory},
    {Errno::kTimedOut, NetworkError::kTimeout},
    {Errno::kAlready, NetworkError::kConcurrencyConflict},
    {Errno::kAgain, NetworkError::kWouldBlock},
    {Errno::kInProgress, NetworkError::kWouldBlock},
    {Errno::kNotConn, NetworkError::kInvalidState},
    {Errno::kMFile, NetworkError::kNewSocketLimit},
    {Errno::kNFile, NetworkError::kNewSocketLimit},
    {Errno::kAddrNotAvail, NetworkError::kAddressNotBindable},
    {Errno::kAddrInUse, NetworkError::kAddressInUse},
    {Errno::kHostUnreach, NetworkError::kRemoteUnreachable},
    {Errno::kNetUnreach, NetworkError::kRemoteUnreachable},
    {Errno::kNetDown, NetworkError::kRemoteUnreachable},
    {Errno::kNetReset, NetworkError::kRemoteUnreachable},
    {Errno::kConnRefused, NetworkError::kConnectionRefused},
    {Errno::kConnReset, NetworkError::kConnectionReset},
    {Errno::kPipe, NetworkError::kConnectionReset},
    {Errno::kConnAborted, NetworkError::kConnectionAborted},
    {Errno::kMsgSize, NetworkError::kDatagramTooLarge},
};

constexpr const char* kTexts[] = {
    "unknown",
    "access-denied",
    "not-supported",
    "invalid-argument",
    "out-of-memory",
    "timeout",
    "concurrency-conflict",
    "not-in-progress",
    "would-block",
    "invalid-state",
    "new-socket-limit",
    "address-not-bindable",
    "address-in-use",
    "remote-unreachable",
    "connection-refused",
    "connection-reset",
    "connection-aborted",
    "datagram-too-large",
    "name-unresolvable",
    "temporary-resolver-failure",
    "permanent-resolver-failure",
};
static_assert(sizeof kTexts / sizeof kTexts[0] ==
              static_cast<uint32_t>(NetworkError::kPermanentResolverFailure) + 1);

// Two bytes of an address, the more significant one first.
uint16_t word_at(const WasiAddress& address, uint32_t index) {
  return static_cast<uint16_t>(address.bytes[2 * index] << 8 | address.bytes[2 * index + 1]);
}

void set_word(WasiAddress& address, uint32_t index, uint32_t word) {
  address.bytes[2 * index] = static_cast<uint8_t>(word >> 8);
  address.bytes[2 * index + 1] = static_cast<uint8_t>(word);
}

bool is_ipv6(const WasiAddress& address) {
  return address.family == static_cast<uint16_t>(WasiFamily::kIpv6);
}

uint16_t family(bool is_six) {
  return static_cast<uint16_t>(is_six ? WasiFamily::kIpv6 : WasiFamily::kIpv4);
}

}  // namespace

NetworkError network_error(Errno error) {
  for (const Row& row : kRows) {
    if (row.error == error) return row.code;
  }
  return NetworkError::kUnknown;
}

const char* error_text(NetworkError error) {
  return error == NetworkError::kNone ? "none" : kTexts[static_cast<uint8_t>(error)];
}

WasiAddress host_address(const IpSocketAddress& address) {
  WasiAddress host{};
  host.family = family(address.is_ipv6 != 0);
  if (address.is_ipv6 == 0) {
    host.port = address.ipv4.port;
    for (uint32_t i = 0; i < 4; ++i) host.bytes[i] = address.ipv4.address[i];
    return host;
  }
  host.port = address.ipv6.port;
  host.flow_info = address.ipv6.flow_info;
  host.scope_id = address.ipv6.scope_id;
  for (uint32_t i = 0; i < 8; ++i) set_word(host, i, address.ipv6.address[i]);
  return host;
}

IpSocketAddress socket_address(const WasiAddress& address) {
  IpSocketAddress made{};
  if (!is_ipv6(address)) {
    made.ipv4.port = address.port;
    for (uint32_t i = 0; i < 4; ++i) made.ipv4.address[i] = address.bytes[i];
    return made;
  }
  made.is_ipv6 = 1;
  made.ipv6.port = address.port;
  made.ipv6.flow_info = address.flow_info;
  made.ipv6.scope_id = address.scope_id;
  for (uint32_t i = 0; i < 8; ++i) made.ipv6.address[i] = word_at(address, i);
  return made;
}

WasiAddress host_address(const FlatAddress& address) {
  WasiAddress host{};
  host.family = family(address.is_ipv6 != 0);
  host.port = static_cast<uint16_t>(address.fields[0]);
  if (address.is_ipv6 == 0) {
    for (uint32_t i = 0; i < 4; ++i) host.bytes[i] = static_cast<uint8_t>(address.fields[1 + i]);
    return host;
  }
  host.flow_info = address.fields[1];
  for (uint32_t i = 0; i < 8; ++i) set_word(host, i, address.fields[2 + i]);
  host.scope_id = address.fields[10];
  return host;
}

IpAddress ip_address(const WasiAddress& address) {
  IpAddress made{};
  made.is_ipv6 = is_ipv6(address) ? 1 : 0;
  if (is_ipv6(address)) {
    for (uint32_t i = 0; i < 8; ++i) made.ipv6[i] = word_at(address, i);
  } else {
    for (uint32_t i = 0; i < 4; ++i) made.ipv4[i] = address.bytes[i];
  }
  return made;
}

}  // namespace mayfly::guest

using namespace mayfly::guest;  // NOLINT: the C functions below are this file's only others

uint32_t mayfly_wasi2_instance_network(MemoryInfo* transfer, MemoryInfo* state) {
  Object network{};
  network.kind = ObjectKind::kNetwork;
  return Call(transfer, state).objects.add(network);
}

void mayfly_wasi2_drop_network(MemoryInfo* transfer, MemoryInfo* state, uint32_t network) {
  Call(transfer, state).objects.release(network, ObjectKind::kNetwork);
}

// option<error-code>: not every error of a stream is the network's.
uint32_t mayfly_wasi2_network_error_code(MemoryInfo* transfer, MemoryInfo* state, uint32_t error) {
  const Call call(transfer, state);
  const Object& object = call.objects.get(error, ObjectKind::kError);
  if (!object.is_of_network) return call.none<NetworkError>();
  return call.some(network_error(static_cast<wasi::Errno>(object.error)));
}
