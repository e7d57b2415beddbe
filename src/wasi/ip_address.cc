// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The special ranges are IANA's (iana.org #iana-ipv4-special-registry,
// #iana-ipv6-special-registry); of IPv6 only 2000::/3 is public.
#include "wasi/ip_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

namespace mayfly::wasi {
namespace {

constexpr std::array<uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

struct RangeV4 {
  uint32_t first;
  uint32_t bits;
};
constexpr RangeV4 kSpecialV4[] = {
    {0x0000'0000, 8},   // this network
    {0x0A00'0000, 8},   // private
    {0x6440'0000, 10},  // shared by carriers
    {0x7F00'0000, 8},   // loopback
    {0xA9FE'0000, 16},  // link-local, where clouds have their metadata
    {0xAC10'0000, 12},  // private
    {0xC000'0000, 24},  // protocol assignments
    {0xC000'0200, 24},  // documentation
    {0xC058'6300, 24},  // 6to4 relays
    {0xC0A8'0000, 16},  // private
    {0xC612'0000, 15},  // benchmarks
    {0xC633'6400, 24},  // documentation
    {0xCB00'7100, 24},  // documentation
    {0xE000'0000, 3},   // multicast and reserved
};

bool is_public_v4(uint32_t address) {
  return std::ranges::none_of(kSpecialV4, [address](const RangeV4& range) {
    return ((address ^ range.first) >> (32 - range.bits)) == 0;
  });
}

uint32_t big_endian(const uint8_t* bytes) {
  return (uint32_t{bytes[0]} << 24) | (uint32_t{bytes[1]} << 16) | (uint32_t{bytes[2]} << 8) |
         bytes[3];
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(const std::string& text) {
  std::array<uint8_t, 16> bytes{};
  if (text.find('\0') != std::string::npos) return std::nullopt;
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return IpAddress(bytes);
  std::ranges::copy(kMapped, bytes.begin());
  if (inet_pton(AF_INET, text.c_str(), bytes.data() + kMapped.size()) == 1) return IpAddress(bytes);
  return std::nullopt;
}

std::optional<IpAddress> IpAddress::of(const sockaddr* address, socklen_t size) {
  std::array<uint8_t, 16> bytes{};
  if (address->sa_family == AF_INET && size >= sizeof(sockaddr_in)) {
    sockaddr_in four{};
    std::memcpy(&four, address, sizeof four);
    std::ranges::copy(kMapped, bytes.begin());
    std::memcpy(bytes.data() + kMapped.size(), &four.sin_addr, 4);
    return IpAddress(bytes);
  }
  if (address->sa_family == AF_INET6 && size >= sizeof(sockaddr_in6)) {
    sockaddr_in6 six{};
    std::memcpy(&six, address, sizeof six);
    std::memcpy(bytes.data(), &six.sin6_addr, bytes.size());
    return IpAddress(bytes);
  }
  return std::nullopt;
}

bool IpAddress::is_v4() const { return std::equal(kMapped.begin(), kMapped.end(), bytes_.begin()); }

uint32_t IpAddress::v4() const { return big_endian(bytes_.data() + kMapped.size()); }

bool IpAddress::is_public() const {
  if (is_v4()) return is_public_v4(v4());
  const uint32_t first = big_endian(bytes_.data());
  if (first == 0x0064'FF9B) {  // 64:ff9b::/96: NAT64
    const bool is_embedded = std::all_of(bytes_.begin() + 4, bytes_.begin() + 12,
                                         [](uint8_t byte) { return byte == 0; });
    return is_embedded && is_public_v4(v4());
  }
  if ((first >> 29) != 1) return false;                              // not in 2000::/3
  if ((first >> 9) == (0x2001'0000U >> 9)) return false;             // 2001::/23: protocols, Teredo
  if (first == 0x2001'0DB8 || (first >> 20) == 0x3FF) return false;  // documentation
  if ((first >> 16) == 0x2002) return is_public_v4(big_endian(bytes_.data() + 2));  // 6to4
  return true;
}

bool IpAddress::is_loopback() const {
  if (is_v4()) return (v4() >> 24) == 127;
  return bytes_[15] == 1 &&
         std::all_of(bytes_.begin(), bytes_.end() - 1, [](uint8_t byte) { return byte == 0; });
}

bool IpAddress::is_in(const IpAddress& prefix, uint32_t bits) const {
  if (is_v4() != prefix.is_v4()) return false;
  const uint32_t first = is_v4() ? 96 : 0;
  for (uint32_t bit = 0; bit < first + bits && bit < 128; ++bit) {
    const uint32_t shift = 7 - bit % 8;
    if (((bytes_[bit / 8] ^ prefix.bytes_[bit / 8]) >> shift & 1) != 0) return false;
  }
  return true;
}

}  // namespace mayfly::wasi
