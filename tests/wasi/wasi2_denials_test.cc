// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An address or a name that a component was refused comes with the flag that would allow it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wasi2_socket_program.h"

namespace mayfly {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Wasi2Denials : public Wasi2SocketProgram {
 protected:
  void listen_and_start() {
    config_.denied = [this](std::string_view line) { said_.emplace_back(line); };
    start();
  }
  NetworkError resolve(std::string_view name) {
    const uint32_t text = put(name);
    return error_of(
        mayfly_wasi2_resolve_addresses(transfer(), state(), network(), text, size(name)), 4);
  }
  std::vector<std::string> said_;
};

TEST_F(Wasi2Denials, NameTheAddressAndItsFlag) {
  listen_and_start();
  EXPECT_EQ(start_connect(tcp_socket(), loopback(80)), NetworkError::kAccessDenied);
  EXPECT_EQ(start_connect(tcp_socket(kIpv6), loopback_of(kIpv6, 80)), NetworkError::kAccessDenied);
  EXPECT_EQ(start_bind(tcp_socket(), loopback(0)), NetworkError::kAccessDenied);
  EXPECT_EQ(start_udp_bind(udp_socket(), loopback(53)), NetworkError::kAccessDenied);
  EXPECT_THAT(said_, ElementsAre(HasSubstr("denied: connecting to 127.0.0.1:80 is not granted; "
                                           "--tcp 127.0.0.1:80 would allow it\n"),
                                 HasSubstr("--tcp [::1]:80 would allow it"),
                                 HasSubstr("--tcp-listen 127.0.0.1:0 would allow it"),
                                 HasSubstr("--udp-listen 127.0.0.1:53 would allow it")));
}

TEST_F(Wasi2Denials, NameWhereDatagramsWouldHaveGone) {
  config_.network.udp_listen = {"127.0.0.1:*"};
  listen_and_start();
  const Datagrams client = bound_datagrams(loopback(0));
  EXPECT_EQ(send(client, "x", loopback(9)), NetworkError::kAccessDenied);
  EXPECT_THAT(said_, ElementsAre(HasSubstr("datagrams to 127.0.0.1:9 is not granted; "
                                           "--udp 127.0.0.1:9 would allow it")));
}

TEST_F(Wasi2Denials, NameWhatWouldHaveBeenLookedUp) {
  listen_and_start();
  EXPECT_EQ(resolve("example.com"), NetworkError::kAccessDenied);
  EXPECT_THAT(said_, ElementsAre(HasSubstr("looking up \"example.com\" is not granted; "
                                           "--allow-dns would allow it")));
}

TEST_F(Wasi2Denials, AreNotWhatIsGranted) {
  config_.network.tcp_listen = {"127.0.0.1:*"};
  config_.network.tcp_connect = {"127.0.0.1:*"};
  listen_and_start();
  connected();
  EXPECT_THAT(said_, IsEmpty());
}

}  // namespace
}  // namespace mayfly
