// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whom a request of wasi:http reaches, and whom it does not: certificates, names, addresses, time.
#include <gtest/gtest.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>
#include <memory>
#include <string>

#include "wasi/listener_test.h"
#include "wasi2_http_wire.h"

namespace mayfly {
namespace {

using namespace std::chrono_literals;

class Wasi2HttpTls : public Wasi2HttpWire {
 protected:
  void SetUp() override {
    Wasi2HttpWire::SetUp();
    tls_server_ = std::make_unique<HttpServer>(root_.string());
    authority_ = "localhost:" + tls_server_->port();
    config_.http.grants = {"localhost", "127.0.0.1"};
    config_.http.ca_file = (root_ / "ca.pem").string();
  }
  Response get_over_tls(std::string_view target) {
    const uint32_t request = request_for(target);
    EXPECT_TRUE(set_scheme(request, 1));
    return response_of(sent(request));
  }

  std::unique_ptr<HttpServer> tls_server_;
};

TEST_F(Wasi2HttpTls, AServerIsWhoItsCertificateSays) {
  start();
  const Response response = get_over_tls("/hello");
  EXPECT_EQ(response.status, 200U);
  EXPECT_EQ(text_of_body(response), "hello");
}

TEST_F(Wasi2HttpTls, ACertificateForAnotherNameIsRefused) {
  start();
  authority_ = "127.0.0.1:" + tls_server_->port();
  EXPECT_EQ(get_over_tls("/hello").code, code(HttpError::kTlsCertificateError));
}

TEST_F(Wasi2HttpTls, AnUnknownAuthorityIsRefused) {
  config_.http.ca_file = "";  // the system's
  start();
  EXPECT_EQ(get_over_tls("/hello").code, code(HttpError::kTlsCertificateError));
}

TEST_F(Wasi2HttpTls, CertificatesThatCannotBeReadTrustNobody) {
  config_.http.ca_file = (root_ / "nothing.pem").string();
  start();
  EXPECT_EQ(get_over_tls("/hello").code, code(HttpError::kConfigurationError));
}

TEST_F(Wasi2HttpTls, AServerWithoutTlsIsAnError) {
  start();
  authority_ = "localhost:" + server->port();
  EXPECT_EQ(get_over_tls("/hello").code, code(HttpError::kTlsProtocolError));
}

TEST_F(Wasi2HttpTls, AServerThatGoesAwayEndsNothingButItsExchange) {
  start();
  const uint32_t request = request_for("/hangup", 2);
  EXPECT_TRUE(set_scheme(request, 1));
  const uint32_t body = body_of(request);
  const uint32_t stream = stream_of(body);
  const uint32_t future = sent(request);
  const std::string piece(4096, 'x');
  while (write_and_flush(stream, piece).is_ok()) {
  }
  mayfly_wasi2_drop_output_stream(transfer(), state(), stream);
  mayfly_wasi2_drop_outgoing_body(transfer(), state(), body);
  EXPECT_EQ(response_of(future).code, code(HttpError::kConnectionTerminated));
}

TEST_F(Wasi2HttpWire, ARedirectToAPrivateAddressIsRefusedWhenItIsFollowed) {
  config_.http.grants = {"127.0.0.1", "*"};
  start();
  EXPECT_EQ(get("/redirect?http://10.0.0.1/").status, 302U);
  authority_ = "10.0.0.1";
  EXPECT_EQ(failure_of("/"), code(HttpError::kDestinationIpProhibited));
}

TEST_F(Wasi2HttpWire, ANameThatNobodyKnowsIsAnErrorOfDns) {
  config_.http.grants = {"nobody.invalid"};
  start();
  authority_ = "nobody.invalid";
  const std::array<int, 2> either = {code(HttpError::kDnsError),
                                     code(HttpError::kDnsTimeout)};  // where no server answers
  const int failure = response_of(sent(request_for("/"), connect_options(500'000'000))).code;
  EXPECT_NE(std::ranges::find(either, failure), either.end()) << failure;
}

TEST_F(Wasi2HttpWire, ConnectingEndsWithItsTime) {
  start();
  wasi::LoopbackListener full(0);
  const std::array<Fd, 4> waiting = {full.connect(), full.connect(), full.connect(),
                                     full.connect()};
  authority_ = full.authority();
  const Response response = response_of(sent(request_for("/"), connect_options(100'000'000)));
  EXPECT_EQ(response.code, code(HttpError::kConnectionTimeout));
}

TEST_F(Wasi2HttpWire, WaitingUsesNoProcessor) {
  start();
  const Response unread = get("/large?10000000");
  EXPECT_EQ(unread.status, 200U);
  const uint32_t request = request_for("/count", 2);
  const uint32_t unfinished = body_of(request);
  const uint32_t upload = sent(request);
  const auto used = [] {
    timespec time{};
    EXPECT_EQ(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time), 0);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
  };
  const auto before = used();
  const uint32_t silent = sent(request_for("/silent"), options(500'000'000, 500'000'000));
  EXPECT_EQ(response_of(silent).code, code(HttpError::kResponseTimeout));
  EXPECT_LT(used() - before, 100ms);
  mayfly_wasi2_drop_outgoing_body(transfer(), state(), unfinished);
  mayfly_wasi2_drop_future_response(transfer(), state(), upload);
}

TEST_F(Wasi2HttpWire, AProgramThatEndsLeavesNoDescriptor) {
  const auto descriptors = [] {
    return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator());
  };
  start();
  EXPECT_EQ(get("/hello").status, 200U);  // what libcurl and TLS open once for all
  guest_.reset();
  const auto before = descriptors();
  start();
  for (int i = 0; i < 40; ++i) {
    sent(request_for("/silent"));
    EXPECT_EQ(get("/large?10000000").status, 200U);
    if (i % 4 == 0) start();
  }
  guest_.reset();
  EXPECT_EQ(descriptors(), before);
}

TEST_F(Wasi2HttpWire, BothBodiesAreStreamedAtTheSameTime) {
  start();
  const uint32_t request = request_for("/echo", 2);
  const uint32_t body = body_of(request);
  const uint32_t out = stream_of(body);
  const uint32_t future = sent(request);
  EXPECT_TRUE(write_and_flush(out, "first").is_ok());
  const Response response = response_of(future);
  const uint32_t in = stream_of_response(response);
  for (const char* text : {"first", "second", "third"}) {
    std::string piece;
    EXPECT_TRUE(read(in, 100, &piece).is_ok());
    EXPECT_EQ(piece, text);
    EXPECT_TRUE(write_and_flush(out, text == std::string("first") ? "second" : "third").is_ok());
  }
  mayfly_wasi2_drop_output_stream(transfer(), state(), out);
  EXPECT_EQ(finish(body), kOk);
  std::string rest;
  EXPECT_TRUE(read(in, 100, &rest).is_ok());
  EXPECT_EQ(rest, "third");
  EXPECT_TRUE(read(in, 100, &rest).is_closed);
}

}  // namespace
}  // namespace mayfly
