// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How libcurl is told about an exchange, and what it calls. It follows no redirect, reads no file
// of its user's, takes no proxy from the environment and changes no body.
#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "wasi/curl_exchange.h"
#include "wasi/http_client.h"

namespace mayfly::wasi {
namespace {

CurlExchange& exchange_of(void* data) { return *static_cast<CurlExchange*>(data); }

size_t on_header(char* bytes, size_t size, size_t count, void* data) {
  return exchange_of(data).take_header({bytes, size * count});
}

size_t on_body(char* bytes, size_t size, size_t count, void* data) {
  return exchange_of(data).take_body({bytes, size * count});
}

size_t on_read(char* to, size_t size, size_t count, void* data) {
  return exchange_of(data).give_body(to, size * count);
}

int on_trailers(curl_slist** list, void* data) { return exchange_of(data).give_trailers(list); }

curl_socket_t on_open_socket(void* data, curlsocktype purpose, curl_sockaddr* address) {
  return exchange_of(data).open_socket(purpose, *address);
}

int on_connected(void* data, char* /*remote*/, char* /*local*/, int /*remote_port*/,
                 int /*local_port*/) {
  exchange_of(data).is_connected();
  return CURL_PREREQFUNC_OK;
}

// At least one: 0 is libcurl's word for no end.
long milliseconds(std::chrono::nanoseconds time) {
  constexpr std::chrono::nanoseconds kMost = std::chrono::hours(24 * 365);
  const auto rounded = std::chrono::ceil<std::chrono::milliseconds>(std::min(time, kMost));
  return std::max(static_cast<long>(rounded.count()), 1L);
}

// Servers want to know that there is no body where one is usual (rfc 9110 #field.content-length).
bool says_that_it_is_empty(const std::string& method) {
  return method == "POST" || method == "PUT" || method == "PATCH";
}

std::string line_of(const HttpField& field) {
  // libcurl's form of a field without a value.
  return field.value.empty() ? field.name + ";" : field.name + ": " + field.value;
}

}  // namespace

// SAFETY of all values: each has the type that curl.h gives for its option, as a long, an offset, a
// function or a pointer.
template <typename Value>
void CurlExchange::set(CURLoption option, Value value) {
  curl_.easy_setopt(easy_, option, value);
}

void CurlExchange::set_options() {
  const std::string scheme = request_.is_https ? "https" : "http";
  const std::string url = scheme + "://" + request_.target.authority() + "/";
  set(CURLOPT_URL, url.c_str());
  set(CURLOPT_REQUEST_TARGET, request_.path.c_str());
  set(CURLOPT_PROTOCOLS_STR, scheme.c_str());
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_PROXY, "");
  set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_QUICK_EXIT, 1L);  // the end of an exchange waits for no answer of DNS
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!client_.ca_file().empty()) set(CURLOPT_CAINFO, client_.ca_file().c_str());
  set(CURLOPT_BUFFERSIZE, 64L << 10);
  set(CURLOPT_ERRORBUFFER, error_text_.data());
  if (request_.timeouts.connect) {
    set(CURLOPT_CONNECTTIMEOUT_MS, milliseconds(*request_.timeouts.connect));
  }
  set_callbacks();
  set_body_options();
  set_headers();
}

void CurlExchange::set_callbacks() {
  set(CURLOPT_PRIVATE, this);
  set(CURLOPT_HEADERFUNCTION, &on_header);
  set(CURLOPT_HEADERDATA, this);
  set(CURLOPT_WRITEFUNCTION, &on_body);
  set(CURLOPT_WRITEDATA, this);
  set(CURLOPT_READFUNCTION, &on_read);
  set(CURLOPT_READDATA, this);
  set(CURLOPT_TRAILERFUNCTION, &on_trailers);
  set(CURLOPT_TRAILERDATA, this);
  set(CURLOPT_OPENSOCKETFUNCTION, &on_open_socket);
  set(CURLOPT_OPENSOCKETDATA, this);
  set(CURLOPT_PREREQFUNCTION, &on_connected);
  set(CURLOPT_PREREQDATA, this);
}

void CurlExchange::set_body_options() {
  const bool is_open = request_.body == HttpBody::kOpen;
  const bool has_trailers = !request_.trailers.empty();
  if (request_.method == "HEAD") {
    set(CURLOPT_NOBODY, 1L);
    out_.clear();
  } else if (is_open || has_trailers || !out_.empty() || says_that_it_is_empty(request_.method)) {
    set(CURLOPT_UPLOAD, 1L);
    // What the program sends cannot be sent again over another connection.
    set(CURLOPT_FRESH_CONNECT, is_open ? 1L : 0L);
    curl_off_t size = -1;
    if (is_open && request_.content_length) {
      size = static_cast<curl_off_t>(std::min(*request_.content_length, uint64_t{INT64_MAX}));
    } else if (!is_open && !has_trailers) {
      size = static_cast<curl_off_t>(out_.size());
    }
    set(CURLOPT_INFILESIZE_LARGE, size);
  } else {
    set(CURLOPT_HTTPGET, 1L);
  }
  set(CURLOPT_CUSTOMREQUEST, request_.method.c_str());
}

void CurlExchange::set_headers() {
  const auto has = [this](std::string_view name) {
    return std::ranges::any_of(request_.headers, [name](const HttpField& field) {
      return is_same_name(field.name, name);
    });
  };
  // What libcurl would add by itself.
  for (const char* name : {"Accept", "Expect"}) {
    if (!has(name)) headers_ = curl_.slist_append(headers_, (std::string(name) + ":").c_str());
  }
  for (const HttpField& field : request_.headers) {
    headers_ = curl_.slist_append(headers_, line_of(field).c_str());
  }
  set(CURLOPT_HTTPHEADER, headers_);
}

int CurlExchange::give_trailers(curl_slist** list) {
  for (const HttpField& field : request_.trailers) {
    *list = curl_.slist_append(*list, (field.name + ": " + field.value).c_str());
  }
  return CURL_TRAILERFUNC_OK;
}

// Whatever DNS has said, this is the address that is connected to.
curl_socket_t CurlExchange::open_socket(curlsocktype purpose, const curl_sockaddr& address) {
  const auto ip = IpAddress::of(&address.addr, address.addrlen);
  if (purpose != CURLSOCKTYPE_IPCXN || !ip ||
      !client_.grants().allows_address(request_.target, *ip)) {
    ++addresses_denied_;
    return CURL_SOCKET_BAD;
  }
  ++sockets_opened_;
  return ::socket(address.family, address.socktype | SOCK_CLOEXEC, address.protocol);
}

}  // namespace mayfly::wasi
