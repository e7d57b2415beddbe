// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Names are compared as DNS compares them: without case, and without a last dot.
#include "wasi/http_grants.h"

#include <algorithm>
#include <charconv>

#include "wasi/network.h"

namespace mayfly::wasi {
namespace {

std::optional<uint16_t> parse_number(std::string_view text) {
  uint16_t number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<uint16_t> parse_port(std::string_view text) {
  const auto port = parse_number(text);
  return port && *port != 0 ? port : std::nullopt;
}

// The host, and what follows a colon behind it. nullopt: brackets that do not fit.
struct HostAndPort {
  std::string host;
  std::optional<std::string> port;
  bool has_brackets = false;
};
std::optional<HostAndPort> split(std::string_view text) {
  HostAndPort parts;
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    parts.has_brackets = true;
    parts.host = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
    if (!text.empty() && !text.starts_with(':')) return std::nullopt;
  } else {
    const size_t colon = text.find(':');
    parts.host = text.substr(0, colon);
    text.remove_prefix(std::min(colon, text.size()));
  }
  if (!text.empty()) parts.port = std::string(text.substr(1));
  return parts;
}

}  // namespace

std::string HttpTarget::authority() const {
  const bool is_v6 = host.find(':') != std::string::npos;
  return (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::optional<HttpTarget> parse_authority(std::string_view text, uint16_t default_port) {
  auto parts = split(text);
  if (!parts) return std::nullopt;
  HttpTarget target;
  target.port = default_port;
  if (parts->port) {
    const auto port = parse_port(*parts->port);
    if (!port) return std::nullopt;
    target.port = *port;
  }
  target.host = in_lower_case(parts->host);
  target.address = IpAddress::parse(parts->host);
  const bool is_v6 = parts->host.find(':') != std::string::npos;
  if (parts->has_brackets != is_v6) return std::nullopt;
  if (!target.address && !is_host_name(parts->host)) return std::nullopt;
  return target;
}

Result<HttpGrants> HttpGrants::parse(std::span<const std::string> texts) {
  HttpGrants grants;
  for (const std::string& text : texts) grants.grants_.push_back(MAYFLY_TRY(parse_grant(text)));
  return grants;
}

Result<HttpGrants::Grant> HttpGrants::parse_grant(const std::string& text) {
  const auto wrong = [&text] {
    return invalid("'" + text +
                   "' is not HOST[:PORT], *.DOMAIN[:PORT], *[:PORT] or ADDRESS[/BITS][:PORT]");
  };
  Grant grant;
  // An IPv6 address without brackets, which has no port.
  const bool is_bare_v6 = !text.starts_with('[') && std::ranges::count(text, ':') > 1;
  auto parts = is_bare_v6 ? HostAndPort{text, std::nullopt, true} : split(text);
  if (!parts) return wrong();
  if (parts->port) {
    grant.port = parse_port(*parts->port);
    if (!grant.port) return wrong();
  }
  std::string host = parts->host;
  if (host == "*") return grant;
  const size_t slash = host.find('/');
  grant.address = IpAddress::parse(host.substr(0, slash));
  if (grant.address) {
    grant.kind = Grant::Kind::kAddress;
    const uint16_t bits_max = grant.address->is_v4() ? 32 : 128;
    grant.bits = bits_max;
    if (slash == std::string::npos) return grant;
    const auto bits = parse_number(std::string_view(host).substr(slash + 1));
    if (!bits || *bits > bits_max) return wrong();
    grant.bits = *bits;
    return grant;
  }
  grant.kind = host.starts_with("*.") ? Grant::Kind::kBeneath : Grant::Kind::kName;
  if (grant.kind == Grant::Kind::kBeneath) host.erase(0, 2);
  if (parts->has_brackets || !is_host_name(host)) return wrong();
  grant.name = in_lower_case(host);
  return grant;
}

bool HttpGrants::is_for(const Grant& grant, const HttpTarget& target) {
  if (grant.port && *grant.port != target.port) return false;
  switch (grant.kind) {
    case Grant::Kind::kAny:
      return true;
    case Grant::Kind::kName:
      return target.host == grant.name;
    case Grant::Kind::kBeneath:
      return !target.address && target.host.ends_with("." + grant.name);
    case Grant::Kind::kAddress:
      return target.address && target.address->is_in(*grant.address, grant.bits);
  }
  return false;
}

bool HttpGrants::allows(const HttpTarget& target) const {
  return std::ranges::any_of(grants_,
                             [&target](const Grant& grant) { return is_for(grant, target); });
}

bool HttpGrants::allows_address(const HttpTarget& target, const IpAddress& address) const {
  if (address.is_public()) return true;
  return std::ranges::any_of(grants_, [&](const Grant& grant) {
    if (grant.port && *grant.port != target.port) return false;
    if (grant.kind == Grant::Kind::kAddress) return address.is_in(*grant.address, grant.bits);
    return grant.kind == Grant::Kind::kName && grant.name == "localhost" &&
           target.host == "localhost" && address.is_loopback();
  });
}

}  // namespace mayfly::wasi
