// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// HttpRequest: what a program asks for, as far as it is right. Everything in it was checked:
// nothing of it can become another line, header or host on the wire.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "guest_abi/http.h"
#include "guest_abi/http_syntax.h"
#include "wasi/http_grants.h"

namespace mayfly::wasi {

using guest_abi::HttpBody;
using guest_abi::HttpError;
using guest_abi::is_field_value;
using guest_abi::is_forbidden_field;
using guest_abi::is_request_target;
using guest_abi::is_same_name;
using guest_abi::is_token;

struct HttpField {
  std::string name;
  std::string value;
};
using HttpFields = std::vector<HttpField>;

// From the bytes that guest_abi/http.h describes. nullopt: they are not that, or a name or value is
// not HTTP's, or a name is forbidden.
std::optional<HttpFields> parse_fields(std::string_view bytes);
// To such bytes.
std::string bytes_of_fields(const HttpFields& fields);
uint64_t bytes_of_field(const HttpField& field);

struct HttpTimeouts {
  std::optional<std::chrono::nanoseconds> connect;
  std::optional<std::chrono::nanoseconds> first_byte;
  std::optional<std::chrono::nanoseconds> between_bytes;
};

struct HttpRequest {
  std::string method;
  bool is_https = false;
  HttpTarget target;
  std::string path;  // and query
  HttpFields headers;
  HttpBody body = HttpBody::kNone;
  std::optional<uint64_t> content_length;  // of the headers, which do not have it any more
  std::string first_bytes;
  HttpFields trailers;
  HttpTimeouts timeouts;
};

// The parts of a request as a guest gave them.
struct HttpRequestParts {
  std::string method;
  std::string authority;
  std::string path;
  std::string headers;
  std::string first_bytes;
  std::string trailers;
  bool is_https = false;
  HttpBody body = HttpBody::kNone;
};
// Why it cannot be sent; nullopt: it can, and is in `request`.
std::optional<HttpError> make_request(HttpRequestParts parts, HttpRequest* request);

}  // namespace mayfly::wasi
