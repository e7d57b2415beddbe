// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// sockaddr_in and sockaddr_in6 are copied, never looked at in place.
#include "wasi/socket_address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <span>

namespace mayfly::wasi {
namespace {

constexpr size_t kIpv4Bytes = 4;

bool all_zero(std::span<const uint8_t> bytes) {
  return std::ranges::all_of(bytes, [](uint8_t byte) { return byte == 0; });
}

// A number, or the name of an interface of this host.
bool parse_scope(const std::string& text, uint32_t* scope) {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, *scope);
  if (error == std::errc() && stop == end) return true;
  *scope = ::if_nametoindex(text.c_str());
  return *scope != 0;
}

}  // namespace

sockaddr* KernelAddress::get() {
  // SAFETY: sockaddr_storage is made to be passed as any socket address.
  return reinterpret_cast<sockaddr*>(&storage);
}

const sockaddr* KernelAddress::get() const {
  // SAFETY: as above.
  return reinterpret_cast<const sockaddr*>(&storage);
}

KernelAddress to_kernel(const WasiAddress& address) {
  KernelAddress kernel;
  if (family_of(address) == WasiFamily::kIpv6) {
    sockaddr_in6 six{};
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(address.port);
    six.sin6_flowinfo = htonl(address.flow_info);
    six.sin6_scope_id = address.scope_id;
    std::memcpy(&six.sin6_addr, address.bytes, sizeof address.bytes);
    std::memcpy(&kernel.storage, &six, sizeof six);
    kernel.bytes = sizeof six;
  } else {
    sockaddr_in four{};
    four.sin_family = AF_INET;
    four.sin_port = htons(address.port);
    std::memcpy(&four.sin_addr, address.bytes, kIpv4Bytes);
    std::memcpy(&kernel.storage, &four, sizeof four);
    kernel.bytes = sizeof four;
  }
  return kernel;
}

WasiAddress from_kernel(const KernelAddress& kernel) {
  WasiAddress address{};
  if (kernel.storage.ss_family == AF_INET6) {
    sockaddr_in6 six{};
    std::memcpy(&six, &kernel.storage, sizeof six);
    address.family = static_cast<uint16_t>(WasiFamily::kIpv6);
    address.port = ntohs(six.sin6_port);
    address.flow_info = ntohl(six.sin6_flowinfo);
    address.scope_id = six.sin6_scope_id;
    std::memcpy(address.bytes, &six.sin6_addr, sizeof address.bytes);
  } else if (kernel.storage.ss_family == AF_INET) {
    sockaddr_in four{};
    std::memcpy(&four, &kernel.storage, sizeof four);
    address.family = static_cast<uint16_t>(WasiFamily::kIpv4);
    address.port = ntohs(four.sin_port);
    std::memcpy(address.bytes, &four.sin_addr, kIpv4Bytes);
  }
  return address;
}

int kernel_family(WasiFamily family) {
  switch (family) {
    case WasiFamily::kIpv4:
      return AF_INET;
    case WasiFamily::kIpv6:
      return AF_INET6;
    case WasiFamily::kNone:
      break;
  }
  return AF_UNSPEC;
}

bool is_same_host(const WasiAddress& one, const WasiAddress& other) {
  if (one.family != other.family) return false;
  const size_t bytes = family_of(one) == WasiFamily::kIpv4 ? kIpv4Bytes : sizeof one.bytes;
  const bool same_scope = one.scope_id == other.scope_id || family_of(one) == WasiFamily::kIpv4;
  return same_scope && std::memcmp(one.bytes, other.bytes, bytes) == 0;
}

bool is_same(const WasiAddress& one, const WasiAddress& other) {
  return one.port == other.port && is_same_host(one, other);
}

bool is_unspecified(const WasiAddress& address) {
  const size_t bytes = family_of(address) == WasiFamily::kIpv4 ? kIpv4Bytes : sizeof address.bytes;
  return all_zero({address.bytes, bytes});
}

bool is_multicast_or_broadcast(const WasiAddress& address) {
  if (family_of(address) == WasiFamily::kIpv6) return address.bytes[0] == 0xFF;
  const bool is_multicast = (address.bytes[0] & 0xF0) == 0xE0;
  return is_multicast || std::ranges::all_of(std::span(address.bytes, kIpv4Bytes),
                                             [](uint8_t byte) { return byte == 0xFF; });
}

bool is_ipv4_inside(const WasiAddress& address) {
  if (family_of(address) != WasiFamily::kIpv6) return false;
  const std::span<const uint8_t> bytes = address.bytes;
  if (!all_zero(bytes.first(10))) return false;
  if (bytes[10] == 0xFF && bytes[11] == 0xFF) return true;
  // :: and ::1 are addresses of IPv6.
  return bytes[10] == 0 && bytes[11] == 0 && !(all_zero(bytes.subspan(12, 3)) && bytes[15] <= 1);
}

bool parse_ip(const std::string& text, WasiAddress* address) {
  *address = {};
  if (::inet_pton(AF_INET, text.c_str(), address->bytes) == 1) {
    address->family = static_cast<uint16_t>(WasiFamily::kIpv4);
    return text.find('\0') == std::string::npos;
  }
  const size_t percent = text.find('%');
  if (percent != std::string::npos && !parse_scope(text.substr(percent + 1), &address->scope_id)) {
    return false;
  }
  address->family = static_cast<uint16_t>(WasiFamily::kIpv6);
  return text.find('\0') == std::string::npos &&
         ::inet_pton(AF_INET6, text.substr(0, percent).c_str(), address->bytes) == 1;
}

std::string to_string(const WasiAddress& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = kernel_family(family_of(address));
  if (::inet_ntop(family, address.bytes, text.data(), text.size()) == nullptr) return "?";
  const std::string port = ":" + std::to_string(address.port);
  if (family == AF_INET) return text.data() + port;
  const std::string scope = address.scope_id == 0 ? "" : "%" + std::to_string(address.scope_id);
  return "[" + std::string(text.data()) + scope + "]" + port;
}

}  // namespace mayfly::wasi
