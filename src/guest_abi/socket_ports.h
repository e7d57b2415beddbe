// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The requests of the ports for sockets that a program makes itself (wasi_ports.h has their
// numbers): TCP, UDP, and names. What a socket may be bound to, connected with or told is the
// host's to decide, each time.
#pragma once

#include <cstddef>
#include <cstdint>

#include "guest_abi/wasi_ports.h"

namespace mayfly::guest_abi {

enum class WasiFamily : uint16_t { kNone = 0, kIpv4 = 4, kIpv6 = 6 };

// An IP address and a port.
struct WasiAddress {
  uint8_t bytes[16];  // the first four of them for IPv4; the most significant one first
  uint32_t flow_info;
  uint32_t scope_id;
  uint16_t port;
  uint16_t family;  // WasiFamily
  uint32_t reserved;
};

struct WasiSocketRequest {
  // in
  uint16_t family;  // WasiFamily
  uint8_t type;     // wasi::FileType: kSocketStream or kSocketDgram
  uint8_t reserved[5];
  // out
  uint32_t error;
  uint32_t reserved_out;
  WasiDescription description;
};

// Of kSocketAddress.
enum class WasiAddressOf : uint32_t { kLocal = 0, kPeer = 1 };

// kBind, kConnect: of a socket and an address. kConnect of datagrams with kNone: no peer any more.
// kSocketAddress: the answer is an address.
struct WasiAddressRequest {
  // in
  uint32_t handle;
  uint32_t detail;  // kSocketAddress: WasiAddressOf
  WasiAddress address;
  // out
  uint32_t error;
  uint32_t reserved;
  WasiAddress answer;
};

// Times are seconds; sizes are bytes; what is out of range becomes the nearest that is in it.
enum class WasiSocketOption : uint32_t {
  kKeepAlive,
  kKeepAliveIdle,
  kKeepAliveInterval,
  kKeepAliveCount,
  kHopLimit,
  kReceiveBuffer,
  kSendBuffer,
};

struct WasiOptionRequest {
  // in
  uint32_t handle;
  uint32_t option;  // WasiSocketOption
  uint32_t sets;    // 1: to value, 0: value_out is asked for
  uint32_t reserved;
  uint64_t value;
  // out
  uint32_t error;
  uint32_t reserved_out;
  uint64_t value_out;
};

inline constexpr uint32_t kWasiDatagramsMax = 64;
inline constexpr uint32_t kWasiDatagramBytesMax = 65535;

// One datagram. Lies in guest memory.
struct WasiDatagram {
  WasiRange data;       // kSendDatagrams only
  WasiAddress address;  // where to: kNone is the peer; where from
  uint32_t bytes;       // of kReceiveDatagrams
  uint32_t reserved;
};

// kReceiveDatagrams: what has come goes to `room`, one after the other; no datagram is asked for
// unless the largest one fits. Neither waits: none done is no error.
struct WasiDatagramsRequest {
  // in
  uint32_t handle;
  uint32_t count;      // at most kWasiDatagramsMax
  uint64_t datagrams;  // the address of so many WasiDatagram
  WasiRange room;      // kReceiveDatagrams only
  // out
  uint32_t error;
  uint32_t done;  // how many
};

// The answer is a handle, of which kNextAddress has the addresses, and which can be waited for.
struct WasiResolveRequest {
  // in
  WasiRange name;
  // out
  uint32_t error;
  uint32_t reserved;
  WasiDescription description;
};

enum class WasiLookup : uint32_t { kAddress, kEnd, kUnresolvable, kTemporary, kPermanent };

// The error is kAgain before the answer is there.
struct WasiNextAddressRequest {
  // in
  uint32_t handle;
  uint32_t reserved;
  // out
  uint32_t error;
  uint32_t lookup;  // WasiLookup
  WasiAddress address;
};

static_assert(sizeof(WasiAddress) == 32 && sizeof(WasiDatagram) == 56);
static_assert(offsetof(WasiSocketRequest, error) == 8 && sizeof(WasiSocketRequest) == 32);
static_assert(offsetof(WasiAddressRequest, error) == 40 && sizeof(WasiAddressRequest) == 80);
static_assert(offsetof(WasiOptionRequest, error) == 24 && sizeof(WasiOptionRequest) == 40);
static_assert(offsetof(WasiDatagramsRequest, error) == 32 && sizeof(WasiDatagramsRequest) == 40);
static_assert(offsetof(WasiResolveRequest, error) == 16 && sizeof(WasiResolveRequest) == 40);
static_assert(sizeof(WasiNextAddressRequest) == 48);

}  // namespace mayfly::guest_abi
