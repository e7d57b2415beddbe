// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// HTTP exchanges at their ports.
#include "wasi/http_ports.h"

#include <utility>

#include "wasi/buffers.h"
#include "wasi/http_client.h"

namespace mayfly::wasi {
namespace {

namespace p1 = guest_abi::wasi;

Errno find_exchange(PortCall& call, uint32_t number, HttpExchange** exchange) {
  const Handle* const handle = call.find(number);
  if (handle == nullptr || handle->exchange == nullptr) return Errno::kBadF;
  *exchange = handle->exchange.get();
  return Errno::kSuccess;
}

struct TextLimit {
  guest_abi::WasiRange range;
  uint64_t bytes_max;
  HttpError error;  // when it is longer
  std::string HttpRequestParts::* to;
};

// nullopt: all of it is there.
Result<std::optional<HttpError>> read_parts(PortCall& call,
                                            const guest_abi::HttpStartRequest& request,
                                            HttpRequestParts* parts) {
  const TextLimit limits[] = {
      {request.method, guest_abi::kHttpMethodBytesMax, HttpError::kRequestMethodInvalid,
       &HttpRequestParts::method},
      {request.authority, guest_abi::kHttpAuthorityBytesMax, HttpError::kRequestUriInvalid,
       &HttpRequestParts::authority},
      {request.path, guest_abi::kHttpPathBytesMax, HttpError::kRequestUriTooLong,
       &HttpRequestParts::path},
      {request.headers, guest_abi::kHttpFieldsBytesMax, HttpError::kRequestHeaderSectionSize,
       &HttpRequestParts::headers},
      {request.first_bytes, guest_abi::kHttpFirstBytesMax, HttpError::kRequestBodySize,
       &HttpRequestParts::first_bytes},
      {request.trailers, guest_abi::kHttpFieldsBytesMax, HttpError::kRequestTrailerSectionSize,
       &HttpRequestParts::trailers},
  };
  for (const TextLimit& limit : limits) {
    if (limit.range.bytes > limit.bytes_max) return std::optional(limit.error);
    parts->*limit.to = MAYFLY_TRY(read_text(call, limit.range, limit.bytes_max));
  }
  parts->is_https = request.is_https != 0;
  if (request.body > static_cast<uint32_t>(HttpBody::kWhole)) {
    return invalid("an HTTP request with a body of kind " + std::to_string(request.body));
  }
  parts->body = static_cast<HttpBody>(request.body);
  return std::optional<HttpError>();
}

std::optional<std::chrono::nanoseconds> timeout_of(uint64_t nanoseconds) {
  if (nanoseconds == guest_abi::kHttpNoTimeout) return std::nullopt;
  constexpr uint64_t kMost = uint64_t{365} * 86'400 * 1'000'000'000;
  return std::chrono::nanoseconds(static_cast<int64_t>(std::min(nanoseconds, kMost)));
}

PortAnswer refuse(guest_abi::HttpStartRequest& request, HttpError code) {
  request.code = static_cast<uint32_t>(code);
  return Errno::kIo;
}

// The client, which there is from the first request on.
Result<HttpClient*> client_of(PortCall& call) {
  auto& http = call.program.http;
  if (http == nullptr) {
    http =
        MAYFLY_TRY(HttpClient::create(call.program.http_grants, call.program.http_config.ca_file));
  }
  return http.get();
}

uint32_t open_exchanges(PortCall& call) {
  uint32_t count = 0;
  for (uint32_t number = 0; number < call.program.handles.size(); ++number) {
    const Handle* const handle = call.find(number);
    count += handle != nullptr && handle->exchange != nullptr ? 1 : 0;
  }
  return count;
}

// Until the exchange is ready: at once, or after as long as it takes. kAgain, kIntr: it is not.
Errno wait_until(PortCall& call, HttpExchange& exchange, uint16_t event, uint16_t fd_flags) {
  call.program.http->progress();
  if (exchange.is_ready(event)) return Errno::kSuccess;
  if ((fd_flags & p1::kFdNonblock) != 0) return Errno::kAgain;
  std::vector<pollfd> none;
  return wait_with_exchanges(call, none, std::nullopt,
                             [&exchange, event] { return exchange.is_ready(event); })
      .error;
}

}  // namespace

PortAnswer start_exchange(PortCall& call, guest_abi::HttpStartRequest& request) {
  HttpRequestParts parts;
  if (const auto wrong = MAYFLY_TRY(read_parts(call, request, &parts))) {
    return refuse(request, *wrong);
  }
  HttpRequest made;
  if (const auto wrong = make_request(std::move(parts), &made)) return refuse(request, *wrong);
  if (!call.program.http_grants.allows(made.target)) {
    return refuse(request, HttpError::kRequestDenied);
  }
  if (call.program.handles.is_full() ||
      open_exchanges(call) >= call.program.http_config.exchanges_max) {
    return Errno::kMFile;
  }
  made.timeouts = {timeout_of(request.connect_timeout_ns),
                   timeout_of(request.first_byte_timeout_ns),
                   timeout_of(request.between_bytes_timeout_ns)};
  const uint64_t bytes = made.method.size() + made.path.size() + request.headers.bytes +
                         made.first_bytes.size() + request.trailers.bytes;
  MAYFLY_TRY(check_output(call, bytes));
  const auto client = client_of(call);
  if (!client) return refuse(request, HttpError::kConfigurationError);
  auto exchange = (*client)->start(std::move(made));
  if (!exchange) return refuse(request, HttpError::kConfigurationError);
  count_output(call, bytes);
  Handle handle;
  handle.exchange = *std::move(exchange);
  request.handle = call.program.handles.add(std::move(handle));
  return Errno::kSuccess;
}

PortAnswer take_of_exchange(PortCall& call, guest_abi::HttpTakeRequest& request) {
  HttpExchange* exchange = nullptr;
  MAYFLY_ERRNO_TRY(find_exchange(call, request.handle, &exchange));
  if (request.part > static_cast<uint32_t>(guest_abi::HttpPart::kFailure)) return Errno::kInval;
  call.program.http->progress();
  HttpExchange::Part part = exchange->take(static_cast<guest_abi::HttpPart>(request.part));
  request.code = static_cast<uint32_t>(part.code);
  request.status = part.status;
  request.bytes = part.text.size();
  if (part.error == Errno::kIo && part.text.size() > request.to.bytes) {
    part.text.resize(request.to.bytes);
    request.bytes = part.text.size();
  }
  if (part.text.size() > request.to.bytes) return Errno::kNameTooLong;
  MAYFLY_TRY(write_text(call, request.to.address, part.text));
  count_input(call, part.text.size());
  return part.error;
}

PortAnswer finish_request_body(PortCall& call, guest_abi::HttpFinishRequest& request) {
  HttpExchange* exchange = nullptr;
  MAYFLY_ERRNO_TRY(find_exchange(call, request.handle, &exchange));
  const bool is_small = request.trailers.bytes <= guest_abi::kHttpFieldsBytesMax;
  std::optional<HttpFields> trailers;
  if (is_small) {
    trailers =
        parse_fields(MAYFLY_TRY(read_text(call, request.trailers, guest_abi::kHttpFieldsBytesMax)));
  }
  if (!trailers) {
    request.code = static_cast<uint32_t>(is_small ? HttpError::kProtocolError
                                                  : HttpError::kRequestTrailerSectionSize);
    exchange->finish(false, {});
    return Errno::kIo;
  }
  MAYFLY_TRY(check_output(call, request.trailers.bytes));
  count_output(call, request.trailers.bytes);
  exchange->finish(request.is_whole != 0, *std::move(trailers));
  call.program.http->progress();
  return Errno::kSuccess;
}

PortAnswer read_exchange(PortCall& call, Handle& handle, guest_abi::WasiTransferRequest& request) {
  const std::vector<iovec> buffers = MAYFLY_TRY(buffers_of(call, request));
  HttpExchange& exchange = *handle.exchange;
  MAYFLY_ERRNO_TRY(wait_until(call, exchange, guest_abi::kWasiPollRead, request.fd_flags));
  const HttpExchange::Moved moved = exchange.read(buffers);
  request.bytes = moved.bytes;
  count_input(call, moved.bytes);
  return moved.error;
}

PortAnswer write_exchange(PortCall& call, Handle& handle, guest_abi::WasiTransferRequest& request) {
  const std::vector<iovec> buffers = MAYFLY_TRY(buffers_of(call, request));
  MAYFLY_TRY(check_output(call, bytes_of(buffers)));
  HttpExchange& exchange = *handle.exchange;
  MAYFLY_ERRNO_TRY(wait_until(call, exchange, guest_abi::kWasiPollWrite, request.fd_flags));
  const HttpExchange::Moved moved = exchange.write(buffers);
  request.bytes = moved.bytes;
  count_output(call, moved.bytes);
  call.program.http->progress();
  return moved.error;
}

WaitResult wait_with_exchanges(PortCall& call, std::vector<pollfd>& fds,
                               std::optional<std::chrono::nanoseconds> timeout,
                               const std::function<bool()>& is_ready) {
  if (call.program.http == nullptr) return wait_for(fds, timeout, call.context);
  return call.program.http->wait(fds, timeout, call.context, is_ready);
}

}  // namespace mayfly::wasi
