// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Grants are compared as numbers: by the time that a program asks, no name is left.
#include "wasi/network.h"

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <memory>

namespace mayfly::wasi {
namespace {

constexpr size_t kNameBytesMax = 253;
constexpr size_t kLabelBytesMax = 63;

Result<uint16_t> parse_port(std::string_view text) {
  uint16_t port = 0;
  const std::string digits(text);
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, port);
  if (error != std::errc() || stop != end || digits.empty()) {
    return invalid("'" + std::string(text) + "' is not a port of 0 to 65535");
  }
  return port;
}

Result<void> parse_ports(std::string_view text, NetworkGrant* grant) {
  if (text == "*") return {};
  const size_t dash = text.find('-');
  grant->port_first = MAYFLY_TRY(parse_port(text.substr(0, dash)));
  grant->port_last = grant->port_first;
  if (dash != std::string_view::npos) {
    grant->port_last = MAYFLY_TRY(parse_port(text.substr(dash + 1)));
  }
  if (grant->port_first > grant->port_last) {
    return invalid("'" + std::string(text) + "' ends before it begins");
  }
  return {};
}

// Of ADDRESS/BITS.
Result<void> parse_prefix(std::string_view text, NetworkGrant* grant) {
  const auto bits = parse_port(text);
  const bool is_ipv4 = family_of(grant->address) == WasiFamily::kIpv4;
  if (!bits || *bits > (is_ipv4 ? 32 : 128)) {
    return invalid("'" + std::string(text) + "' is not a prefix of " +
                   (is_ipv4 ? "0 to 32" : "0 to 128") + " bits");
  }
  grant->prefix_bits = static_cast<uint8_t>(*bits);
  return {};
}

Result<void> parse_host(const std::string& text, NetworkGrant* grant) {
  if (text == "*") {
    grant->is_any_host = true;
    return {};
  }
  const bool has_brackets = text.size() > 2 && text.front() == '[' && text.back() == ']';
  const std::string inner = has_brackets ? text.substr(1, text.size() - 2) : text;
  const size_t slash = inner.find('/');
  if (parse_ip(inner.substr(0, slash), &grant->address)) {
    const bool is_ipv6 = family_of(grant->address) == WasiFamily::kIpv6;
    if (is_ipv6 != has_brackets) {
      return invalid("'" + text + "': an IPv6 address has brackets, as in [::1]:80, and no other");
    }
    if (is_ipv4_inside(grant->address)) {
      return invalid("'" + text + "' stands for an IPv4 address: write that");
    }
    return slash == std::string::npos ? Result<void>()
                                      : parse_prefix(inner.substr(slash + 1), grant);
  }
  if (has_brackets || !is_host_name(text)) {
    return invalid("'" + text + "' is neither a name nor an IPv4 address, nor an IPv6 one in " +
                   "brackets");
  }
  grant->name = in_lower_case(text);
  return {};
}

// Whether the first bits are the same.
bool has_prefix(const WasiAddress& address, const NetworkGrant& grant) {
  const bool is_ipv4 = family_of(address) == WasiFamily::kIpv4;
  const unsigned bits = std::min<unsigned>(grant.prefix_bits, is_ipv4 ? 32 : 128);
  if (bits == (is_ipv4 ? 32U : 128U)) return is_same_host(address, grant.address);
  if (address.family != grant.address.family) return false;
  const unsigned whole = bits / 8;
  if (std::memcmp(address.bytes, grant.address.bytes, whole) != 0) return false;
  const auto mask = static_cast<uint8_t>(0xFF00U >> (bits % 8));
  return ((address.bytes[whole] ^ grant.address.bytes[whole]) & mask) == 0;
}

bool covers(const NetworkGrant& grant, const WasiAddress& address) {
  if (address.port < grant.port_first || address.port > grant.port_last) return false;
  return grant.is_any_host || has_prefix(address, grant);
}

bool is_label(std::string_view label) {
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  };
  return !label.empty() && label.size() <= kLabelBytesMax && label.front() != '-' &&
         label.back() != '-' && std::ranges::all_of(label, is_allowed);
}

// Resolvers take 127.1, 0x7f000001 and 2130706433 for addresses, so no name ends in a number.
bool is_number(std::string_view label) {
  const bool is_hex = label.starts_with("0x") || label.starts_with("0X");
  if (is_hex) label.remove_prefix(2);
  return std::ranges::all_of(label, [&](char c) {
    return (c >= '0' && c <= '9') || (is_hex && ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')));
  });
}

}  // namespace

Result<NetworkGrant> parse_network_grant(const std::string& text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) return invalid("write HOST:PORT, or *:PORT");
  NetworkGrant grant;
  MAYFLY_TRY(parse_host(text.substr(0, colon), &grant));
  MAYFLY_TRY(parse_ports(std::string_view(text).substr(colon + 1), &grant));
  return grant;
}

bool is_host_name(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.empty() || name.size() > kNameBytesMax) return false;
  while (true) {
    const size_t dot = name.find('.');
    if (!is_label(name.substr(0, dot))) return false;
    if (dot == std::string_view::npos) break;
    name.remove_prefix(dot + 1);
  }
  return !is_number(name);
}

std::string in_lower_case(std::string_view name) {
  std::string lower(name);
  if (lower.ends_with('.')) lower.pop_back();
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

Resolved resolve_name(const std::string& name) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  Resolved resolved;
  resolved.error = ::getaddrinfo(name.c_str(), nullptr, &hints, &found);
  if (resolved.error != 0) return resolved;
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    if (at->ai_addrlen > sizeof(sockaddr_storage)) continue;
    KernelAddress kernel;
    std::memcpy(&kernel.storage, at->ai_addr, at->ai_addrlen);
    WasiAddress address = from_kernel(kernel);
    address.port = 0;
    const bool is_known = std::ranges::any_of(
        resolved.addresses, [&](const WasiAddress& other) { return is_same(address, other); });
    if (address.family == 0 || is_known || is_ipv4_inside(address)) continue;
    resolved.addresses.push_back(address);
  }
  return resolved;
}

Result<Network> Network::create(const NetworkConfig& config) {
  Network network;
  network.allows_all_ = config.everything;
  network.allows_lookups_ = config.lookups || config.everything;
  const std::vector<std::string>* const lists[kNetworkUses] = {
      &config.tcp_connect, &config.tcp_listen, &config.udp_send, &config.udp_listen};
  for (size_t use = 0; use < kNetworkUses; ++use) {
    for (const std::string& text : *lists[use]) {
      auto added = network.add(static_cast<NetworkUse>(use), text);
      if (!added) return with_context("network grant " + text, std::move(added).error());
    }
  }
  return network;
}

Result<void> Network::add(NetworkUse use, const std::string& text) {
  NetworkGrant grant = MAYFLY_TRY(parse_network_grant(text));
  std::vector<NetworkGrant>& grants = grants_[static_cast<size_t>(use)];
  if (grant.name.empty()) {
    grants.push_back(grant);
    return {};
  }
  for (const WasiAddress& address : *MAYFLY_TRY(resolve(grant.name))) {
    grant.address = address;
    grants.push_back(grant);
  }
  return {};
}

Result<const std::vector<WasiAddress>*> Network::resolve(const std::string& name) {
  if (const auto* known = find_name(name)) return known;
  Resolved resolved = resolve_name(name);
  if (resolved.error != 0 || resolved.addresses.empty()) {
    const std::string why = resolved.error != 0 ? ::gai_strerror(resolved.error) : "no address";
    return Error{ErrorKind::kHost, "looking up " + name + ": " + why, 0};
  }
  names_.push_back({name, std::move(resolved.addresses)});
  return &names_.back().addresses;
}

bool Network::allows(NetworkUse use, const WasiAddress& address) const {
  return allows_all_ ||
         std::ranges::any_of(grants_[static_cast<size_t>(use)],
                             [&](const NetworkGrant& grant) { return covers(grant, address); });
}

bool Network::allows_some(NetworkUse use) const {
  return allows_all_ || !grants_[static_cast<size_t>(use)].empty();
}

const std::vector<WasiAddress>* Network::find_name(std::string_view name) const {
  const std::string lower = in_lower_case(name);
  const auto found = std::ranges::find(names_, lower, &Name::name);
  return found == names_.end() ? nullptr : &found->addresses;
}

}  // namespace mayfly::wasi
