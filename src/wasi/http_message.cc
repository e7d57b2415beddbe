// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The guest library has checked the same before; here it counts.
#include "wasi/http_message.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace mayfly::wasi {
namespace {

constexpr std::string_view kContentLength = "content-length";

// Takes every content-length out of the headers. false: one is no number, or they differ.
bool take_content_length(HttpRequest& request) {
  for (const HttpField& field : request.headers) {
    if (!is_same_name(field.name, kContentLength)) continue;
    uint64_t length = 0;
    const char* const end = field.value.data() + field.value.size();
    const auto [stop, error] = std::from_chars(field.value.data(), end, length);
    if (field.value.empty() || error != std::errc() || stop != end) return false;
    if (request.content_length.value_or(length) != length) return false;
    request.content_length = length;
  }
  std::erase_if(request.headers,
                [](const HttpField& field) { return is_same_name(field.name, kContentLength); });
  return true;
}

std::optional<HttpError> check_line(const HttpRequestParts& parts) {
  if (parts.method.size() > guest_abi::kHttpMethodBytesMax || !is_token(parts.method) ||
      parts.method == "CONNECT") {
    return HttpError::kRequestMethodInvalid;
  }
  if (parts.path.size() > guest_abi::kHttpPathBytesMax) return HttpError::kRequestUriTooLong;
  if (!is_request_target(parts.path)) return HttpError::kRequestUriInvalid;
  return std::nullopt;
}

// A body has the size that the headers say.
std::optional<HttpError> check_body(const HttpRequest& request) {
  if (!request.content_length || request.body == HttpBody::kOpen) return std::nullopt;
  const uint64_t size = request.body == HttpBody::kNone ? 0 : request.first_bytes.size();
  if (*request.content_length != size) return HttpError::kRequestBodySize;
  return std::nullopt;
}

}  // namespace

uint64_t bytes_of_field(const HttpField& field) {
  return sizeof(guest_abi::FieldSizes) + field.name.size() + field.value.size();
}

std::optional<HttpFields> parse_fields(std::string_view bytes) {
  HttpFields fields;
  while (!bytes.empty()) {
    guest_abi::FieldSizes sizes{};
    if (bytes.size() < sizeof sizes) return std::nullopt;
    std::memcpy(&sizes, bytes.data(), sizeof sizes);
    bytes.remove_prefix(sizeof sizes);
    if (sizes.name_bytes > bytes.size() || sizes.value_bytes > bytes.size() - sizes.name_bytes) {
      return std::nullopt;
    }
    HttpField field{std::string(bytes.substr(0, sizes.name_bytes)),
                    std::string(bytes.substr(sizes.name_bytes, sizes.value_bytes))};
    if (!is_token(field.name) || !is_field_value(field.value) || is_forbidden_field(field.name)) {
      return std::nullopt;
    }
    fields.push_back(std::move(field));
    bytes.remove_prefix(size_t{sizes.name_bytes} + sizes.value_bytes);
  }
  return fields;
}

std::string bytes_of_fields(const HttpFields& fields) {
  std::string bytes;
  for (const HttpField& field : fields) {
    const guest_abi::FieldSizes sizes{static_cast<uint32_t>(field.name.size()),
                                      static_cast<uint32_t>(field.value.size())};
    std::array<char, sizeof sizes> head{};
    std::memcpy(head.data(), &sizes, sizeof sizes);
    bytes.append(head.data(), head.size());
    bytes += field.name;
    bytes += field.value;
  }
  return bytes;
}

std::optional<HttpError> make_request(HttpRequestParts parts, HttpRequest* request) {
  if (const auto wrong = check_line(parts)) return wrong;
  constexpr uint16_t kHttpPort = 80, kHttpsPort = 443;
  auto target = parse_authority(parts.authority, parts.is_https ? kHttpsPort : kHttpPort);
  if (!target) return HttpError::kRequestUriInvalid;
  auto headers = parse_fields(parts.headers);
  auto trailers = parse_fields(parts.trailers);
  if (!headers || !trailers) return HttpError::kProtocolError;
  request->method = std::move(parts.method);
  request->is_https = parts.is_https;
  request->target = std::move(*target);
  request->path = std::move(parts.path);
  if (!request->path.starts_with('/') && request->path != "*") request->path.insert(0, 1, '/');
  request->headers = std::move(*headers);
  request->trailers = std::move(*trailers);
  request->body = parts.body;
  request->first_bytes = std::move(parts.first_bytes);
  if (!take_content_length(*request)) return HttpError::kProtocolError;
  return check_body(*request);
}

}  // namespace mayfly::wasi
