// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Datagrams and names of components.
#include <gtest/gtest.h>

#include "guest/component/trap.h"
#include "wasi2_socket_program.h"

namespace mayfly {
namespace {

using guest::trap_of;

class Wasi2Udp : public Wasi2SocketProgram {
 protected:
  void start_with_all() {
    config_.network.everything = true;
    start();
  }
  void wait_for(const Datagrams& datagrams) {
    block(mayfly_wasi2_subscribe_incoming(transfer(), state(), datagrams.incoming));
  }
};

TEST_F(Wasi2Udp, DatagramsGoToAndFro) {
  start_with_all();
  for (const uint32_t family : {kIpv4, kIpv6}) {
    const Datagrams server = bound_datagrams(loopback_of(family, 0), family);
    const Datagrams client = bound_datagrams(loopback_of(family, 0), family);
    EXPECT_EQ(send(client, "one", loopback_of(family, udp_port(server))), kNone);
    EXPECT_EQ(send(client, "", loopback_of(family, udp_port(server))), kNone);
    wait_for(server);
    const std::vector<Incoming> come = receive(server);
    ASSERT_EQ(come.size(), 2U);
    EXPECT_EQ(come[0].text, "one");
    EXPECT_EQ(come[1].text, "");
    EXPECT_EQ(come[0].port, udp_port(client));
    EXPECT_TRUE(receive(server).empty());
    EXPECT_TRUE(receive(server, 0).empty());
  }
}

TEST_F(Wasi2Udp, AnAssociationHasOnePeer) {
  start_with_all();
  const Datagrams peer = bound_datagrams(loopback(0));
  const Datagrams other = bound_datagrams(loopback(0));
  Datagrams client = bound_datagrams(ipv4(0, 0, 0, 0, 0));
  const uint16_t port = udp_port(client);
  const Datagrams before = client;
  ASSERT_EQ(associate(client.socket, loopback(udp_port(peer)), &client), kNone);
  EXPECT_EQ(call(mayfly_wasi2_udp_remote_address, client.socket, 4), kNone);
  EXPECT_EQ(send(client, "a", std::nullopt), kNone);
  EXPECT_EQ(send(client, "b", loopback(udp_port(peer))), kNone);
  EXPECT_EQ(send(client, "c", loopback(udp_port(other))), NetworkError::kInvalidArgument);
  wait_for(peer);
  EXPECT_EQ(receive(peer).size(), 2U);
  EXPECT_EQ(send(other, "not from the peer", loopback(port)), kNone);
  EXPECT_EQ(send(peer, "from the peer", loopback(port)), kNone);
  wait_for(client);
  const std::vector<Incoming> come = receive(client);
  ASSERT_EQ(come.size(), 1U);
  EXPECT_EQ(come[0].text, "from the peer");
  // Its earlier streams are over, and its port stays when the peer is given up.
  reset_transfer();
  EXPECT_EQ(error_of(mayfly_wasi2_check_send(transfer(), state(), before.outgoing), 8),
            NetworkError::kInvalidState);
  ASSERT_EQ(associate(client.socket, std::nullopt, &client), kNone);
  EXPECT_EQ(udp_port(client), port);
  EXPECT_EQ(call(mayfly_wasi2_udp_remote_address, client.socket, 4), NetworkError::kInvalidState);
  EXPECT_EQ(send(client, "x", std::nullopt), NetworkError::kInvalidArgument);
}

TEST_F(Wasi2Udp, ASocketIsBoundBeforeItHasStreams) {
  start_with_all();
  Datagrams datagrams;
  const uint32_t socket = udp_socket();
  EXPECT_EQ(associate(socket, std::nullopt, &datagrams), NetworkError::kInvalidState);
  EXPECT_EQ(call(mayfly_wasi2_udp_finish_bind, socket), NetworkError::kNotInProgress);
  EXPECT_EQ(call(mayfly_wasi2_udp_local_address, socket, 4), NetworkError::kInvalidState);
}

TEST_F(Wasi2Udp, NothingIsAllowedWithoutAGrant) {
  start();
  EXPECT_EQ(start_udp_bind(udp_socket(), loopback(0)), NetworkError::kAccessDenied);
  EXPECT_EQ(start_udp_bind(udp_socket(), ipv4(0, 0, 0, 0, 0)), NetworkError::kAccessDenied);
}

TEST_F(Wasi2Udp, EachDatagramIsCheckedWhereItGoesToAndComesFrom) {
  config_.network.udp_send = {"127.0.0.1:9"};
  config_.network.udp_listen = {"127.0.0.1:0"};
  start();
  const Datagrams server = bound_datagrams(loopback(0));
  const Datagrams client = bound_datagrams(ipv4(0, 0, 0, 0, 0));
  EXPECT_EQ(send(client, "x", loopback(9)), kNone);
  EXPECT_EQ(send(client, "x", loopback(udp_port(server))), NetworkError::kAccessDenied);
  EXPECT_EQ(send(client, "x", ipv4(127, 0, 0, 2, 9)), NetworkError::kAccessDenied);
  EXPECT_EQ(send(client, "x", ipv4(0, 0, 0, 0, 9)), NetworkError::kInvalidArgument);
  Datagrams again;
  EXPECT_EQ(associate(client.socket, loopback(udp_port(server)), &again),
            NetworkError::kAccessDenied);
  // Nobody has sent to the server, so it has nobody to answer.
  EXPECT_EQ(send(server, "x", loopback(udp_port(client))), NetworkError::kAccessDenied);
}

TEST_F(Wasi2Udp, AServerAnswersWhoHasSentToIt) {
  config_.network.udp_listen = {"127.0.0.1:*"};
  start();
  const Datagrams server = bound_datagrams(loopback(0));
  const uint16_t port = udp_port(server);
  const Fd other(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  wasi::WasiAddress address = guest::host_address(loopback(port));
  const wasi::KernelAddress to = wasi::to_kernel(address);
  ASSERT_EQ(::sendto(other.get(), "hi", 2, 0, to.get(), to.bytes), 2);
  wait_for(server);
  const std::vector<Incoming> come = receive(server);
  ASSERT_EQ(come.size(), 1U);
  EXPECT_EQ(send(server, "hello", loopback(come[0].port)), kNone);
  EXPECT_EQ(send(server, "hello", loopback(static_cast<uint16_t>(come[0].port ^ 1))),
            NetworkError::kAccessDenied);
  std::string answer(5, ' ');
  EXPECT_EQ(::recv(other.get(), answer.data(), answer.size(), 0), 5);
  EXPECT_EQ(answer, "hello");
}

TEST_F(Wasi2Udp, WhatComesFromElsewhereIsLost) {
  config_.network.udp_send = {"127.0.0.1:9"};
  start();
  const Datagrams client = bound_datagrams(loopback(0));
  const Fd other(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const wasi::KernelAddress to = wasi::to_kernel(guest::host_address(loopback(udp_port(client))));
  ASSERT_EQ(::sendto(other.get(), "hi", 2, 0, to.get(), to.bytes), 2);
  EXPECT_TRUE(receive(client).empty());
}

TEST_F(Wasi2Udp, SendingNeedsAPermit) {
  start_with_all();
  const Datagrams datagrams = bound_datagrams(loopback(0));
  EXPECT_EQ(trap_of([&] {
              mayfly_wasi2_send_datagrams(transfer(), state(), datagrams.outgoing, kTop, 1);
            }),
            guest_abi::ComponentTrap::kSendNotPermitted);
}

TEST_F(Wasi2Udp, ADatagramThatIsTooLargeIsAnError) {
  start_with_all();
  const Datagrams datagrams = bound_datagrams(loopback(0));
  EXPECT_EQ(send(datagrams, std::string(70000, 'x'), loopback(9)), NetworkError::kDatagramTooLarge);
}

class Wasi2Lookup : public Wasi2SocketProgram {
 protected:
  std::vector<std::vector<int>> all_addresses(uint32_t lookup) {
    std::vector<std::vector<int>> all;
    std::optional<std::vector<int>> address;
    block(mayfly_wasi2_subscribe_lookup(transfer(), state(), lookup));
    while (next_address(lookup, &address) == kNone && address) all.push_back(*address);
    EXPECT_FALSE(address);
    return all;
  }
};

TEST_F(Wasi2Lookup, AddressesNeedNoGrant) {
  start();
  uint32_t lookup = 0;
  ASSERT_EQ(resolve("192.0.2.7", &lookup), kNone);
  EXPECT_EQ(all_addresses(lookup), (std::vector<std::vector<int>>{{192, 0, 2, 7}}));
  mayfly_wasi2_drop_lookup(transfer(), state(), lookup);
  ASSERT_EQ(resolve("::1", &lookup), kNone);
  EXPECT_EQ(all_addresses(lookup)[0].size(), 16U);
}

TEST_F(Wasi2Lookup, NamesNeedOne) {
  start();
  uint32_t lookup = 0;
  EXPECT_EQ(resolve("localhost", &lookup), NetworkError::kAccessDenied);
  EXPECT_EQ(resolve("a.b<&>", &lookup), NetworkError::kInvalidArgument);
  EXPECT_EQ(resolve("", &lookup), NetworkError::kInvalidArgument);
  EXPECT_EQ(resolve("127.1", &lookup), NetworkError::kInvalidArgument);
  EXPECT_EQ(resolve("0x7f000001", &lookup), NetworkError::kInvalidArgument);
  EXPECT_EQ(resolve(std::string(300, 'a'), &lookup), NetworkError::kInvalidArgument);
}

TEST_F(Wasi2Lookup, ANameInAGrantStandsForWhatItWasAtTheStart) {
  config_.network.tcp_connect = {"localhost:1"};
  start();
  uint32_t lookup = 0;
  ASSERT_EQ(resolve("LocalHost", &lookup), kNone);
  EXPECT_FALSE(all_addresses(lookup).empty());
  EXPECT_EQ(resolve("other.localhost", &lookup), NetworkError::kAccessDenied);
  Connection connection;
  EXPECT_EQ(connect(tcp_socket(), loopback(1), &connection), NetworkError::kConnectionRefused);
}

TEST_F(Wasi2Lookup, AThreadLooksUpAnyName) {
  config_.network.lookups = true;
  start();
  uint32_t lookup = 0;
  ASSERT_EQ(resolve("localhost", &lookup), kNone);
  EXPECT_FALSE(all_addresses(lookup).empty());
}

TEST_F(Wasi2Lookup, LookupsThatNobodyWaitsForAreBounded) {
  config_.network.lookups = true;
  start();
  for (int i = 0; i < 200; ++i) {
    uint32_t lookup = 0;
    const NetworkError error = resolve("localhost", &lookup);
    if (error == NetworkError::kOutOfMemory) continue;
    ASSERT_EQ(error, kNone);
    mayfly_wasi2_drop_lookup(transfer(), state(), lookup);
  }
}

}  // namespace
}  // namespace mayfly
