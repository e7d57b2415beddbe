// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// HTTP between guest and host: error codes, fields as bytes, and the requests at the ports kHttp...
// (wasi_ports.h). An exchange is a request and its response; its handle is one of the host's table.
// The bodies are read and written at kRead and kWrite, waited for at kPoll, and kClose ends it all.
//
// Fields are entries one after the other: a FieldSizes, the name, the value, without gaps.
#pragma once

#include <cstddef>
#include <cstdint>

#include "guest_abi/wasi_ports.h"

namespace mayfly::guest_abi {

// wasi:http/types.error-code, in the order of its WIT.
enum class HttpError : uint8_t {
  kDnsTimeout,
  kDnsError,
  kDestinationNotFound,
  kDestinationUnavailable,
  kDestinationIpProhibited,
  kDestinationIpUnroutable,
  kConnectionRefused,
  kConnectionTerminated,
  kConnectionTimeout,
  kConnectionReadTimeout,
  kConnectionWriteTimeout,
  kConnectionLimitReached,
  kTlsProtocolError,
  kTlsCertificateError,
  kTlsAlertReceived,
  kRequestDenied,
  kRequestLengthRequired,
  kRequestBodySize,
  kRequestMethodInvalid,
  kRequestUriInvalid,
  kRequestUriTooLong,
  kRequestHeaderSectionSize,
  kRequestHeaderSize,
  kRequestTrailerSectionSize,
  kRequestTrailerSize,
  kResponseIncomplete,
  kResponseHeaderSectionSize,
  kResponseHeaderSize,
  kResponseBodySize,
  kResponseTrailerSectionSize,
  kResponseTrailerSize,
  kResponseTransferCoding,
  kResponseContentCoding,
  kResponseTimeout,
  kUpgradeFailed,
  kProtocolError,
  kLoopDetected,
  kConfigurationError,
  kInternalError,
};
inline constexpr uint32_t kHttpErrors = static_cast<uint32_t>(HttpError::kInternalError) + 1;

struct FieldSizes {
  uint32_t name_bytes;
  uint32_t value_bytes;
};

// Of all fields of a message together, as bytes.
inline constexpr uint32_t kHttpFieldsBytesMax = 128 << 10;
// What of a body is sent with the start of the exchange at most.
inline constexpr uint32_t kHttpFirstBytesMax = 64 << 10;
// When a body's stream is ready to be written to, it takes as much without waiting.
inline constexpr uint32_t kHttpRoomBytes = 16 << 10;
inline constexpr uint32_t kHttpMethodBytesMax = 64;
inline constexpr uint32_t kHttpAuthorityBytesMax = 300;
inline constexpr uint32_t kHttpPathBytesMax = 32 << 10;
inline constexpr uint64_t kHttpNoTimeout = UINT64_MAX;

// What of the request's body there is when the exchange starts.
enum class HttpBody : uint32_t {
  kNone = 0,
  kOpen = 1,   // more comes, at kWrite, until kHttpFinish
  kWhole = 2,  // with trailers
};

// Errors: kIo, and `code` says why; kMFile.
struct HttpStartRequest {
  // in
  WasiRange method;
  WasiRange authority;
  WasiRange path;  // and query; empty: "/"
  WasiRange headers;
  WasiRange first_bytes;  // of the body
  WasiRange trailers;
  uint64_t connect_timeout_ns;
  uint64_t first_byte_timeout_ns;
  uint64_t between_bytes_timeout_ns;
  uint32_t is_https;
  uint32_t body;  // HttpBody
  // out
  uint32_t error;
  uint32_t code;  // HttpError
  uint32_t handle;
  uint32_t reserved;
};

enum class HttpPart : uint32_t { kHead = 0, kTrailers = 1, kFailure = 2 };

// What has come. Asking for trailers, or waiting for them, gives up what is left of the body.
// Errors: kAgain, it is not there yet; kNameTooLong, it has `bytes`; kIo: `code` says why, and `to`
// has `bytes` of a message for people.
struct HttpTakeRequest {
  // in
  uint32_t handle;
  uint32_t part;  // HttpPart
  WasiRange to;
  // out
  uint32_t error;
  uint32_t code;    // HttpError
  uint32_t status;  // of the head
  uint32_t reserved;
  uint64_t bytes;
};

// The end of the request's body: as it should be, or in the middle, and then the exchange fails.
// Errors: kIo, and `code` says why.
struct HttpFinishRequest {
  // in
  uint32_t handle;
  uint32_t is_whole;
  WasiRange trailers;
  // out
  uint32_t error;
  uint32_t code;  // HttpError
};

static_assert(sizeof(FieldSizes) == 8);
static_assert(sizeof(HttpStartRequest) == 144 && offsetof(HttpStartRequest, error) == 128);
static_assert(sizeof(HttpTakeRequest) == 48 && offsetof(HttpTakeRequest, error) == 24);
static_assert(sizeof(HttpFinishRequest) == 32 && offsetof(HttpFinishRequest, error) == 24);

}  // namespace mayfly::guest_abi
