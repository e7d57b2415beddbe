// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Addresses are numbers only: a name could be somebody else's tomorrow.
#include "cli/grants.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>

#include "cli/quantity.h"
#include "cli/services.h"

namespace mayfly::cli {
namespace {

struct Address {
  sockaddr_storage storage{};
  socklen_t bytes = 0;
};

Result<uint16_t> parse_port(const std::string& text, const std::string& port) {
  uint16_t number = 0;
  const char* end = port.data() + port.size();
  const auto [stop, error] = std::from_chars(port.data(), end, number);
  if (error != std::errc() || stop != end || port.empty()) {
    return invalid("--tcplisten " + text + ": '" + port + "' is not a port of 0 to 65535");
  }
  return number;
}

Result<Address> parse_address(const std::string& text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos) return invalid("--tcplisten " + text + ": write ADDRESS:PORT");
  const uint16_t port = MAYFLY_TRY(parse_port(text, text.substr(colon + 1)));
  const std::string host = text.substr(0, colon);
  const bool has_brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
  Address address;
  sockaddr_in6 six{};
  six.sin6_family = AF_INET6;
  six.sin6_port = htons(port);
  if (has_brackets &&
      ::inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &six.sin6_addr) == 1) {
    std::memcpy(&address.storage, &six, sizeof six);
    address.bytes = sizeof six;
    return address;
  }
  sockaddr_in four{};
  four.sin_family = AF_INET;
  four.sin_port = htons(port);
  if (::inet_pton(AF_INET, host.c_str(), &four.sin_addr) != 1) {
    return invalid("--tcplisten " + text + ": '" + host +
                   "' is neither an IPv4 address nor an IPv6 one in brackets");
  }
  std::memcpy(&address.storage, &four, sizeof four);
  address.bytes = sizeof four;
  return address;
}

}  // namespace

wasi::Preopen parse_directory(const std::string& text) {
  constexpr std::string_view kReadOnly = ":ro";
  wasi::Preopen preopen;
  std::string names = text;
  if (names.ends_with(kReadOnly)) {
    names.resize(names.size() - kReadOnly.size());
    preopen.access = wasi::TreeAccess::kReadOnly;
  }
  const size_t separator = names.find("::");
  preopen.host_path = names.substr(0, separator);
  preopen.guest_path =
      separator == std::string::npos ? preopen.host_path : names.substr(separator + 2);
  return preopen;
}

Result<wasi::MemoryDirectory> parse_memory_directory(const std::string& text) {
  wasi::MemoryDirectory directory;
  const size_t colon = text.rfind(':');
  directory.guest_path = text.substr(0, colon);
  if (colon != std::string::npos) {
    const auto bytes = parse_bytes(text.substr(colon + 1));
    if (!bytes) return with_context("--tmpfs " + text, bytes.error());
    directory.bytes_max = *bytes;
  }
  if (directory.guest_path.empty() || directory.bytes_max == 0) {
    return invalid("--tmpfs " + text + ": write GUEST[:SIZE], as /tmp:16MiB");
  }
  return directory;
}

Result<Fd> listen_on(const std::string& text) {
  constexpr int kBacklog = 128;
  const Address address = MAYFLY_TRY(parse_address(text));
  Fd fd(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return host_error("--tcplisten " + text + ": socket");
  const int yes = 1;
  (void)::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  // SAFETY: sockaddr_storage is made to be passed as any socket address.
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.bytes) != 0 ||
      ::listen(fd.get(), kBacklog) != 0) {
    return host_error("--tcplisten " + text);
  }
  return fd;
}

Result<Grants> grants_of(const RunOptions& options) {
  Grants grants;
  wasi::WasiConfig& config = grants.config;
  config.args.push_back(std::filesystem::path(options.file).filename());
  config.args.insert(config.args.end(), options.arguments.begin(), options.arguments.end());
  config.environ = options.environment;
  for (const std::string& text : options.directories) {
    config.preopens.push_back(parse_directory(text));
  }
  for (const std::string& text : options.tmpfs) {
    config.memory_directories.push_back(MAYFLY_TRY(parse_memory_directory(text)));
  }
  for (const std::string& text : options.listen_addresses) {
    grants.listeners.push_back(MAYFLY_TRY(listen_on(text)));
    config.listeners.push_back(grants.listeners.back().get());
  }
  config.network = {options.tcp,        options.tcp_listen, options.udp,
                    options.udp_listen, options.allow_dns,  options.inherit_network};
  config.http.grants = options.http_hosts;
  config.http.ca_file = options.http_ca_file;
  config.log = log_config(options.log_level);
  config.key_value = keyvalue_config(options);
  config.config = MAYFLY_TRY(config_values(options));
  config.limits.open_files_max = options.open_files_max;
  config.limits.write_bytes_max = options.write_bytes_max;
  return grants;
}

}  // namespace mayfly::cli
