// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// HttpGrants: which servers a program may send requests to. Looked at twice: by the name that the
// program says, and by the address of each connection before it is made.
//
//   HOST[:PORT]         a name
//   *.DOMAIN[:PORT]     the names beneath a domain
//   *[:PORT]            every name
//   ADDRESS[:PORT], ADDRESS/BITS[:PORT]    addresses; of IPv6 in brackets where a port follows
//
// Without a port all are meant. Addresses that are not public (ip_address.h) are reached only where
// a grant names them, whatever name leads to them; "localhost" names those of loopback. So nobody
// who answers for a name can lead a program to where its host's neighbours are.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "wasi/ip_address.h"

namespace mayfly::wasi {

// Where a request goes.
struct HttpTarget {
  std::string host;                  // in small letters, without brackets or a last dot
  std::optional<IpAddress> address;  // when the host is one
  uint16_t port = 0;

  std::string authority() const;  // with brackets and port
};

// A name or an address, and maybe a port; without user information, and without a spelling of IPv4
// that only some readers know. nullopt: it is none.
std::optional<HttpTarget> parse_authority(std::string_view text, uint16_t default_port);

class HttpGrants {
 public:
  // Errors: kInvalid, with the text that is no grant.
  static Result<HttpGrants> parse(std::span<const std::string> texts);

  bool allows(const HttpTarget& target) const;
  // A connection for the target to this address.
  bool allows_address(const HttpTarget& target, const IpAddress& address) const;

 private:
  struct Grant {
    enum class Kind : uint8_t { kAny, kName, kBeneath, kAddress };
    Kind kind = Kind::kAny;
    std::string name;
    std::optional<IpAddress> address;
    uint32_t bits = 0;
    std::optional<uint16_t> port;
  };
  static Result<Grant> parse_grant(const std::string& text);
  static bool is_for(const Grant& grant, const HttpTarget& target);

  std::vector<Grant> grants_;
};

}  // namespace mayfly::wasi
