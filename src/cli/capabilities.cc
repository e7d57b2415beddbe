// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A table from names to capabilities; the first line that fits decides.
#include "cli/capabilities.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>

#include "linker/guest_functions.h"
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
constexpr std::string_view kStreamsGrant =
    "always: stdin, stdout, stderr; others by what opens them";
constexpr Capability kStreams{"standard streams and open files", kStreamsGrant};
constexpr Capability kSockets{"sockets", "--tcplisten ADDRESS:PORT"};
constexpr Capability kClocks{"clocks", "always"};
constexpr Capability kRandom{"random numbers", "always"};
constexpr Capability kWaiting{"waiting", "always, as long as --timeout"};
constexpr Capability kProcess{"its own end", "always"};
constexpr Capability kBench{"marks of a benchmark", "--bench"};
constexpr Capability kEmbedder{"functions of an embedder", "--preload NAME=FILE"};
constexpr Capability kArgumentsAndEnvironment{"arguments and environment",
                                              "what follows FILE, --env K=V"};
constexpr Capability kComponentStreams{"streams of what is open", kStreamsGrant};
constexpr Capability kNetwork{"sockets",
                              "--tcp, --tcp-listen, --udp, --udp-listen HOST:PORT, "
                              "--inherit-network"};
constexpr Capability kLookups{
    "looking up names", "--allow-dns, --inherit-network; for names in --tcp and --udp always"};
constexpr Capability kHttp{"HTTP requests", "--http HOST[:PORT]"};
constexpr Capability kConfiguration{"configuration", "--config KEY=VALUE, --config-file FILE"};
constexpr Capability kKeyValues{"key-value entries", "always in memory; --keyvalue FILE in a file"};
constexpr Capability kMessages{"messages on stderr", "always, from --log-level on"};
constexpr Capability kComponentEmbedder{"functions of an embedder",
                                        "nothing here; --trap-missing runs it without them"};
constexpr Capability kNothing{"what WASI preview 1 does not have", "nothing"};
// In the order in which they are told.
constexpr std::array kCapabilities = {&kFiles,
                                      &kStreams,
                                      &kComponentStreams,
                                      &kSockets,
                                      &kNetwork,
                                      &kLookups,
                                      &kHttp,
                                      &kKeyValues,
                                      &kArguments,
                                      &kEnvironment,
                                      &kArgumentsAndEnvironment,
                                      &kConfiguration,
                                      &kMessages,
                                      &kClocks,
                                      &kRandom,
                                      &kWaiting,
                                      &kProcess,
                                      &kBench,
                                      &kEmbedder,
                                      &kComponentEmbedder,
                                      &kNothing};

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

// Of interfaces.
constexpr auto kInterfaces = std::to_array<Prefix>({
    {"wasi:cli/environment", &kArgumentsAndEnvironment},
    {"wasi:cli/exit", &kProcess},
    {"wasi:cli/", &kComponentStreams},
    {"wasi:clocks/", &kClocks},
    {"wasi:config/", &kConfiguration},
    {"wasi:filesystem/", &kFiles},
    {"wasi:http/", &kHttp},
    {"wasi:io/poll", &kWaiting},
    {"wasi:io/", &kComponentStreams},
    {"wasi:keyvalue/", &kKeyValues},
    {"wasi:logging/", &kMessages},
    {"wasi:random/", &kRandom},
    {"wasi:sockets/ip-name-lookup", &kLookups},
    {"wasi:sockets/", &kNetwork},
});

const Capability* capability_of_interface(std::string_view interface) {
  const auto* const found = std::ranges::find_if(
      kInterfaces, [&](const Prefix& prefix) { return interface.starts_with(prefix.start); });
  return found == kInterfaces.end() ? nullptr : found->capability;
}

// Of an adapter's import; null for one that asks the host for nothing.
const Capability* capability_of_symbol(std::string_view symbol) {
  const std::string_view interface = linker::wasi2_interface_of(symbol);
  return interface.empty() ? nullptr : capability_of_interface(interface);
}

bool is_of_guest_library(const ImportName& import) {
  return import.name.starts_with("mayfly_wasi2_") || import.name.starts_with("mayfly_component_");
}

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

struct Asked {
  const Capability* capability;
  std::string import;
};

json list_of(const std::vector<Asked>& asked) {
  json list = json::array();
  for (const Capability* capability : kCapabilities) {
    std::vector<std::string> names;
    for (const Asked& item : asked) {
      if (item.capability == capability) names.push_back(item.import);
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

}  // namespace

json capabilities_of(const std::vector<ImportName>& imports) {
  std::vector<Asked> asked;
  for (const ImportName& import : imports) {
    if (!is_of_guest_library(import)) {
      const Capability& capability = capability_of(import);
      asked.push_back({&capability, text_of(import, capability)});
    } else if (const Capability* capability = capability_of_symbol(import.name)) {
      asked.push_back({capability, std::string(linker::wasi2_interface_of(import.name))});
    }
  }
  return list_of(asked);
}

json capabilities_of_interfaces(const std::vector<std::string>& interfaces) {
  std::vector<Asked> asked;
  for (const std::string& interface : interfaces) {
    const Capability* found =
        linker::is_wasi2_interface(interface) ? capability_of_interface(interface) : nullptr;
    asked.push_back({found != nullptr ? found : &kComponentEmbedder, interface});
  }
  return list_of(asked);
}

}  // namespace mayfly::cli
