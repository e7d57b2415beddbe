// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Addresses of sockets: the guest's form, the kernel's form, and what kind of address one is.
#pragma once

#include <sys/socket.h>

#include <string>

#include "guest_abi/socket_ports.h"

namespace mayfly::wasi {

using guest_abi::WasiAddress;
using guest_abi::WasiFamily;

struct KernelAddress {
  sockaddr_storage storage{};
  socklen_t bytes = sizeof(sockaddr_storage);

  sockaddr* get();
  const sockaddr* get() const;
};

// Precondition: a family of its own.
KernelAddress to_kernel(const WasiAddress& address);
// kNone for what is no IP address.
WasiAddress from_kernel(const KernelAddress& address);

inline WasiFamily family_of(const WasiAddress& address) {
  return static_cast<WasiFamily>(address.family);
}
int kernel_family(WasiFamily family);

// As equal as a grant means it: flow-info, which chooses no destination, does not count.
bool is_same_host(const WasiAddress& one, const WasiAddress& other);
bool is_same(const WasiAddress& one, const WasiAddress& other);

bool is_unspecified(const WasiAddress& address);  // 0.0.0.0, ::
bool is_multicast_or_broadcast(const WasiAddress& address);
// An IPv6 address that stands for an IPv4 one: ::ffff:a.b.c.d, or ::a.b.c.d of old.
bool is_ipv4_inside(const WasiAddress& address);

// IPv4 and IPv6 without brackets, with %scope or not; the port is 0. false: it is none.
bool parse_ip(const std::string& text, WasiAddress* address);
// 127.0.0.1:80, [::1]:80.
std::string to_string(const WasiAddress& address);

}  // namespace mayfly::wasi
