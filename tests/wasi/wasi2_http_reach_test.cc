// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whom a request of wasi:http reaches, and whom it does not: certificates, names, addresses, time.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>

#include "wasi/listener_test.h"
#include "wasi2_http_wire.h"

namespace mayfly {
namespace {

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
