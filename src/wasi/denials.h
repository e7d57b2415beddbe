// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Denials: says which grant would allow a path, an address or a name that a program was refused,
// for `mayfly run -v`.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "wasi/port_call.h"

namespace mayfly::wasi {

// Each denial is said once, and of a program that asks without end only the first ones.
class Denials {
 public:
  static constexpr size_t kSaidMax = 20;
  using Sink = std::function<void(std::string_view line)>;

  // An empty sink: nothing is said, and see() returns at once.
  explicit Denials(Sink sink) : sink_(std::move(sink)) {}

  // After a port whose answer is in the request.
  void see(PortCall& call, guest_abi::WasiPort port, std::span<const uint8_t> request);

 private:
  void see_network(PortCall& call, guest_abi::WasiPort port, std::span<const uint8_t> request);
  void look_at(PortCall& call, uint32_t directory, const guest_abi::WasiRange& path, Errno error);
  void say(const std::string& text);

  Sink sink_;
  std::set<std::string> said_;
};

// A directory of the name "/" in which nothing is, for programs whose own library would otherwise
// refuse a path that is in no directory of theirs before anybody could see it.
Result<Handle> create_nowhere();
// Whether a program's own library takes that directory for everything that is in no other one.
bool is_root_name(std::string_view guest_path);

}  // namespace mayfly::wasi
