// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// wasi:http over the wire, against http_server.py: the guest library, the ports and libcurl.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "wasi2_http_wire.h"

namespace mayfly {
namespace {

TEST_F(Wasi2HttpWire, AResponseHasItsStatusHeadersAndBody) {
  start();
  const Response response = get("/hello");
  EXPECT_EQ(response.status, 200U);
  EXPECT_TRUE(has(response.headers, {"X-Twice", "a"}));
  EXPECT_TRUE(has(response.headers, {"x-twice", "b"}));
  EXPECT_FALSE(has(response.headers, {"Keep-Alive", "timeout=5"}));
  EXPECT_EQ(text_of_body(response), "hello");
}

TEST_F(Wasi2HttpWire, TheRequestIsAsItWasMade) {
  start();
  const uint32_t request = request_for("/request?a=%20", 2, {{"X-A", "1"}, {"x-a", "2"}});
  const uint32_t body = body_of(request);
  const uint32_t stream = stream_of(body);
  EXPECT_TRUE(write(stream, "").is_ok());
  EXPECT_TRUE(write_and_flush(stream, "some text").is_ok());
  mayfly_wasi2_drop_output_stream(transfer(), state(), stream);
  EXPECT_EQ(finish(body), kOk);
  const std::string seen = text_of_body(response_of(sent(request)));
  for (const char* part :
       {R"("method": "POST")", R"("path": "/request?a=%20")", R"(["X-A", "1"])", R"(["x-a", "2"])",
        R"("body": "some text")", R"(["Content-Length", "9"])"}) {
    EXPECT_NE(seen.find(part), std::string::npos) << part << " in " << seen;
  }
  EXPECT_EQ(seen.find("User-Agent"), std::string::npos) << seen;
}

TEST_F(Wasi2HttpWire, ABodyIsStreamedWithTrailersAfterTheStart) {
  start();
  const uint32_t request = request_for("/request");
  EXPECT_TRUE(set_method(request, 9, "PURGE"));
  const uint32_t body = body_of(request);
  const uint32_t stream = stream_of(body);
  EXPECT_TRUE(write_and_flush(stream, "before ").is_ok());
  const uint32_t future = sent(request);
  EXPECT_TRUE(write_and_flush(stream, "after").is_ok());
  mayfly_wasi2_drop_output_stream(transfer(), state(), stream);
  EXPECT_EQ(finish(body, fields_of({{"X-Sum", "12"}})), kOk);
  const std::string seen = text_of_body(response_of(future));
  for (const char* part : {R"("method": "PURGE")", R"("body": "before after")",
                           R"("trailers": ["X-Sum: 12"])", R"(["Transfer-Encoding", "chunked"])"}) {
    EXPECT_NE(seen.find(part), std::string::npos) << part << " in " << seen;
  }
}

TEST_F(Wasi2HttpWire, TrailersComeAfterTheBodyOrInsteadOfIt) {
  start();
  Response response = get("/trailers");
  EXPECT_EQ(text_of_body(response), "abc");
  Headers trailers;
  EXPECT_EQ(trailers_of(response, &trailers), kOk);
  EXPECT_EQ(trailers, (Headers{{"X-Sum", "6"}, {"x-more", "yes"}}));
  response = get("/large?3000000");
  trailers.clear();
  EXPECT_EQ(trailers_of(response, &trailers), kOk);
  EXPECT_TRUE(trailers.empty());
}

TEST_F(Wasi2HttpWire, LargeBodiesPassInBothDirections) {
  start();
  constexpr size_t kBytes = 8 << 20;
  EXPECT_EQ(body_of_path("/large?" + std::to_string(kBytes)).size(), kBytes);
  const uint32_t request = request_for("/count", 3);
  const uint32_t body = body_of(request);
  const uint32_t stream = stream_of(body);
  const uint32_t future = sent(request);
  const uint32_t pollable = mayfly_wasi2_subscribe_write(transfer(), state(), stream);
  size_t left = kBytes;
  while (left != 0) {
    poll({pollable});
    const auto permitted = static_cast<size_t>(std::max<int64_t>(check_write(stream), 0));
    const size_t size = std::min(left, permitted);
    ASSERT_TRUE(write(stream, std::string(size, 'x')).is_ok());
    left -= size;
  }
  mayfly_wasi2_drop_pollable(transfer(), state(), pollable);
  mayfly_wasi2_drop_output_stream(transfer(), state(), stream);
  EXPECT_EQ(finish(body), kOk);
  EXPECT_EQ(text_of_body(response_of(future)), std::to_string(kBytes));
}

TEST_F(Wasi2HttpWire, HeadsWithoutBodiesAndInformationBefore) {
  start();
  const Response head = response_of(sent(request_for("/hello", 1)));
  EXPECT_EQ(head.status, 200U);
  EXPECT_EQ(text_of_body(head), "");
  const Response informed = get("/informed");
  EXPECT_EQ(informed.status, 200U);
  EXPECT_EQ(informed.headers, (Headers{{"Content-Length", "2"}, {"X-Final", "1"}}));
  EXPECT_EQ(get("/status?204").status, 204U);
  EXPECT_EQ(get("/nowhere").status, 404U);
}

TEST_F(Wasi2HttpWire, ARedirectIsTheProgramsToFollow) {
  start();
  const Response response = get("/redirect?http://localhost/");
  EXPECT_EQ(response.status, 302U);
  EXPECT_TRUE(has(response.headers, {"Location", "http://localhost/"}));
  authority_ = "localhost:" + server->port();
  uint32_t future = 0;
  EXPECT_EQ(handle(request_for("/hello"), &future), code(HttpError::kRequestDenied));
}

TEST_F(Wasi2HttpWire, ServersThatAreWrongAreErrors) {
  start();
  EXPECT_EQ(failure_of("/hangup"), code(HttpError::kConnectionTerminated));
  EXPECT_EQ(failure_of("/garbage"), code(HttpError::kProtocolError));
  EXPECT_EQ(failure_of("/headers?200"), code(HttpError::kResponseHeaderSectionSize));
  EXPECT_EQ(get("/headers?100").headers.size(), 101U);
  const Response cut = get("/cut");
  Outcome error;
  EXPECT_EQ(text_of_body(cut, &error), "first");
  EXPECT_EQ(http_code_of(error), code(HttpError::kResponseIncomplete));
  Headers trailers;
  EXPECT_EQ(trailers_of(cut, &trailers), code(HttpError::kResponseIncomplete));
  authority_ = "127.0.0.1:1";
  EXPECT_EQ(failure_of("/"), code(HttpError::kConnectionRefused));
}

TEST_F(Wasi2HttpWire, AStatusIsThreeDigits) {
  start();
  for (const char* line :
       {"HTTP/1.1 200", "HTTP/1.1 299 Fine", "HTTP/1.1 200 ", "HTTP/1.0 200 12 monkeys"}) {
    EXPECT_EQ(get("/status-line?" + escaped(line)).code, kOk) << line;
  }
  for (const char* line : {"HTTP/1.1 2", "HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 20x OK",
                           "HTTP/1.1 -20 OK", "HTTP/1.1 +20 OK", "HTTP/1.1 099 OK", "HTTP/1.1  200",
                           "HTTP/1.1\t200 OK", "HTTP/1.1", "HTTP/1.1 ", "HTTP 200 OK"}) {
    EXPECT_EQ(failure_of("/status-line?" + escaped(line)), code(HttpError::kProtocolError)) << line;
  }
  // In the middle of a head it is no field either.
  EXPECT_EQ(failure_of("/status-line?" + escaped("HTTP/1.1 201 OK\r\nHTTP/1.1 500 No")),
            code(HttpError::kProtocolError));
}

TEST_F(Wasi2HttpWire, FoldedLinesGoWithTheirField) {
  start();
  const Response response = get("/folded");
  const Headers kept = {{"X-Kept", "a b c"}, {"X-Last", "z"}};
  EXPECT_EQ(response.headers, kept);
  EXPECT_EQ(text_of_body(response), "ok");
  Headers trailers;
  EXPECT_EQ(trailers_of(response, &trailers), kOk);
  EXPECT_EQ(trailers, kept);
}

TEST_F(Wasi2HttpWire, NamesThatLeadToPrivateAddressesAreProhibited) {
  // libcurl itself answers for names beneath localhost: as DNS would that was turned around.
  config_.http.grants = {"rebound.localhost", "*.localhost", "*"};
  start();
  for (const char* name : {"rebound.localhost", "other.localhost", "127.0.0.1", "localhost",
                           "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254"}) {
    authority_ = name + (":" + server->port());
    EXPECT_EQ(failure_of("/hello"), code(HttpError::kDestinationIpProhibited)) << name;
  }
  config_.http.grants = {"localhost:" + server->port()};
  start();
  authority_ = "localhost:" + server->port();
  EXPECT_EQ(get("/hello").status, 200U);
}

TEST_F(Wasi2HttpWire, OptionsEndWhatTakesTooLong) {
  start();
  EXPECT_EQ(response_of(sent(request_for("/silent"), options(50'000'000, 50'000'000))).code,
            code(HttpError::kResponseTimeout));
  const Response stops =
      response_of(sent(request_for("/stops"), options(9'000'000'000, 50'000'000)));
  Outcome error;
  EXPECT_EQ(text_of_body(stops, &error), "first");
  EXPECT_EQ(http_code_of(error), code(HttpError::kConnectionReadTimeout));
}

TEST_F(Wasi2HttpWire, AskingDoesNotWait) {
  start();
  const uint32_t future = sent(request_for("/silent"));
  const uint32_t pollable = mayfly_wasi2_subscribe_response(transfer(), state(), future);
  EXPECT_EQ(mayfly_wasi2_pollable_ready(transfer(), state(), pollable), 0U);
  reset_transfer();
  EXPECT_EQ(at<uint8_t>(mayfly_wasi2_get_response(transfer(), state(), future)), 0);
}

TEST_F(Wasi2HttpWire, DropsInTheMiddleLeaveNothing) {
  start();
  for (int i = 0; i < 20; ++i) {
    const Response response = get("/large?10000000");
    const uint32_t stream = stream_of_response(response);
    std::string piece;
    EXPECT_TRUE(read(stream, 1000, &piece).is_ok());
    mayfly_wasi2_drop_input_stream(transfer(), state(), stream);
    mayfly_wasi2_drop_incoming_body(transfer(), state(), response.body);
    mayfly_wasi2_drop_future_response(transfer(), state(), sent(request_for("/silent")));
  }
  EXPECT_EQ(body_of_path("/hello"), "hello");
}

TEST_F(Wasi2HttpWire, ABodyThatIsDroppedFailsItsExchange) {
  start();
  const uint32_t request = request_for("/count", 2);
  const uint32_t body = body_of(request);
  const uint32_t future = sent(request);
  mayfly_wasi2_drop_outgoing_body(transfer(), state(), body);
  EXPECT_EQ(response_of(future).code, code(HttpError::kInternalError));
}

TEST_F(Wasi2HttpWire, OnlySoManyExchangesAreOpenAtOnce) {
  config_.http.exchanges_max = 2;
  start();
  const uint32_t one = sent(request_for("/hello"));
  const uint32_t two = sent(request_for("/hello"));
  uint32_t three = 0;
  EXPECT_EQ(handle(request_for("/hello"), &three), code(HttpError::kConnectionLimitReached));
  mayfly_wasi2_drop_future_response(transfer(), state(), one);
  EXPECT_EQ(response_of(two).status, 200U);
}

TEST_F(Wasi2HttpWire, ManyExchangesArePolledTogether) {
  start();
  std::vector<uint32_t> pollables;
  std::vector<uint32_t> futures;
  for (int i = 0; i < 10; ++i) {
    futures.push_back(sent(request_for("/hello")));
    for (int j = 0; j < 3; ++j) {
      pollables.push_back(mayfly_wasi2_subscribe_response(transfer(), state(), futures.back()));
    }
  }
  size_t ready = 0;
  while ((ready = poll(pollables).size()) != pollables.size()) EXPECT_EQ(ready % 3, 0U);
  for (const uint32_t future : futures) EXPECT_EQ(response_of(future).status, 200U);
}

TEST_F(Wasi2HttpWire, AStateIsSavedAndRestoredWithoutExchanges) {
  start();
  const auto state_before = guest_->context().save();
  ASSERT_TRUE(state_before.has_value());
  sent(request_for("/hello"));
  EXPECT_FALSE(guest_->context().save().has_value());
  EXPECT_TRUE(guest_->context().restore(state_before->get()).has_value());
  EXPECT_TRUE(guest_->context().save().has_value());
}

}  // namespace
}  // namespace mayfly
