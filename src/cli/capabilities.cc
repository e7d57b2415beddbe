// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A table from names to capabilities; the first line that fits decides.
#include "cli/capabilities.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>

#include "runtime/guest_functions.h"
#include "runtime/import_advice.h"

namespace mayfly::cli {
namespace {

using nlohmann::json;

struct Capability {
  std::string_view name;
  std::string_view granted_by;
};

constexpr Capability kArguments{"arguments", "what follows FILE"};
constexpr Capability kEnvironment{"environment", "--env K=V"};
constexpr Capability kFiles{"files by path", "--dir HOST[::GUEST][:ro], --tmpfs GUEST[:SIZE]"};
constexpr Capability kStreams{"standard streams and open files",
                              "always: stdin, stdout, stderr; others by what opens them"};
constexpr Capability kSockets{"sockets", "--tcplisten ADDRESS:PORT"};
constexpr Capability kClocks{"clocks", "always"};
constexpr Capability kRandom{"random numbers", "always"};
constexpr Capability kWaiting{"waiting", "always, as long as --timeout"};
constexpr Capability kProcess{"its own end", "always"};
constexpr Capability kBench{"marks of a benchmark", "--bench"};
constexpr Capability kEmbedder{"functions of an embedder", "--preload NAME=FILE"};
constexpr Capability kNothing{"what WASI preview 1 does not have", "nothing"};
// In the order in which they are told.
constexpr std::array kCapabilities = {&kFiles,       &kStreams, &kSockets,  &kArguments,
                                      &kEnvironment, &kClocks,  &kRandom,   &kWaiting,
                                      &kProcess,     &kBench,   &kEmbedder, &kNothing};

struct Prefix {
  std::string_view start;
  const Capability* capability;
};
constexpr auto kPrefixes = std::to_array<Prefix>({
    {"args_", &kArguments},
    {"environ_", &kEnvironment},
    {"clock_", &kClocks},
    {"path_", &kFiles},
    {"fd_prestat_", &kFiles},
    {"fd_readdir", &kFiles},
    {"fd_", &kStreams},
    {"sock_", &kSockets},
    {"random_", &kRandom},
    {"poll_", &kWaiting},
    {"proc_", &kProcess},
    {"sched_", &kProcess},
});

const Capability& capability_of(const ImportName& import) {
  const runtime::GuestFunction* known = runtime::find_guest_function(import.module, import.name);
  if (known == nullptr) {
    return runtime::is_guest_module(import.module) ? kNothing : kEmbedder;
  }
  const auto* const found = std::ranges::find_if(
      kPrefixes, [&](const Prefix& prefix) { return import.name.starts_with(prefix.start); });
  return found == kPrefixes.end() ? kBench : *found->capability;
}

std::string text_of(const ImportName& import, const Capability& capability) {
  if (&capability == &kEmbedder || &capability == &kBench) return import.module + " " + import.name;
  return import.name;
}

}  // namespace

json capabilities_of(const std::vector<ImportName>& imports) {
  json list = json::array();
  for (const Capability* capability : kCapabilities) {
    std::vector<std::string> names;
    for (const ImportName& import : imports) {
      if (&capability_of(import) == capability) names.push_back(text_of(import, *capability));
    }
    std::ranges::sort(names);
    const auto repeated = std::ranges::unique(names);
    names.erase(repeated.begin(), repeated.end());
    if (names.empty()) continue;
    list.push_back({{"capability", capability->name},
                    {"granted_by", capability->granted_by},
                    {"imports", std::move(names)}});
  }
  return list;
}

}  // namespace mayfly::cli
