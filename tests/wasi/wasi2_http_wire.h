// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// For tests: wasi:http over the wire, against http_server.py, in short forms.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>

#include "base/fd.h"
#include "wasi2_http_program.h"

namespace mayfly {

// http_server.py, while the object lives; with a folder it speaks TLS, and ca.pem is there.
class HttpServer {
 public:
  explicit HttpServer(const std::string& tls_folder = "") {
    const char* const folder = tls_folder.empty() ? nullptr : tls_folder.c_str();
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    EXPECT_EQ(pipe2(in.data(), O_CLOEXEC), 0);
    EXPECT_EQ(pipe2(out.data(), O_CLOEXEC), 0);
    const Fd its_in(in[0]);
    Fd its_out(out[1]);
    child_ = fork();
    if (child_ == 0) {
      dup2(its_in.get(), 0);
      dup2(its_out.get(), 1);
      execlp("python3", "python3", MAYFLY_HTTP_SERVER, folder, nullptr);
      _exit(127);
    }
    its_out = Fd();
    end_ = Fd(in[1]);
    const Fd port(out[0]);
    char letter = 0;
    while (::read(port.get(), &letter, 1) == 1 && letter != '\n') port_ += letter;
  }
  ~HttpServer() {
    end_ = Fd();
    waitpid(child_, nullptr, 0);
  }
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  const std::string& port() const { return port_; }

 private:
  pid_t child_ = 0;
  Fd end_;
  std::string port_;
};

class Wasi2HttpWire : public Wasi2HttpProgram {
 protected:
  struct Response {
    int code = kOk;  // or an error-code
    uint32_t status = 0;
    Headers headers;
    uint32_t body = 0;  // incoming-body
  };

  static void SetUpTestSuite() { server = new HttpServer; }  // TIDY: allow(ownership) a suite's own
  static void TearDownTestSuite() {
    delete server;  // TIDY: allow(ownership) as above
    server = nullptr;
  }
  void SetUp() override {
    Wasi2HttpProgram::SetUp();
    authority_ = "127.0.0.1:" + server->port();
    config_.http.grants = {"127.0.0.1"};
  }
  uint32_t request_for(std::string_view path, uint32_t method = 0, const Headers& headers = {}) {
    const uint32_t request = new_request(fields_of(headers));
    EXPECT_TRUE(set_authority(request, authority_));
    EXPECT_TRUE(set_path(request, path));
    EXPECT_TRUE(set_method(request, method));
    EXPECT_TRUE(set_scheme(request, 0));
    return request;
  }
  uint32_t sent(uint32_t request, uint32_t options = 0) {
    uint32_t future = 0;
    EXPECT_EQ(handle(request, &future, options), kOk);
    return future;
  }
  Response response_of(uint32_t future) {
    const uint32_t pollable = mayfly_wasi2_subscribe_response(transfer(), state(), future);
    EXPECT_EQ(poll({pollable}), std::vector<uint32_t>{0});
    mayfly_wasi2_drop_pollable(transfer(), state(), pollable);
    reset_transfer();
    const uint32_t result = mayfly_wasi2_get_response(transfer(), state(), future);
    Response response;
    EXPECT_EQ(at<uint8_t>(result), 1);
    EXPECT_EQ(at<uint8_t>(result + 8), 0);
    const bool has_failed = at<uint8_t>(result + 16) != 0;
    response.code = has_failed ? at<uint8_t>(result + 24) : kOk;
    const uint32_t incoming = at<uint32_t>(result + 24);
    reset_transfer();
    const uint32_t again = mayfly_wasi2_get_response(transfer(), state(), future);
    EXPECT_EQ(at<uint8_t>(again + 8), 1);
    if (!has_failed) {
      response.status = mayfly_wasi2_incoming_response_status(transfer(), state(), incoming);
      const uint32_t view = mayfly_wasi2_incoming_response_headers(transfer(), state(), incoming);
      EXPECT_EQ(append(view, "a", "b"), kImmutable);
      response.headers = entries(view);
      drop_fields(view);
      reset_transfer();
      response.body = taken(mayfly_wasi2_incoming_response_consume(transfer(), state(), incoming));
      EXPECT_EQ(taken(mayfly_wasi2_incoming_response_consume(transfer(), state(), incoming)), 0U);
      mayfly_wasi2_drop_incoming_response(transfer(), state(), incoming);
    }
    mayfly_wasi2_drop_future_response(transfer(), state(), future);
    return response;
  }
  Response get(std::string_view path, const Headers& headers = {}) {
    return response_of(sent(request_for(path, 0, headers)));
  }
  int failure_of(std::string_view path) { return get(path).code; }
  uint32_t stream_of_response(const Response& response) {
    reset_transfer();
    return taken(mayfly_wasi2_incoming_body_stream(transfer(), state(), response.body));
  }
  // The whole body; `error` is how it ended when it did not end well.
  std::string text_of_body(const Response& response, Outcome* error = nullptr) {
    const uint32_t stream = stream_of_response(response);
    std::string text;
    std::string piece;
    Outcome outcome;
    while ((outcome = read(stream, 1 << 16, &piece)).is_ok()) text += piece;
    if (error != nullptr) *error = outcome;
    EXPECT_TRUE(error != nullptr || outcome.is_closed);
    mayfly_wasi2_drop_input_stream(transfer(), state(), stream);
    return text;
  }
  std::string body_of_path(std::string_view path) {
    const Response response = get(path);
    const std::string text = text_of_body(response);
    mayfly_wasi2_drop_incoming_body(transfer(), state(), response.body);
    return text;
  }
  // The error-code, or kOk and the trailers.
  int trailers_of(const Response& response, Headers* trailers) {
    const uint32_t future = mayfly_wasi2_incoming_body_finish(transfer(), state(), response.body);
    const uint32_t pollable = mayfly_wasi2_subscribe_trailers(transfer(), state(), future);
    EXPECT_EQ(poll({pollable}), std::vector<uint32_t>{0});
    mayfly_wasi2_drop_pollable(transfer(), state(), pollable);
    reset_transfer();
    const uint32_t result = mayfly_wasi2_get_trailers(transfer(), state(), future);
    EXPECT_EQ(at<uint8_t>(result), 1);
    EXPECT_EQ(at<uint8_t>(result + 8), 0);
    const int code = at<uint8_t>(result + 16) != 0 ? at<uint8_t>(result + 24) : kOk;
    if (code == kOk && at<uint8_t>(result + 24) != 0) {
      const uint32_t fields = at<uint32_t>(result + 28);
      *trailers = entries(fields);
      drop_fields(fields);
    }
    mayfly_wasi2_drop_future_trailers(transfer(), state(), future);
    return code;
  }
  uint32_t options(uint64_t first_byte, uint64_t between_bytes) {
    const uint32_t made = mayfly_wasi2_new_request_options(transfer(), state());
    mayfly_wasi2_set_first_byte_timeout(transfer(), state(), made, 1, first_byte);
    mayfly_wasi2_set_between_bytes_timeout(transfer(), state(), made, 1, between_bytes);
    return made;
  }
  uint32_t connect_options(uint64_t connect) {
    const uint32_t made = mayfly_wasi2_new_request_options(transfer(), state());
    mayfly_wasi2_set_connect_timeout(transfer(), state(), made, 1, connect);
    return made;
  }
  // For a query, whatever the bytes are.
  static std::string escaped(std::string_view text) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    std::string escapes;
    for (const char letter : text) {
      const auto byte = static_cast<uint8_t>(letter);
      escapes += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
    return escapes;
  }
  static bool has(const Headers& headers, const Header& header) {
    return std::ranges::find(headers, header) != headers.end();
  }

  static inline HttpServer* server = nullptr;
  std::string authority_;
};

}  // namespace mayfly
