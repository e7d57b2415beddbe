// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every import belongs to one capability.
#include "cli/capabilities.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "runtime/guest_functions.h"

namespace mayfly::cli {
namespace {

constexpr char kP1[] = "wasi_snapshot_preview1";

std::string only_capability(const std::string& module, const std::string& name) {
  const auto list = capabilities_of({{module, name}});
  return list.size() == 1 ? list[0]["capability"].get<std::string>() : "";
}

TEST(Capabilities, AreNamedByWhatTheFlagsGrant) {
  EXPECT_EQ(only_capability(kP1, "path_open"), "files by path");
  EXPECT_EQ(only_capability(kP1, "fd_prestat_get"), "files by path");
  EXPECT_EQ(only_capability(kP1, "fd_write"), "standard streams and open files");
  EXPECT_EQ(only_capability(kP1, "sock_accept"), "sockets");
  EXPECT_EQ(only_capability("wasi_unstable", "clock_time_get"), "clocks");
  EXPECT_EQ(only_capability("bench", "start"), "marks of a benchmark");
  EXPECT_EQ(only_capability("env", "fd_write"), "functions of an embedder");
  EXPECT_EQ(only_capability(kP1, "fd_fork"), "what WASI preview 1 does not have");
}

TEST(Capabilities, OfNoImportsAreNone) { EXPECT_TRUE(capabilities_of({}).empty()); }

TEST(Capabilities, CoverAllOfWasi) {
  for (const std::string_view name : runtime::guest_function_names(kP1)) {
    const std::string capability = only_capability(kP1, std::string(name));
    EXPECT_NE(capability, "marks of a benchmark") << name;
    EXPECT_NE(capability, "") << name;
  }
}

TEST(Capabilities, NameEachImportOnce) {
  const auto list =
      capabilities_of({{kP1, "fd_write"}, {"host", "log"}, {kP1, "fd_read"}, {kP1, "fd_write"}});
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0]["imports"], nlohmann::json({"fd_read", "fd_write"}));
  EXPECT_EQ(list[1]["imports"], nlohmann::json({"host log"}));
  EXPECT_EQ(list[1]["granted_by"], "--preload NAME=FILE");
}

std::string of_interface(const std::string& interface) {
  const auto list = capabilities_of_interfaces({interface});
  return list.size() == 1 ? list[0]["capability"].get<std::string>() : "";
}

TEST(Capabilities, OfComponentsAreNamedByInterfaces) {
  EXPECT_EQ(of_interface("wasi:filesystem/types@0.2.3"), "files by path");
  EXPECT_EQ(of_interface("wasi:cli/stdout@0.2.0"), "streams of what is open");
  EXPECT_EQ(of_interface("wasi:cli/environment@0.2.0"), "arguments and environment");
  EXPECT_EQ(of_interface("wasi:sockets/tcp@0.2.0"), "sockets");
  EXPECT_EQ(of_interface("wasi:sockets/ip-name-lookup@0.2.0"), "looking up names");
  EXPECT_EQ(of_interface("wasi:http/outgoing-handler@0.2.0"), "HTTP requests");
  EXPECT_EQ(of_interface("wasi:config/store@0.2.0-rc.1"), "configuration");
  EXPECT_EQ(of_interface("wasi:keyvalue/store@0.2.0-draft"), "key-value entries");
  EXPECT_EQ(of_interface("wasi:logging/logging"), "messages on stderr");
  EXPECT_EQ(of_interface("wasi:cli/stdout@0.3.0"), "functions of an embedder");
  EXPECT_EQ(of_interface("example:host/log"), "functions of an embedder");
}

TEST(Capabilities, CoverAllInterfacesOfWasi) {
  for (const char* interface : {
#define MAYFLY_WASI2_FUNCTION(interface, name, signature, symbol) interface,
#include "guest_abi/wasi2_functions.inc"
#undef MAYFLY_WASI2_FUNCTION
       }) {
    EXPECT_NE(of_interface(std::string(interface) + "@0.2.0"), "functions of an embedder")
        << interface;
  }
}

TEST(Capabilities, OfImagesOfComponentsAreThoseOfTheirFunctions) {
  const auto list = capabilities_of(
      {{"mayfly", "mayfly_component_handle_new"}, {"mayfly", "mayfly_wasi2_open_at"}});
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0]["imports"], nlohmann::json({"wasi:filesystem/types"}));
}

}  // namespace
}  // namespace mayfly::cli
