// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// libcurl's errors in the words of wasi:http.
#include <cerrno>

#include "wasi/curl_exchange.h"

namespace mayfly::wasi {

HttpError CurlExchange::code_of_connect() const {
  if (addresses_denied_ != 0 && sockets_opened_ == 0) return HttpError::kDestinationIpProhibited;
  long error = 0;
  curl_.easy_getinfo(easy_, CURLINFO_OS_ERRNO, &error);
  switch (error) {
    case ECONNREFUSED:
      return HttpError::kConnectionRefused;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case EADDRNOTAVAIL:
      return HttpError::kDestinationIpUnroutable;
    case ETIMEDOUT:
      return HttpError::kConnectionTimeout;
    case EMFILE:
    case ENFILE:
      return HttpError::kConnectionLimitReached;
    default:
      return HttpError::kDestinationUnavailable;
  }
}

// Only connecting has a time of libcurl's.
HttpError CurlExchange::code_of_time() const {
  curl_off_t looked_up_us = 0;
  curl_.easy_getinfo(easy_, CURLINFO_NAMELOOKUP_TIME_T, &looked_up_us);
  if (looked_up_us == 0) return HttpError::kDnsTimeout;
  return connected_at_ ? HttpError::kConnectionReadTimeout : HttpError::kConnectionTimeout;
}

HttpError CurlExchange::code_of(CURLcode result) const {
  switch (result) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return HttpError::kDnsError;
    case CURLE_COULDNT_CONNECT:
      return code_of_connect();
    case CURLE_OPERATION_TIMEDOUT:
      return code_of_time();
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_INVALIDCERTSTATUS:
      return HttpError::kTlsCertificateError;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER:
      return HttpError::kTlsProtocolError;
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_ENGINE_SETFAILED:
      return HttpError::kConfigurationError;
    case CURLE_PARTIAL_FILE:
      return HttpError::kResponseIncomplete;
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_SEND_FAIL_REWIND:
      return head_is_there_ ? HttpError::kResponseIncomplete : HttpError::kConnectionTerminated;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_HTTP2:
      return HttpError::kProtocolError;
    case CURLE_BAD_CONTENT_ENCODING:
      return HttpError::kResponseContentCoding;
    case CURLE_URL_MALFORMAT:
      return HttpError::kRequestUriInvalid;
    default:
      return HttpError::kInternalError;
  }
}

}  // namespace mayfly::wasi
