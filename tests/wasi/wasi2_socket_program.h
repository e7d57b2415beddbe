// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// For tests: a component's side of wasi:sockets, in short forms.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "guest/wasi2/network.h"
#include "wasi2_program.h"

namespace mayfly {

using guest::FlatAddress;
using guest::IpSocketAddress;
using guest::NetworkError;

class Wasi2SocketProgram : public Wasi2Program {
 protected:
  static constexpr uint32_t kIpv4 = 0, kIpv6 = 1;
  static constexpr NetworkError kNone = NetworkError::kNone;

  static FlatAddress ipv4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint16_t port) {
    return {0, {port, a, b, c, d}};
  }
  static FlatAddress loopback(uint16_t port) { return ipv4(127, 0, 0, 1, port); }
  static FlatAddress loopback_of(uint32_t family, uint16_t port) {
    return family == kIpv4 ? loopback(port) : FlatAddress{1, {port, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0}};
  }

  // Of a result<T, error-code>; `payload` is where T would be.
  NetworkError error_of(uint32_t result, uint32_t payload = 1) {
    if (at<uint8_t>(result) == 0) return kNone;
    return static_cast<NetworkError>(at<uint8_t>(result + payload));
  }
  uint32_t network() { return mayfly_wasi2_instance_network(transfer(), state()); }
  uint32_t tcp_socket(uint32_t family = kIpv4) {
    reset_transfer();
    return handle_of(mayfly_wasi2_create_tcp_socket(transfer(), state(), family));
  }
  uint32_t udp_socket(uint32_t family = kIpv4) {
    reset_transfer();
    return handle_of(mayfly_wasi2_create_udp_socket(transfer(), state(), family));
  }

  using AddressFunction = uint32_t (*)(MemoryInfo*, MemoryInfo*, uint32_t, uint32_t, uint32_t,
                                       uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t,
                                       uint32_t, uint32_t, uint32_t, uint32_t, uint32_t);
  uint32_t with_address(AddressFunction function, uint32_t self, uint32_t second,
                        const FlatAddress& a) {
    reset_transfer();
    const uint32_t* const f = a.fields;
    return function(transfer(), state(), self, second, a.is_ipv6, f[0], f[1], f[2], f[3], f[4],
                    f[5], f[6], f[7], f[8], f[9], f[10]);
  }
  using Function = uint32_t (*)(MemoryInfo*, MemoryInfo*, uint32_t);
  NetworkError call(Function function, uint32_t self, uint32_t payload = 1) {
    reset_transfer();
    return error_of(function(transfer(), state(), self), payload);
  }

  NetworkError start_bind(uint32_t socket, const FlatAddress& address) {
    return error_of(with_address(mayfly_wasi2_tcp_start_bind, socket, network(), address));
  }
  NetworkError start_connect(uint32_t socket, const FlatAddress& address) {
    return error_of(with_address(mayfly_wasi2_tcp_start_connect, socket, network(), address));
  }
  NetworkError start_udp_bind(uint32_t socket, const FlatAddress& address) {
    return error_of(with_address(mayfly_wasi2_udp_start_bind, socket, network(), address));
  }

  // The port of a socket's local address.
  uint16_t port_of(uint32_t socket, Function local_address = mayfly_wasi2_tcp_local_address) {
    reset_transfer();
    const uint32_t result = local_address(transfer(), state(), socket);
    EXPECT_EQ(at<uint8_t>(result), 0);
    return at<uint16_t>(result + 8);  // of both families
  }
  uint32_t listener(uint32_t family = kIpv4, uint16_t port = 0) {
    const uint32_t socket = tcp_socket(family);
    EXPECT_EQ(start_bind(socket, loopback_of(family, port)), kNone);
    EXPECT_EQ(call(mayfly_wasi2_tcp_finish_bind, socket), kNone);
    EXPECT_EQ(call(mayfly_wasi2_tcp_start_listen, socket), kNone);
    EXPECT_EQ(call(mayfly_wasi2_tcp_finish_listen, socket), kNone);
    return socket;
  }

  struct Connection {
    uint32_t socket = 0;
    uint32_t input = 0;
    uint32_t output = 0;
  };
  void block(uint32_t pollable) {
    reset_transfer();
    mayfly_wasi2_pollable_block(transfer(), state(), pollable);
    mayfly_wasi2_drop_pollable(transfer(), state(), pollable);
  }
  NetworkError finish_connect(uint32_t socket, Connection* connection) {
    reset_transfer();
    const uint32_t result = mayfly_wasi2_tcp_finish_connect(transfer(), state(), socket);
    if (at<uint8_t>(result) != 0) return error_of(result, 4);
    *connection = {socket, at<uint32_t>(result + 4), at<uint32_t>(result + 8)};
    return kNone;
  }
  NetworkError connect(uint32_t socket, const FlatAddress& address, Connection* connection) {
    const NetworkError started = start_connect(socket, address);
    if (started != kNone) return started;
    block(mayfly_wasi2_tcp_subscribe(transfer(), state(), socket));
    return finish_connect(socket, connection);
  }
  NetworkError accept(uint32_t listener, Connection* connection) {
    reset_transfer();
    const uint32_t result = mayfly_wasi2_tcp_accept(transfer(), state(), listener);
    if (at<uint8_t>(result) != 0) return error_of(result, 4);
    *connection = {at<uint32_t>(result + 4), at<uint32_t>(result + 8), at<uint32_t>(result + 12)};
    return kNone;
  }
  struct Pair {
    Connection server;
    Connection client;
  };
  Pair connected(uint32_t family = kIpv4) {
    Pair pair;
    const uint32_t listening = listener(family);
    EXPECT_EQ(connect(tcp_socket(family), loopback_of(family, port_of(listening)), &pair.client),
              kNone);
    block(mayfly_wasi2_tcp_subscribe(transfer(), state(), listening));
    EXPECT_EQ(accept(listening, &pair.server), kNone);
    mayfly_wasi2_drop_tcp_socket(transfer(), state(), listening);
    return pair;
  }
  NetworkError shutdown(const Connection& connection, uint32_t type) {
    reset_transfer();
    return error_of(mayfly_wasi2_tcp_shutdown(transfer(), state(), connection.socket, type));
  }
  void drop(const Connection& connection) {
    mayfly_wasi2_drop_input_stream(transfer(), state(), connection.input);
    mayfly_wasi2_drop_output_stream(transfer(), state(), connection.output);
    mayfly_wasi2_drop_tcp_socket(transfer(), state(), connection.socket);
  }

  struct Datagrams {
    uint32_t socket = 0;
    uint32_t incoming = 0;
    uint32_t outgoing = 0;
  };
  NetworkError associate(uint32_t socket, const std::optional<FlatAddress>& peer,
                         Datagrams* datagrams) {
    const uint32_t result =
        with_address(mayfly_wasi2_udp_stream, socket, peer ? 1 : 0, peer.value_or(FlatAddress{}));
    if (at<uint8_t>(result) != 0) return error_of(result, 4);
    *datagrams = {socket, at<uint32_t>(result + 4), at<uint32_t>(result + 8)};
    return kNone;
  }
  Datagrams bound_datagrams(const FlatAddress& address, uint32_t family = kIpv4) {
    Datagrams datagrams;
    const uint32_t socket = udp_socket(family);
    EXPECT_EQ(start_udp_bind(socket, address), kNone);
    EXPECT_EQ(call(mayfly_wasi2_udp_finish_bind, socket), kNone);
    EXPECT_EQ(associate(socket, std::nullopt, &datagrams), kNone);
    return datagrams;
  }
  uint16_t udp_port(const Datagrams& datagrams) {
    return port_of(datagrams.socket, mayfly_wasi2_udp_local_address);
  }

  // The number of datagrams that were sent: 0 or 1; or the error.
  NetworkError send(const Datagrams& datagrams, std::string_view text,
                    const std::optional<FlatAddress>& to, uint64_t* sent = nullptr) {
    const uint32_t permit = mayfly_wasi2_check_send(transfer(), state(), datagrams.outgoing);
    EXPECT_EQ(at<uint8_t>(permit), 0);
    const uint32_t data = put(text);
    const uint32_t list = mayfly_component_transfer_realloc(transfer(), 0, 0, 4, 44);
    std::vector<uint8_t> record(44);
    const uint32_t bytes = size(text);
    std::memcpy(record.data(), &data, 4);
    std::memcpy(record.data() + 4, &bytes, 4);
    if (to) {
      record[8] = 1;
      const IpSocketAddress address = guest::socket_address(guest::host_address(*to));
      std::memcpy(record.data() + 12, &address, sizeof address);
    }
    std::memcpy(transfer_->bytes().data() + list, record.data(), record.size());
    const uint32_t result =
        mayfly_wasi2_send_datagrams(transfer(), state(), datagrams.outgoing, list, 1);
    if (at<uint8_t>(result) != 0) return error_of(result, 8);
    if (sent != nullptr) *sent = at<uint64_t>(result + 8);
    return kNone;
  }
  struct Incoming {
    std::string text;
    uint16_t port = 0;
  };
  std::vector<Incoming> receive(const Datagrams& datagrams, uint64_t results_max = 16) {
    reset_transfer();
    const uint32_t result =
        mayfly_wasi2_receive_datagrams(transfer(), state(), datagrams.incoming, results_max);
    EXPECT_EQ(error_of(result, 4), kNone);
    std::vector<Incoming> all;
    const auto list = at<uint32_t>(result + 4);
    for (uint32_t i = 0; i < at<uint32_t>(result + 8); ++i) {
      const uint32_t record = list + i * 40;
      all.push_back(
          {text_at(at<uint32_t>(record), at<uint32_t>(record + 4)), at<uint16_t>(record + 12)});
    }
    return all;
  }

  // The lookup, or the error.
  NetworkError resolve(std::string_view name, uint32_t* lookup) {
    const uint32_t in = network();
    const uint32_t address = put(name);
    const uint32_t result =
        mayfly_wasi2_resolve_addresses(transfer(), state(), in, address, size(name));
    if (at<uint8_t>(result) != 0) return error_of(result, 4);
    *lookup = at<uint32_t>(result + 4);
    return kNone;
  }
  // The bytes of the next address; none at the end.
  NetworkError next_address(uint32_t lookup, std::optional<std::vector<int>>* address) {
    reset_transfer();
    const uint32_t result = mayfly_wasi2_resolve_next_address(transfer(), state(), lookup);
    if (at<uint8_t>(result) != 0) return error_of(result, 2);
    address->reset();
    if (at<uint8_t>(result + 2) == 0) return kNone;
    std::vector<int> bytes;
    const bool is_ipv6 = at<uint8_t>(result + 4) != 0;
    for (uint32_t i = 0; i < (is_ipv6 ? 16U : 4U); ++i) {
      bytes.push_back(at<uint8_t>(result + 6 + i));
    }
    *address = bytes;
    return kNone;
  }
};

}  // namespace mayfly
