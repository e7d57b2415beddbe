// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// wasi:sockets/network: its error codes and its addresses, as they lie in the transfer memory.
#pragma once

#include <cstdint>

#include "guest/wasi2/call.h"
#include "guest_abi/socket_ports.h"

namespace mayfly::guest {

using guest_abi::WasiAddress;
using guest_abi::WasiFamily;

// enum error-code, in the order of its WIT.
enum class NetworkError : uint8_t {
  kUnknown,
  kAccessDenied,
  kNotSupported,
  kInvalidArgument,
  kOutOfMemory,
  kTimeout,
  kConcurrencyConflict,
  kNotInProgress,
  kWouldBlock,
  kInvalidState,
  kNewSocketLimit,
  kAddressNotBindable,
  kAddressInUse,
  kRemoteUnreachable,
  kConnectionRefused,
  kConnectionReset,
  kConnectionAborted,
  kDatagramTooLarge,
  kNameUnresolvable,
  kTemporaryResolverFailure,
  kPermanentResolverFailure,
  kNone = 255,  // not of the WIT: it went well
};

NetworkError network_error(wasi::Errno error);

// For people: "access-denied". Ends in a NUL.
const char* error_text(NetworkError error);

// result<T, error-code>, and the error of it.
template <typename T>
uint32_t network_failed(const Call& call, NetworkError error) {
  struct Layout {
    uint8_t is_error;
    T value;
  };
  const uint32_t address = call.transfer.allocate(sizeof(Layout), alignof(Layout));
  call.transfer.store<uint8_t>(address, 1);
  call.transfer.store(address + static_cast<uint32_t>(offsetof(Layout, value)), error);
  return address;
}

// result<_, error-code>.
inline uint32_t network_done(const Call& call, NetworkError error) {
  return error == NetworkError::kNone ? call.ok() : network_failed<Nothing>(call, error);
}

// variant ip-socket-address.
struct IpSocketAddress {
  struct Ipv4 {
    uint16_t port;
    uint8_t address[4];
  };
  struct Ipv6 {
    uint16_t port;
    uint32_t flow_info;
    uint16_t address[8];
    uint32_t scope_id;
  };
  uint8_t is_ipv6;
  union {
    Ipv4 ipv4;
    Ipv6 ipv6;
  };
};
static_assert(sizeof(IpSocketAddress) == 32);

WasiAddress host_address(const IpSocketAddress& address);
IpSocketAddress socket_address(const WasiAddress& address);

// The same, flat: the case, then the payload's fields, of which IPv4 uses the first five.
struct FlatAddress {
  uint32_t is_ipv6;
  uint32_t fields[11];
};
WasiAddress host_address(const FlatAddress& address);

// variant ip-address.
struct IpAddress {
  uint8_t is_ipv6;
  union {
    uint8_t ipv4[4];
    uint16_t ipv6[8];
  };
};
static_assert(sizeof(IpAddress) == 18);
IpAddress ip_address(const WasiAddress& address);

}  // namespace mayfly::guest
