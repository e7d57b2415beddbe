// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// TCP sockets of components: states, streams, and what is denied.
#include <gtest/gtest.h>

#include "guest/component/trap.h"
#include "wasi2_socket_program.h"

namespace mayfly {
namespace {

constexpr uint32_t kReceive = 0, kSend = 1, kBoth = 2;

class Wasi2Tcp : public Wasi2SocketProgram {
 protected:
  void start_with_all() {
    config_.network.everything = true;
    start();
  }
};

TEST_F(Wasi2Tcp, AnUnboundSocketCanOnlyBeBoundOrConnected) {
  start_with_all();
  const uint32_t socket = tcp_socket();
  EXPECT_EQ(call(mayfly_wasi2_tcp_finish_bind, socket), NetworkError::kNotInProgress);
  EXPECT_EQ(call(mayfly_wasi2_tcp_finish_connect, socket, 4), NetworkError::kNotInProgress);
  EXPECT_EQ(call(mayfly_wasi2_tcp_start_listen, socket), NetworkError::kInvalidState);
  EXPECT_EQ(call(mayfly_wasi2_tcp_finish_listen, socket), NetworkError::kNotInProgress);
  EXPECT_EQ(call(mayfly_wasi2_tcp_accept, socket, 4), NetworkError::kInvalidState);
  EXPECT_EQ(shutdown({socket, 0, 0}, kBoth), NetworkError::kInvalidState);
  EXPECT_EQ(call(mayfly_wasi2_tcp_local_address, socket, 4), NetworkError::kInvalidState);
  EXPECT_EQ(call(mayfly_wasi2_tcp_remote_address, socket, 4), NetworkError::kInvalidState);
  EXPECT_EQ(mayfly_wasi2_tcp_is_listening(transfer(), state(), socket), 0U);
}

TEST_F(Wasi2Tcp, AListeningSocketIsNotBoundOrConnectedAgain) {
  start_with_all();
  const uint32_t socket = listener();
  EXPECT_EQ(mayfly_wasi2_tcp_is_listening(transfer(), state(), socket), 1U);
  EXPECT_EQ(start_bind(socket, loopback(0)), NetworkError::kInvalidState);
  EXPECT_EQ(start_connect(socket, loopback(80)), NetworkError::kInvalidState);
  EXPECT_EQ(call(mayfly_wasi2_tcp_start_listen, socket), NetworkError::kInvalidState);
  EXPECT_EQ(call(mayfly_wasi2_tcp_accept, socket, 4), NetworkError::kWouldBlock);
  EXPECT_EQ(call(mayfly_wasi2_tcp_remote_address, socket, 4), NetworkError::kInvalidState);
}

TEST_F(Wasi2Tcp, WhatIsStartedIsFinishedBeforeAnythingElseStarts) {
  start_with_all();
  const uint32_t socket = tcp_socket();
  EXPECT_EQ(start_bind(socket, loopback(0)), kNone);
  EXPECT_EQ(start_bind(socket, loopback(0)), NetworkError::kConcurrencyConflict);
  EXPECT_EQ(start_connect(socket, loopback(80)), NetworkError::kConcurrencyConflict);
  EXPECT_EQ(call(mayfly_wasi2_tcp_start_listen, socket), NetworkError::kConcurrencyConflict);
}

TEST_F(Wasi2Tcp, AddressesThatAreNobodysAreInvalid) {
  start_with_all();
  const uint32_t socket = tcp_socket();
  EXPECT_EQ(start_connect(socket, ipv4(0, 0, 0, 0, 80)), NetworkError::kInvalidArgument);
  EXPECT_EQ(start_connect(socket, loopback(0)), NetworkError::kInvalidArgument);
  EXPECT_EQ(start_connect(socket, ipv4(224, 0, 0, 1, 80)), NetworkError::kInvalidArgument);
  EXPECT_EQ(start_connect(socket, ipv4(255, 255, 255, 255, 80)), NetworkError::kInvalidArgument);
  EXPECT_EQ(start_connect(socket, loopback_of(kIpv6, 80)), NetworkError::kInvalidArgument);
  EXPECT_EQ(start_bind(socket, ipv4(224, 0, 0, 1, 0)), NetworkError::kInvalidArgument);
  EXPECT_EQ(start_bind(socket, ipv4(192, 0, 2, 0, 0)), NetworkError::kAddressNotBindable);
}

TEST_F(Wasi2Tcp, AnIpv4AddressInsideAnIpv6OneIsInvalid) {
  start_with_all();
  const uint32_t socket = tcp_socket(kIpv6);
  const FlatAddress mapped{1, {80, 0, 0, 0, 0, 0, 0, 0xFFFF, 0x7F00, 1, 0}};
  const FlatAddress compatible{1, {80, 0, 0, 0, 0, 0, 0, 0, 0x7F00, 1, 0}};
  EXPECT_EQ(start_connect(socket, mapped), NetworkError::kInvalidArgument);
  EXPECT_EQ(start_connect(socket, compatible), NetworkError::kInvalidArgument);
  EXPECT_EQ(start_bind(socket, mapped), NetworkError::kInvalidArgument);
}

TEST_F(Wasi2Tcp, NothingIsAllowedWithoutAGrant) {
  start();
  const uint32_t socket = tcp_socket();
  EXPECT_EQ(start_connect(socket, loopback(80)), NetworkError::kAccessDenied);
  EXPECT_EQ(start_bind(socket, loopback(0)), NetworkError::kAccessDenied);
  EXPECT_EQ(start_bind(socket, ipv4(0, 0, 0, 0, 0)), NetworkError::kAccessDenied);
}

TEST_F(Wasi2Tcp, AGrantToConnectIsForItsAddressAndPort) {
  config_.network.tcp_connect = {"127.0.0.1:1", "[::1]:1", "10.0.0.0/8:5-6"};
  start();
  EXPECT_EQ(start_connect(tcp_socket(), loopback(2)), NetworkError::kAccessDenied);
  EXPECT_EQ(start_connect(tcp_socket(), ipv4(127, 0, 0, 2, 1)), NetworkError::kAccessDenied);
  EXPECT_EQ(start_connect(tcp_socket(), ipv4(11, 0, 0, 1, 5)), NetworkError::kAccessDenied);
  EXPECT_EQ(start_connect(tcp_socket(), ipv4(10, 0, 0, 1, 7)), NetworkError::kAccessDenied);
  // Nobody is there, but it may be tried.
  Connection connection;
  EXPECT_EQ(connect(tcp_socket(), loopback(1), &connection), NetworkError::kConnectionRefused);
  EXPECT_EQ(connect(tcp_socket(kIpv6), loopback_of(kIpv6, 1), &connection),
            NetworkError::kConnectionRefused);
  FlatAddress scoped = loopback_of(kIpv6, 1);
  scoped.fields[10] = 1;
  EXPECT_EQ(start_connect(tcp_socket(kIpv6), scoped), NetworkError::kAccessDenied);
}

TEST_F(Wasi2Tcp, WhoMayOnlyConnectHasAPortAndDoesNotListen) {
  config_.network.tcp_connect = {"127.0.0.1:1"};
  start();
  const uint32_t socket = tcp_socket();
  EXPECT_EQ(start_bind(socket, loopback(8080)), NetworkError::kAccessDenied);
  EXPECT_EQ(start_bind(socket, loopback(0)), kNone);
  EXPECT_EQ(call(mayfly_wasi2_tcp_finish_bind, socket), kNone);
  EXPECT_EQ(call(mayfly_wasi2_tcp_start_listen, socket), NetworkError::kAccessDenied);
}

TEST_F(Wasi2Tcp, WhoMayListenDoesNotConnect) {
  config_.network.tcp_listen = {"127.0.0.1:0"};
  start();
  const uint32_t socket = listener();
  EXPECT_EQ(start_connect(tcp_socket(), loopback(port_of(socket))), NetworkError::kAccessDenied);
  EXPECT_EQ(start_bind(tcp_socket(), ipv4(0, 0, 0, 0, 0)), NetworkError::kAccessDenied);
}

TEST_F(Wasi2Tcp, AFailedConnectionLeavesTheSocketClosed) {
  start_with_all();
  Connection connection;
  const uint32_t socket = tcp_socket();
  EXPECT_EQ(connect(socket, loopback(1), &connection), NetworkError::kConnectionRefused);
  EXPECT_EQ(start_connect(socket, loopback(1)), NetworkError::kInvalidState);
  EXPECT_EQ(call(mayfly_wasi2_tcp_local_address, socket, 4), NetworkError::kInvalidState);
}

TEST_F(Wasi2Tcp, ClientAndServerTalk) {
  start_with_all();
  for (const uint32_t family : {kIpv4, kIpv6}) {
    const Pair pair = connected(family);
    EXPECT_EQ(call(mayfly_wasi2_tcp_remote_address, pair.client.socket, 4), kNone);
    EXPECT_EQ(mayfly_wasi2_socket_family(transfer(), state(), pair.server.socket), family);
    std::string text;
    EXPECT_TRUE(read(pair.server.input, 100, &text, false).is_ok());
    EXPECT_EQ(text, "");
    EXPECT_GT(check_write(pair.client.output), 1000);
    EXPECT_TRUE(write(pair.client.output, "ping").is_ok());
    EXPECT_TRUE(read(pair.server.input, 100, &text).is_ok());
    EXPECT_EQ(text, "ping");
    EXPECT_TRUE(write_and_flush(pair.server.output, "pong").is_ok());
    EXPECT_TRUE(read(pair.client.input, 100, &text).is_ok());
    EXPECT_EQ(text, "pong");
    drop(pair.client);
    EXPECT_TRUE(read(pair.server.input, 100, &text).is_closed);
    EXPECT_TRUE(read(pair.server.input, 0, &text).is_closed);
  }
}

TEST_F(Wasi2Tcp, OneDirectionIsShutAndTheOtherGoesOn) {
  start_with_all();
  const Pair pair = connected();
  EXPECT_TRUE(write_and_flush(pair.client.output, "all").is_ok());
  EXPECT_GT(check_write(pair.client.output), 0);
  EXPECT_EQ(shutdown(pair.client, kSend), kNone);
  EXPECT_EQ(shutdown(pair.client, kSend), kNone);
  EXPECT_TRUE(write(pair.client.output, "x").is_closed);
  EXPECT_EQ(check_write(pair.client.output), -1);
  reset_transfer();
  EXPECT_TRUE(outcome(mayfly_wasi2_flush(transfer(), state(), pair.client.output)).is_closed);
  std::string text;
  EXPECT_TRUE(read(pair.server.input, 100, &text).is_ok());
  EXPECT_EQ(text, "all");
  EXPECT_TRUE(read(pair.server.input, 100, &text).is_closed);
  EXPECT_TRUE(write_and_flush(pair.server.output, "answer").is_ok());
  EXPECT_TRUE(read(pair.client.input, 100, &text).is_ok());
  EXPECT_EQ(text, "answer");
}

TEST_F(Wasi2Tcp, WhatHasComeIsGoneOnceReceivingIsShut) {
  start_with_all();
  const Pair pair = connected();
  EXPECT_TRUE(write_and_flush(pair.server.output, "unread").is_ok());
  block(mayfly_wasi2_subscribe_read(transfer(), state(), pair.client.input));
  EXPECT_EQ(shutdown(pair.client, kReceive), kNone);
  std::string text;
  EXPECT_TRUE(read(pair.client.input, 10, &text, false).is_closed);
  EXPECT_TRUE(read(pair.client.input, 0, &text, false).is_closed);
}

TEST_F(Wasi2Tcp, WhatIsPermittedIsTakenWithoutWaitingAndNotLost) {
  start_with_all();
  const Pair pair = connected();
  reset_transfer();
  EXPECT_EQ(error_of(mayfly_wasi2_set_send_buffer(transfer(), state(), pair.client.socket, 1024)),
            kNone);
  const int64_t permitted = check_write(pair.client.output);
  ASSERT_GT(permitted, 4096);
  guest_->set_deadline(std::chrono::steady_clock::now() + std::chrono::seconds(20));
  EXPECT_TRUE(write(pair.client.output, std::string(static_cast<size_t>(permitted), 'x')).is_ok());
  EXPECT_EQ(shutdown(pair.client, kSend), kNone);
  size_t total = 0;
  std::string text;
  while (read(pair.server.input, 65536, &text).is_ok()) total += text.size();
  EXPECT_EQ(total, static_cast<size_t>(permitted));
}

TEST_F(Wasi2Tcp, AFullSocketPermitsNothingUntilItsPeerReads) {
  start_with_all();
  const Pair pair = connected();
  reset_transfer();
  mayfly_wasi2_set_send_buffer(transfer(), state(), pair.client.socket, 1024);
  size_t written = 0;
  for (int64_t permitted = 0; (permitted = check_write(pair.client.output)) > 0;) {
    EXPECT_TRUE(
        write(pair.client.output, std::string(static_cast<size_t>(permitted), 'x')).is_ok());
    written += static_cast<size_t>(permitted);
    ASSERT_LT(written, size_t{64} << 20);
  }
  const uint32_t room = mayfly_wasi2_subscribe_write(transfer(), state(), pair.client.output);
  EXPECT_EQ(mayfly_wasi2_pollable_ready(transfer(), state(), room), 0U);
  std::string text;
  size_t total = 0;
  while (total < written && read(pair.server.input, 65536, &text).is_ok()) total += text.size();
  EXPECT_EQ(total, written);
  block(room);
  EXPECT_GT(check_write(pair.client.output), 0);
}

TEST_F(Wasi2Tcp, AResetConnectionHasAnErrorOfTheNetwork) {
  start_with_all();
  const Pair pair = connected();
  EXPECT_TRUE(write_and_flush(pair.client.output, "unread").is_ok());
  block(mayfly_wasi2_subscribe_read(transfer(), state(), pair.server.input));
  drop(pair.server);  // with bytes unread, which resets it
  block(mayfly_wasi2_subscribe_read(transfer(), state(), pair.client.input));
  std::string text;
  const Outcome failed = read(pair.client.input, 10, &text);
  ASSERT_NE(failed.error, 0U);
  reset_transfer();
  const uint32_t code = mayfly_wasi2_network_error_code(transfer(), state(), failed.error);
  EXPECT_EQ(at<uint8_t>(code), 1);
  EXPECT_EQ(static_cast<NetworkError>(at<uint8_t>(code + 1)), NetworkError::kConnectionReset);
  EXPECT_EQ(at<uint8_t>(mayfly_wasi2_filesystem_error_code(transfer(), state(), failed.error)), 0);
  EXPECT_TRUE(read(pair.client.input, 10, &text).is_closed);
}

TEST_F(Wasi2Tcp, OptionsAreKeptAndZeroIsNone) {
  start_with_all();
  const uint32_t socket = tcp_socket();
  const auto set = [&](auto function, auto value) {
    reset_transfer();
    return error_of(function(transfer(), state(), socket, value));
  };
  EXPECT_EQ(set(mayfly_wasi2_set_hop_limit, 0U), NetworkError::kInvalidArgument);
  EXPECT_EQ(set(mayfly_wasi2_set_hop_limit, 42U), kNone);
  EXPECT_EQ(at<uint8_t>(mayfly_wasi2_hop_limit(transfer(), state(), socket) + 1), 42);
  EXPECT_EQ(set(mayfly_wasi2_set_receive_buffer, uint64_t{0}), NetworkError::kInvalidArgument);
  EXPECT_EQ(set(mayfly_wasi2_set_receive_buffer, UINT64_MAX), kNone);
  EXPECT_EQ(set(mayfly_wasi2_set_send_buffer, uint64_t{0x10000}), kNone);
  EXPECT_EQ(at<uint64_t>(mayfly_wasi2_send_buffer(transfer(), state(), socket) + 8), 0x10000U);
  EXPECT_EQ(set(mayfly_wasi2_set_keep_alive, 1U), kNone);
  EXPECT_EQ(at<uint8_t>(mayfly_wasi2_keep_alive(transfer(), state(), socket) + 1), 1);
  EXPECT_EQ(set(mayfly_wasi2_set_keep_alive_idle, uint64_t{0}), NetworkError::kInvalidArgument);
  EXPECT_EQ(set(mayfly_wasi2_set_keep_alive_idle, uint64_t{1}), kNone);
  EXPECT_EQ(at<uint64_t>(mayfly_wasi2_keep_alive_idle(transfer(), state(), socket) + 8),
            1'000'000'000U);
  EXPECT_EQ(set(mayfly_wasi2_set_keep_alive_interval, UINT64_MAX), kNone);
  EXPECT_EQ(set(mayfly_wasi2_set_keep_alive_count, UINT32_MAX), kNone);
  EXPECT_EQ(at<uint32_t>(mayfly_wasi2_keep_alive_count(transfer(), state(), socket) + 4), 127U);
  EXPECT_EQ(set(mayfly_wasi2_tcp_set_backlog, uint64_t{0}), NetworkError::kInvalidArgument);
  EXPECT_EQ(set(mayfly_wasi2_tcp_set_backlog, UINT64_MAX), kNone);
}

TEST_F(Wasi2Tcp, SocketsCountAsOpenFiles) {
  config_.network.everything = true;
  config_.limits.open_files_max = 4;  // with the directory; the program has no standard streams
  start();
  for (int i = 0; i < 3; ++i) tcp_socket();
  reset_transfer();
  EXPECT_EQ(error_of(mayfly_wasi2_create_tcp_socket(transfer(), state(), kIpv4), 4),
            NetworkError::kNewSocketLimit);
}

TEST_F(Wasi2Tcp, ADroppedSocketIsClosedWhenItsStreamsAreGone) {
  start_with_all();
  const Pair pair = connected();
  mayfly_wasi2_drop_tcp_socket(transfer(), state(), pair.client.socket);
  mayfly_wasi2_drop_input_stream(transfer(), state(), pair.client.input);
  EXPECT_TRUE(write_and_flush(pair.client.output, "still").is_ok());
  mayfly_wasi2_drop_output_stream(transfer(), state(), pair.client.output);
  std::string text;
  EXPECT_TRUE(read(pair.server.input, 100, &text).is_ok());
  EXPECT_EQ(text, "still");
  EXPECT_TRUE(read(pair.server.input, 100, &text).is_closed);
}

TEST_F(Wasi2Tcp, AConnectThatNobodyAnswersEndsWithTheCall) {
  start_with_all();
  const uint32_t listening = listener();
  guest_->set_deadline(std::chrono::steady_clock::now() + std::chrono::milliseconds(50));
  const uint32_t pollable = mayfly_wasi2_tcp_subscribe(transfer(), state(), listening);
  reset_transfer();
  const auto started = std::chrono::steady_clock::now();
  EXPECT_EQ(mayfly_wasi2_pollable_ready(transfer(), state(), pollable), 0U);
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(10));
}

TEST_F(Wasi2Tcp, ManyPollablesOfManySocketsAreWaitedForAtOnce) {
  start_with_all();
  std::vector<Pair> pairs;
  std::vector<uint32_t> pollables;
  for (int i = 0; i < 20; ++i) {
    pairs.push_back(connected());
    for (int j = 0; j < 50; ++j) {
      pollables.push_back(
          mayfly_wasi2_subscribe_read(transfer(), state(), pairs.back().server.input));
    }
  }
  EXPECT_TRUE(write_and_flush(pairs[7].client.output, "x").is_ok());
  const std::vector<uint32_t> ready = poll(pollables);
  ASSERT_EQ(ready.size(), 50U);
  EXPECT_EQ(ready.front(), 350U);
}

}  // namespace
}  // namespace mayfly
