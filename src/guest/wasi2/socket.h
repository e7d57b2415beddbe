// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What TCP and UDP have in common: how a socket begins, is bound, and what it says of itself. The
// states are kept here, so that each call has the error that WIT gives; what is granted is the
// host's.
#pragma once

#include <cstdint>

#include "guest/wasi/fd_table.h"
#include "guest/wasi2/call.h"
#include "guest/wasi2/network.h"

namespace mayfly::guest {

using guest_abi::WasiSocketOption;

// result<own<socket>, error-code> of create-tcp-socket and create-udp-socket.
uint32_t create_socket(const Call& call, ObjectKind kind, uint32_t is_ipv6);

// An fd for what the host has given, copied: the first use of the table makes requests of its own.
// Errors: kMFile, and then it is closed there.
wasi::Errno add_fd(guest_abi::WasiDescription description, uint32_t* fd);

// The host's handle of a socket.
uint32_t handle_of(const Object& socket);

NetworkError start_bind(Object& socket, const WasiAddress& address);
NetworkError finish_bind(Object& socket);

// A port of a socket and an address.
wasi::Errno call_address_port(const Object& socket, guest_abi::WasiPort port,
                              const WasiAddress& address);

// result<ip-socket-address, error-code>.
uint32_t address_result(const Call& call, const Object& socket, guest_abi::WasiAddressOf which);

// ip-address-family.
uint32_t address_family(const Object& socket);

NetworkError get_option(const Object& socket, WasiSocketOption option, uint64_t* value);
// Zero is no value for any of those that this is for.
NetworkError set_option(const Object& socket, WasiSocketOption option, uint64_t value);
// result<T, error-code> of an option's value.
template <typename T>
uint32_t option_result(const Call& call, const Object& socket, WasiSocketOption option) {
  uint64_t value = 0;
  const NetworkError error = get_option(socket, option, &value);
  if (error != NetworkError::kNone) return network_failed<T>(call, error);
  return call.ok(static_cast<T>(value));
}

}  // namespace mayfly::guest
