// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// wasi:http/types without a wire: fields, messages and bodies, their rules and their ends.
#include <gtest/gtest.h>

#include "wasi2_http_program.h"

namespace mayfly {
namespace {

using guest::trap_of;
using guest_abi::ComponentTrap;

class Wasi2Http : public Wasi2HttpProgram {
 protected:
  void SetUp() override {
    Wasi2HttpProgram::SetUp();
    start();
  }
};

TEST_F(Wasi2Http, FieldsKeepOrderAndCaseAndCompareWithout) {
  const uint32_t fields = fields_of({{"X-One", "1"}, {"accept", "a"}, {"x-ONE", ""}});
  EXPECT_EQ(entries(fields), (Headers{{"X-One", "1"}, {"accept", "a"}, {"x-ONE", ""}}));
  EXPECT_EQ(get(fields, "x-one"), (std::vector<std::string>{"1", ""}));
  EXPECT_TRUE(has(fields, "ACCEPT"));
  EXPECT_FALSE(has(fields, "accep"));
  EXPECT_FALSE(has(fields, "not a name"));
  EXPECT_TRUE(get(fields, "not a name").empty());
}

TEST_F(Wasi2Http, SetReplacesAppendAddsDeleteRemoves) {
  const uint32_t fields = fields_of({{"a", "1"}, {"b", "2"}, {"A", "3"}});
  EXPECT_EQ(set(fields, "A", {"x", "y"}), kOk);
  EXPECT_EQ(entries(fields), (Headers{{"b", "2"}, {"A", "x"}, {"A", "y"}}));
  EXPECT_EQ(append(fields, "b", "4"), kOk);
  EXPECT_EQ(get(fields, "B"), (std::vector<std::string>{"2", "4"}));
  EXPECT_EQ(remove(fields, "a"), kOk);
  EXPECT_EQ(entries(fields), (Headers{{"b", "2"}, {"b", "4"}}));
  EXPECT_EQ(set(fields, "b", {}), kOk);
  EXPECT_TRUE(entries(fields).empty());
}

TEST_F(Wasi2Http, NamesAndValuesAreThoseOfHttp) {
  const uint32_t fields = new_fields();
  for (const char* name : {"", "a b", "a:b", "a\n", "\x7f", "\xC3\xA9", "(a)", "a@b"}) {
    EXPECT_EQ(append(fields, name, "x"), kInvalidSyntax) << name;
    EXPECT_EQ(set(fields, name, {"x"}), kInvalidSyntax) << name;
    EXPECT_EQ(remove(fields, name), kInvalidSyntax) << name;
  }
  for (const std::string& value :
       {std::string("a\r\nb: c"), std::string("a\n"), std::string("\0", 1), std::string("\x7f")}) {
    EXPECT_EQ(append(fields, "a", value), kInvalidSyntax);
    EXPECT_EQ(set(fields, "a", {"right", value}), kInvalidSyntax);
  }
  EXPECT_TRUE(entries(fields).empty());
  EXPECT_EQ(append(fields, "a!#$%&'*+-.^_`|~9", "\t \x80\xFF"), kOk);
}

TEST_F(Wasi2Http, WhatBelongsToTheConnectionIsForbidden) {
  const uint32_t fields = new_fields();
  for (const char* name :
       {"connection", "Keep-Alive", "proxy-authenticate", "proxy-authorization", "proxy-connection",
        "Transfer-Encoding", "upgrade", "HOST", "http2-settings"}) {
    EXPECT_EQ(append(fields, name, "x"), kForbidden) << name;
    EXPECT_EQ(set(fields, name, {"x"}), kForbidden) << name;
    uint32_t none = 0;
    EXPECT_EQ(from_list({{"a", "b"}, {name, "x"}}, &none), kForbidden) << name;
  }
}

TEST_F(Wasi2Http, FieldsOfAMessageAreImmutableAndTheirCloneIsNot) {
  const uint32_t request = new_request(fields_of({{"a", "1"}}));
  const uint32_t view = mayfly_wasi2_outgoing_request_headers(transfer(), state(), request);
  EXPECT_EQ(append(view, "b", "2"), kImmutable);
  EXPECT_EQ(set(view, "b", {"2"}), kImmutable);
  EXPECT_EQ(remove(view, "a"), kImmutable);
  const uint32_t clone = mayfly_wasi2_fields_clone(transfer(), state(), view);
  EXPECT_EQ(append(clone, "b", "2"), kOk);
  EXPECT_EQ(entries(view), (Headers{{"a", "1"}}));
  EXPECT_EQ(entries(clone), (Headers{{"a", "1"}, {"b", "2"}}));
}

TEST_F(Wasi2Http, FieldsEndTheCallPastTheirLimit) {
  const uint32_t fields = new_fields();
  const std::string value(32000, 'x');
  for (int i = 0; i < 4; ++i) EXPECT_EQ(append(fields, "a", value), kOk);
  EXPECT_EQ(trap_of([&] { append(fields, "a", value); }), ComponentTrap::kFieldsTooLarge);
}

TEST_F(Wasi2Http, AParentIsDroppedAfterItsChildren) {
  const uint32_t request = new_request(new_fields());
  const uint32_t view = mayfly_wasi2_outgoing_request_headers(transfer(), state(), request);
  const auto drop = [&] { mayfly_wasi2_drop_outgoing_request(transfer(), state(), request); };
  EXPECT_EQ(trap_of(drop), ComponentTrap::kChildrenRemain);
  drop_fields(view);
  const uint32_t body = body_of(request);
  const uint32_t stream = stream_of(body);
  EXPECT_EQ(trap_of([&] { finish(body); }), ComponentTrap::kChildrenRemain);
  EXPECT_EQ(trap_of([&] { mayfly_wasi2_drop_outgoing_body(transfer(), state(), body); }),
            ComponentTrap::kChildrenRemain);
  mayfly_wasi2_drop_output_stream(transfer(), state(), stream);
  EXPECT_EQ(finish(body), kOk);
  EXPECT_EQ(trap_of(drop), std::nullopt);
  EXPECT_EQ(trap_of(drop), ComponentTrap::kDamagedState);
}

TEST_F(Wasi2Http, ARequestSaysWhatItWasToldIfThatIsValid) {
  const uint32_t request = new_request(new_fields());
  EXPECT_TRUE(set_method(request, 2));
  EXPECT_TRUE(set_method(request, 9, "PURGE"));
  EXPECT_FALSE(set_method(request, 9, "a b"));
  EXPECT_FALSE(set_method(request, 9, ""));
  uint32_t method = mayfly_wasi2_outgoing_request_method(transfer(), state(), request);
  EXPECT_EQ(at<uint8_t>(method), 9);
  EXPECT_EQ(text_of(method + 4), "PURGE");
  EXPECT_TRUE(set_path(request, "/a?b=c%20d"));
  EXPECT_FALSE(set_path(request, "/a b"));
  EXPECT_FALSE(set_path(request, "/a\r\nx: y"));
  EXPECT_FALSE(set_path(request, "/a#b"));
  const uint32_t path = mayfly_wasi2_outgoing_request_path(transfer(), state(), request);
  EXPECT_EQ(at<uint8_t>(path), 1);
  EXPECT_EQ(text_of(path + 4), "/a?b=c%20d");
  EXPECT_TRUE(set_authority(request, "example.org:80"));
  EXPECT_FALSE(set_authority(request, "a/b"));
  EXPECT_FALSE(set_authority(request, ""));
  EXPECT_TRUE(set_scheme(request, 1));
  EXPECT_TRUE(set_scheme(request, 2, "ftp"));
  EXPECT_FALSE(set_scheme(request, 2, "f t"));
  EXPECT_EQ(mayfly_wasi2_set_path(transfer(), state(), request, 0, 0, 0), 0U);
  EXPECT_EQ(at<uint8_t>(mayfly_wasi2_outgoing_request_path(transfer(), state(), request)), 0);
  uint32_t future = 0;
  EXPECT_EQ(handle(request, &future), code(HttpError::kRequestUriInvalid));
}

TEST_F(Wasi2Http, ABodyIsTakenOnceAndKeepsToItsContentLength) {
  const uint32_t request = new_request(fields_of({{"Content-Length", "5"}}));
  const uint32_t body = body_of(request);
  EXPECT_EQ(body_of(request), 0U);
  const uint32_t stream = stream_of(body);
  EXPECT_EQ(stream_of(body), 0U);
  EXPECT_EQ(check_write(stream), 65536);
  EXPECT_TRUE(write(stream, "abc").is_ok());
  const Outcome too_long = write_and_flush(stream, "def");
  EXPECT_EQ(http_code_of(too_long), code(HttpError::kRequestBodySize));
  mayfly_wasi2_drop_output_stream(transfer(), state(), stream);
  EXPECT_EQ(finish(body), code(HttpError::kRequestBodySize));
  uint32_t future = 0;
  set_authority(request, "example.org");
  EXPECT_EQ(handle(request, &future), code(HttpError::kRequestBodySize));
}

TEST_F(Wasi2Http, ABodyThatIsNotSentTakesAsMuchAsItsBuffer) {
  const uint32_t request = new_request(new_fields());
  const uint32_t stream = stream_of(body_of(request));
  const uint32_t pollable = mayfly_wasi2_subscribe_write(transfer(), state(), stream);
  EXPECT_EQ(poll({pollable}), std::vector<uint32_t>{0});
  for (int i = 0; i < 16; ++i) {
    EXPECT_TRUE(write_and_flush(stream, std::string(4096, 'x')).is_ok());
  }
  EXPECT_EQ(check_write(stream), 0);
  EXPECT_EQ(mayfly_wasi2_pollable_ready(transfer(), state(), pollable), 0U);
  const Outcome full = write_and_flush(stream, "x");
  EXPECT_FALSE(full.is_ok());
  EXPECT_EQ(http_code_of(full), -1);
}

TEST_F(Wasi2Http, NoRequestIsSentWithoutAGrant) {
  const uint32_t request = new_request(new_fields());
  set_authority(request, "example.org");
  uint32_t future = 0;
  EXPECT_EQ(handle(request, &future), code(HttpError::kRequestDenied));
}

TEST_F(Wasi2Http, OptionsKeepTheirTimes) {
  const uint32_t options = mayfly_wasi2_new_request_options(transfer(), state());
  EXPECT_EQ(at<uint8_t>(mayfly_wasi2_connect_timeout(transfer(), state(), options)), 0);
  EXPECT_EQ(mayfly_wasi2_set_first_byte_timeout(transfer(), state(), options, 1, 5), 0U);
  const uint32_t time = mayfly_wasi2_first_byte_timeout(transfer(), state(), options);
  EXPECT_EQ(at<uint8_t>(time), 1);
  EXPECT_EQ(at<uint64_t>(time + 8), 5U);
  mayfly_wasi2_drop_request_options(transfer(), state(), options);
}

TEST_F(Wasi2Http, AResponseHasAStatusOfThreeDigits) {
  const uint32_t response = mayfly_wasi2_new_outgoing_response(transfer(), state(), new_fields());
  EXPECT_EQ(mayfly_wasi2_outgoing_response_status(transfer(), state(), response), 200U);
  EXPECT_EQ(mayfly_wasi2_set_status(transfer(), state(), response, 404), 0U);
  EXPECT_EQ(mayfly_wasi2_set_status(transfer(), state(), response, 99), 1U);
  EXPECT_EQ(mayfly_wasi2_set_status(transfer(), state(), response, 1000), 1U);
  EXPECT_EQ(mayfly_wasi2_outgoing_response_status(transfer(), state(), response), 404U);
  mayfly_wasi2_drop_outgoing_response(transfer(), state(), response);
}

TEST_F(Wasi2Http, WhatIsDroppedIsUsedAgain) {
  const auto once = [&] {
    const uint32_t request = new_request(fields_of({{"a", std::string(1000, 'x')}}));
    set_authority(request, "example.org");
    const uint32_t body = body_of(request);
    const uint32_t stream = stream_of(body);
    write_and_flush(stream, std::string(3000, 'x'));
    mayfly_wasi2_drop_output_stream(transfer(), state(), stream);
    EXPECT_EQ(finish(body, fields_of({{"t", "1"}})), kOk);
    mayfly_wasi2_drop_outgoing_request(transfer(), state(), request);
  };
  once();
  const uint64_t bytes = state()->bytes;
  for (int i = 0; i < 500; ++i) once();
  EXPECT_EQ(state()->bytes, bytes);
}

}  // namespace
}  // namespace mayfly
