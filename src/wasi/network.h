// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Network: which addresses a program may use, and which names it may look up.
//
// Names in grants are resolved once, when the program starts. What they stand for then is what is
// granted, and what the program finds when it looks them up: whoever answers for a name later
// changes nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "wasi/config.h"
#include "wasi/socket_address.h"

namespace mayfly::wasi {

enum class NetworkUse : uint8_t {
  kTcpConnect,
  kTcpListen,  // to be bound to the address, and listen
  kUdpSend,    // to send there, and receive from there
  kUdpListen,  // to be bound to the address, receive from anybody, and answer
};
inline constexpr size_t kNetworkUses = 4;

// What HOST:PORT names: an address, addresses with a prefix in common, a name, or "*"; one port,
// LOW-HIGH, or "*".
struct NetworkGrant {
  std::string name;  // empty: the address is it
  WasiAddress address{};
  uint8_t prefix_bits = 128;
  bool is_any_host = false;
  uint16_t port_first = 0;
  uint16_t port_last = UINT16_MAX;
};

// Errors: kInvalid with what is wrong.
Result<NetworkGrant> parse_network_grant(const std::string& text);

class Network {
 public:
  // Resolves the names, which may take as long as the host's resolver does.
  // Errors: kInvalid; kHost for a name that cannot be resolved, with the grant in front.
  static Result<Network> create(const NetworkConfig& config);

  bool allows(NetworkUse use, const WasiAddress& address) const;
  // Whether there is any address for it.
  bool allows_some(NetworkUse use) const;
  bool allows_lookups() const { return allows_lookups_; }
  // What a name in a grant stands for; null for others.
  const std::vector<WasiAddress>* find_name(std::string_view name) const;

 private:
  struct Name {
    std::string name;  // in lower case
    std::vector<WasiAddress> addresses;
  };

  Result<void> add(NetworkUse use, const std::string& text);
  Result<const std::vector<WasiAddress>*> resolve(const std::string& name);

  std::vector<NetworkGrant> grants_[kNetworkUses];
  std::vector<Name> names_;
  bool allows_lookups_ = false;
  bool allows_all_ = false;
};

// The addresses of a name, each once, in the resolver's order. Blocks.
struct Resolved {
  int error = 0;  // EAI_...
  std::vector<WasiAddress> addresses;
};
Resolved resolve_name(const std::string& name);

// Letters, digits, hyphens and underscores in labels of up to 63, up to 253 in all; nothing else
// is asked of a resolver.
bool is_host_name(std::string_view name);
std::string in_lower_case(std::string_view name);

}  // namespace mayfly::wasi
