// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The HTTP ports as a hostile guest calls them, and waits that end with their call.
#include <gtest/gtest.h>

#include <chrono>
#include <cstring>

#include "wasi/listener_test.h"
#include "wasi/program_test.h"

namespace mayfly::wasi {
namespace {

using guest_abi::HttpFinishRequest;
using guest_abi::HttpStartRequest;
using guest_abi::HttpTakeRequest;
using guest_abi::WasiPort;
using namespace std::chrono_literals;

class HttpPortsTest : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    WasiConfig config = ProgramTest::config();
    config.http.grants = {"127.0.0.1", "example.org"};
    config.limits.open_files_max = 8;
    start(config);
  }
  HttpStartRequest request_to(std::string_view authority, std::string_view path = "/") {
    HttpStartRequest request{};
    request.method = put("GET", 0);
    request.authority = put(authority, 16);
    request.path = put(path, 400);
    request.connect_timeout_ns = request.first_byte_timeout_ns = request.between_bytes_timeout_ns =
        guest_abi::kHttpNoTimeout;
    return request;
  }
  int code_of(HttpStartRequest request) {
    EXPECT_EQ(call(WasiPort::kHttpStart, request), Errno::kIo);
    return static_cast<int>(request.code);
  }
  static int code(HttpError error) { return static_cast<int>(error); }
  uint32_t open() {
    HttpStartRequest request = request_to(server_.authority());
    EXPECT_EQ(call(WasiPort::kHttpStart, request), Errno::kSuccess);
    return request.handle;
  }
  guest_abi::WasiRange put_field(std::string_view name, std::string_view value) {
    const guest_abi::FieldSizes sizes{static_cast<uint32_t>(name.size()),
                                      static_cast<uint32_t>(value.size())};
    std::string bytes(sizeof sizes, ' ');
    std::memcpy(bytes.data(), &sizes, sizeof sizes);
    return put(bytes + std::string(name) + std::string(value), 1000);
  }

  LoopbackListener server_{16};
};
INSTANTIATE_TEST_SUITE_P(Methods, HttpPortsTest, testing::Values(ResolveMethod::kOpenat2));

TEST_P(HttpPortsTest, WhatCouldBecomeSomethingElseOnTheWireIsRefused) {
  for (const char* path : {"/a b", "/a\r\nHost: b", "/a#b", "/\x7f"}) {
    EXPECT_EQ(code_of(request_to("example.org", path)), code(HttpError::kRequestUriInvalid))
        << path;
  }
  for (const char* authority : {"", "a@example.org", "example.org/", "example.org\r\n", "127.1"}) {
    EXPECT_EQ(code_of(request_to(authority)), code(HttpError::kRequestUriInvalid)) << authority;
  }
  for (const char* method : {"", "G T", "GET\r\n", "CONNECT"}) {
    HttpStartRequest request = request_to("example.org");
    request.method = put(method, 0);
    EXPECT_EQ(code_of(request), code(HttpError::kRequestMethodInvalid)) << method;
  }
  HttpStartRequest request = request_to("example.org");
  request.headers = put_field("a", "b\r\nc: d");
  EXPECT_EQ(code_of(request), code(HttpError::kProtocolError));
  request.headers = put_field("Host", "other.example");
  EXPECT_EQ(code_of(request), code(HttpError::kProtocolError));
  request.headers = put_field("content-length", "-1");
  EXPECT_EQ(code_of(request), code(HttpError::kProtocolError));
  request.headers = put_field("content-length", "5");
  EXPECT_EQ(code_of(request), code(HttpError::kRequestBodySize));
  request.headers = put("abc", 1000);
  EXPECT_EQ(code_of(request), code(HttpError::kProtocolError));
}

TEST_P(HttpPortsTest, LongTextsAreRefusedBeforeTheyAreRead) {
  HttpStartRequest request = request_to("example.org");
  request.path = room(UINT64_MAX);
  EXPECT_EQ(code_of(request), code(HttpError::kRequestUriTooLong));
  request = request_to("example.org");
  request.headers = room(guest_abi::kHttpFieldsBytesMax + 1);
  EXPECT_EQ(code_of(request), code(HttpError::kRequestHeaderSectionSize));
  request = request_to("example.org");
  request.path = {0, 8};
  EXPECT_FALSE(try_call(WasiPort::kHttpStart, request).has_value());
  request = request_to("example.org");
  request.body = 3;
  EXPECT_FALSE(try_call(WasiPort::kHttpStart, request).has_value());
}

TEST_P(HttpPortsTest, OnlyGrantedServersAreAsked) {
  EXPECT_EQ(code_of(request_to("example.com")), code(HttpError::kRequestDenied));
  EXPECT_EQ(code_of(request_to("10.0.0.1")), code(HttpError::kRequestDenied));
}

TEST_P(HttpPortsTest, ADenialNamesTheFlag) {
  std::vector<std::string> said;
  WasiConfig config = ProgramTest::config();
  config.denied = [&said](std::string_view line) { said.emplace_back(line); };
  start(config);
  EXPECT_EQ(code_of(request_to("example.com:81")), code(HttpError::kRequestDenied));
  EXPECT_EQ(code_of(request_to("a b")), code(HttpError::kRequestUriInvalid));
  EXPECT_EQ(said, std::vector<std::string>{"mayfly: denied: HTTP to \"example.com:81\" is not "
                                           "granted; --http example.com:81 would allow it\n"});
}

TEST_P(HttpPortsTest, OtherHandlesAreNoExchangesAndExchangesNoFiles) {
  HttpTakeRequest take{};
  take.handle = kRoot;
  EXPECT_EQ(call(WasiPort::kHttpTake, take), Errno::kBadF);
  HttpFinishRequest finish{};
  finish.handle = 77;
  EXPECT_EQ(call(WasiPort::kHttpFinish, finish), Errno::kBadF);
  const uint32_t exchange = open();
  take.handle = exchange;
  take.part = 9;
  EXPECT_EQ(call(WasiPort::kHttpTake, take), Errno::kInval);
  guest_abi::WasiStatRequest stat{};
  stat.handle = exchange;
  EXPECT_EQ(call(WasiPort::kStat, stat), Errno::kBadF);
  guest_abi::WasiOpenRequest open{};
  open.directory = exchange;
  open.path = put("file");
  EXPECT_EQ(call(WasiPort::kOpen, open), Errno::kNotDir);
  guest_abi::WasiTransferRequest accept{};
  accept.handle = exchange;
  EXPECT_EQ(call(WasiPort::kReceive, accept), Errno::kNotSock);
}

TEST_P(HttpPortsTest, HandlesAreBounded) {
  for (int i = 0; i < 7; ++i) open();  // and the directory
  HttpStartRequest request = request_to(server_.authority());
  EXPECT_EQ(call(WasiPort::kHttpStart, request), Errno::kMFile);
}

TEST_P(HttpPortsTest, WaitsEndWithTheirCall) {
  const uint32_t exchange = open();
  const auto begin = std::chrono::steady_clock::now();
  deadline_ = begin + 50ms;
  guest_abi::WasiTransferRequest read{};
  read.handle = exchange;
  read.buffers_count = 1;
  read.buffers[0] = room(100);
  EXPECT_EQ(call(WasiPort::kRead, read), Errno::kIntr);
  const auto passed = std::chrono::steady_clock::now() - begin;
  EXPECT_GE(passed, 45ms);
  read.fd_flags = guest_abi::wasi::kFdNonblock;
  EXPECT_EQ(call(WasiPort::kRead, read), Errno::kAgain);
  guest_abi::WasiHandleRequest close{};
  close.handle = exchange;
  EXPECT_EQ(call(WasiPort::kClose, close), Errno::kSuccess);
}

TEST_P(HttpPortsTest, AWrongGrantIsAnErrorOfTheStart) {
  WasiConfig config = ProgramTest::config();
  config.http.grants = {"http://example.org"};
  EXPECT_FALSE(Context::create(config).has_value());
}

}  // namespace
}  // namespace mayfly::wasi
