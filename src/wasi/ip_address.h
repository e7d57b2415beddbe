// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// IpAddress: an IPv4 or IPv6 address, and whether the public internet is where it leads to. Each
// address has one form here: IPv4 inside IPv6 is IPv4.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace mayfly::wasi {

class IpAddress {
 public:
  // "192.0.2.1", "2001:db8::1"; no brackets, no zone, no other spelling of IPv4.
  static std::optional<IpAddress> parse(const std::string& text);
  // Of AF_INET and AF_INET6.
  static std::optional<IpAddress> of(const sockaddr* address, socklen_t bytes);

  bool is_v4() const;
  // Neither private, loopback, link-local, unique-local, multicast, reserved or unspecified, nor a
  // way around that (NAT64, 6to4, Teredo).
  bool is_public() const;
  bool is_loopback() const;
  // Whether the first bits are those of `prefix`; of an IPv4 prefix the first bits of IPv4.
  bool is_in(const IpAddress& prefix, uint32_t bits) const;

 private:
  explicit IpAddress(const std::array<uint8_t, 16>& bytes) : bytes_(bytes) {}
  uint32_t v4() const;

  std::array<uint8_t, 16> bytes_;  // IPv4: ::ffff:a.b.c.d
};

}  // namespace mayfly::wasi
