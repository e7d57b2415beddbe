// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Addresses and names that a program was refused. As with paths, what is looked at here only
// becomes text.
#include <array>
#include <cstring>

#include "runtime/printable.h"
#include "wasi/denials.h"
#include "wasi/own_socket.h"

namespace mayfly::wasi {

namespace {

using guest_abi::WasiPort;

constexpr uint64_t kNameBytesMax = guest_abi::kHttpAuthorityBytesMax;

template <typename Request>
Request request_of(std::span<const uint8_t> bytes) {
  Request request{};
  std::memcpy(&request, bytes.data(), std::min(bytes.size(), sizeof request));
  return request;
}

std::string name_in(PortCall& call, const guest_abi::WasiRange& range) {
  const auto name = read_text(call, range, kNameBytesMax);
  return name ? runtime::printable(*name) : "?";
}

struct Use {
  NetworkUse use;
  const char* what;
  const char* flag;
};
constexpr Use kTcpConnect{NetworkUse::kTcpConnect, "connecting to ", "--tcp "};
constexpr Use kTcpListen{NetworkUse::kTcpListen, "a TCP socket at ", "--tcp-listen "};
constexpr Use kUdpSend{NetworkUse::kUdpSend, "datagrams to ", "--udp "};
constexpr Use kUdpListen{NetworkUse::kUdpListen, "a UDP socket at ", "--udp-listen "};

// Empty where the grant is there, so that it was the kernel that refused.
std::string advice_of(PortCall& call, const Use& use, const WasiAddress& address) {
  if (call.program.network.allows(use.use, address)) return "";
  const std::string text = to_string(address);
  return use.what + text + " is not granted; " + use.flag + text + " would allow it";
}

std::string advice_of(PortCall& call, const guest_abi::WasiAddressRequest& request, bool binds) {
  const Handle* const handle = call.find(request.handle);
  if (handle == nullptr) return "";
  const bool is_udp = is_datagram(*handle);
  const Use& to_bind = is_udp ? kUdpListen : kTcpListen;
  const Use& to_connect = is_udp ? kUdpSend : kTcpConnect;
  return advice_of(call, binds ? to_bind : to_connect, request.address);
}

// An error is that of the first datagram.
std::string advice_of(PortCall& call, const guest_abi::WasiDatagramsRequest& request) {
  std::array<uint8_t, sizeof(guest_abi::WasiDatagram)> bytes{};
  if (!call.guest().read(request.datagrams, bytes)) return "";
  guest_abi::WasiDatagram datagram{};
  std::memcpy(&datagram, bytes.data(), sizeof datagram);
  return advice_of(call, kUdpSend, datagram.address);
}

bool is_denied(uint32_t error) { return static_cast<Errno>(error) == Errno::kAcces; }

}  // namespace

void Denials::see_network(PortCall& call, WasiPort port, std::span<const uint8_t> bytes) {
  std::string advice;
  switch (port) {
    case WasiPort::kBind:
    case WasiPort::kConnect: {
      const auto request = request_of<guest_abi::WasiAddressRequest>(bytes);
      if (is_denied(request.error)) advice = advice_of(call, request, port == WasiPort::kBind);
      break;
    }
    case WasiPort::kListen: {
      const auto request = request_of<guest_abi::WasiHandleRequest>(bytes);
      if (is_denied(request.error)) {
        advice = "listening is not granted; --tcp-listen ADDRESS:PORT would allow it";
      }
      break;
    }
    case WasiPort::kSendDatagrams: {
      const auto request = request_of<guest_abi::WasiDatagramsRequest>(bytes);
      if (is_denied(request.error)) advice = advice_of(call, request);
      break;
    }
    case WasiPort::kResolve: {
      const auto request = request_of<guest_abi::WasiResolveRequest>(bytes);
      if (is_denied(request.error)) {
        advice = "looking up \"" + name_in(call, request.name) +
                 "\" is not granted; --allow-dns would allow it";
      }
      break;
    }
    case WasiPort::kHttpStart: {
      const auto request = request_of<guest_abi::HttpStartRequest>(bytes);
      if (static_cast<Errno>(request.error) == Errno::kIo &&
          static_cast<guest_abi::HttpError>(request.code) == guest_abi::HttpError::kRequestDenied) {
        const std::string host = name_in(call, request.authority);
        advice = "HTTP to \"" + host + "\" is not granted; --http " + host + " would allow it";
      }
      break;
    }
    default:
      return;
  }
  if (!advice.empty()) say(advice);
}

}  // namespace mayfly::wasi
