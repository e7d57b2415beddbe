// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Options of sockets: one row each, with the range that Linux has for it.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <climits>

#include "wasi/own_socket.h"

namespace mayfly::wasi {

namespace {

using guest_abi::WasiSocketOption;

struct Option {
  int level;
  int name;
  uint64_t least;
  uint64_t most;
  bool is_doubled = false;  // Linux answers with twice what it was given
  bool is_tcp = false;
};

bool find_option(WasiSocketOption option, WasiFamily family, Option* found) {
  constexpr uint64_t kSecondsMax = 32767;
  switch (option) {
    case WasiSocketOption::kKeepAlive:
      *found = {.level = SOL_SOCKET, .name = SO_KEEPALIVE, .least = 0, .most = 1, .is_tcp = true};
      return true;
    case WasiSocketOption::kKeepAliveIdle:
      *found = {IPPROTO_TCP, TCP_KEEPIDLE, 1, kSecondsMax, false, true};
      return true;
    case WasiSocketOption::kKeepAliveInterval:
      *found = {IPPROTO_TCP, TCP_KEEPINTVL, 1, kSecondsMax, false, true};
      return true;
    case WasiSocketOption::kKeepAliveCount:
      *found = {IPPROTO_TCP, TCP_KEEPCNT, 1, 127, false, true};
      return true;
    case WasiSocketOption::kHopLimit:
      *found =
          family == WasiFamily::kIpv6
              ? Option{.level = IPPROTO_IPV6, .name = IPV6_UNICAST_HOPS, .least = 1, .most = 255}
              : Option{.level = IPPROTO_IP, .name = IP_TTL, .least = 1, .most = 255};
      return true;
    case WasiSocketOption::kReceiveBuffer:
      *found = {SOL_SOCKET, SO_RCVBUF, 1, INT_MAX / 2, true};
      return true;
    case WasiSocketOption::kSendBuffer:
      *found = {SOL_SOCKET, SO_SNDBUF, 1, INT_MAX / 2, true};
      return true;
  }
  return false;
}

}  // namespace

PortAnswer option_of_socket(PortCall& call, guest_abi::WasiOptionRequest& request) {
  Handle* handle = nullptr;
  MAYFLY_ERRNO_TRY(find_own_socket(call, request.handle, &handle));
  Option option{};
  const auto asked = static_cast<WasiSocketOption>(request.option);
  if (!find_option(asked, handle->socket.family, &option)) return Errno::kInval;
  if (option.is_tcp && is_datagram(*handle)) return Errno::kNotSup;
  const int fd = handle->fd.get();
  if (request.sets != 0) {
    const auto value = static_cast<int>(std::clamp(request.value, option.least, option.most));
    return errno_of(::setsockopt(fd, option.level, option.name, &value, sizeof value));
  }
  int value = 0;
  socklen_t bytes = sizeof value;
  MAYFLY_ERRNO_TRY(errno_of(::getsockopt(fd, option.level, option.name, &value, &bytes)));
  request.value_out = static_cast<uint64_t>(std::max(value, 0));
  if (option.is_doubled) request.value_out /= 2;
  return Errno::kSuccess;
}

}  // namespace mayfly::wasi
