// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// wasi:http/outgoing-handler, future-incoming-response, response-outparam, http-error-code.
#include "guest/wasi2/http_exchange.h"

#include "guest/wasi/port_call.h"
#include "guest/wasi2/http_body.h"
#include "guest/wasi2/http_fields.h"
#include "guest/wasi2/http_functions.h"
#include "guest/wasi2/poll.h"

namespace mayfly::guest {
namespace {

using guest_abi::WasiRange;

constexpr const char* kMethods[] = {"GET",     "HEAD",    "POST",  "PUT",  "DELETE",
                                    "CONNECT", "OPTIONS", "TRACE", "PATCH"};

TransferBytes text_of(const Call& call, const char* text) {
  uint32_t size = 0;
  while (text[size] != 0) ++size;
  const uint32_t address = call.transfer.reserve(size, 1);
  __builtin_memcpy(call.transfer.at(address, size), text, size);
  return {address, size};
}

WasiRange range_of(const Call& call, const HeapText& text) {
  return text.size == 0 ? WasiRange{}
                        : WasiRange{call.objects.heap().address(text.block), text.size};
}

WasiRange fields_range(const Call& call, uint32_t fields) {
  return fields == 0 ? WasiRange{} : range_of(call, bytes_of_fields(call.objects, fields));
}

WasiRange method_range(const Call& call, const Message& message) {
  if (message.method == kOtherMethod) return range_of(call, message.other_method);
  const TransferBytes text = text_of(call, kMethods[message.method]);
  return call.transfer.linear().range(text.address, text.size);
}

void put_body(const Call& call, uint32_t body, guest_abi::HttpStartRequest& request) {
  const auto& record =
      record_of<OutgoingBody>(call.objects, call.objects.get(body, ObjectKind::kOutgoingBody));
  const bool is_whole = record.state == OutgoingBody::kWhole;
  request.body =
      static_cast<uint32_t>(is_whole ? guest_abi::HttpBody::kWhole : guest_abi::HttpBody::kOpen);
  request.first_bytes = range_of(call, {record.buffer, record.buffered});
  request.trailers = fields_range(call, record.trailers);
}

// Whether the request can be sent at all: false fills the failure.
bool check_request(const Call& call, const Message& message, HttpFailure* failure) {
  failure->code = HttpError::kRequestUriInvalid;
  if (message.scheme == kOtherScheme || message.authority.block == 0) return false;
  failure->code = HttpError::kRequestBodySize;
  return message.body == 0 ||
         record_of<OutgoingBody>(call.objects,
                                 call.objects.get(message.body, ObjectKind::kOutgoingBody))
                 .state != OutgoingBody::kBroken;
}

// The host's handle of the exchange. false fills the failure.
bool start(const Call& call, const Message& message, const RequestOptions& options,
           uint32_t* handle, HttpFailure* failure) {
  if (!check_request(call, message, failure)) return false;
  const WasiRange method = method_range(call, message);
  auto& request = new_request<guest_abi::HttpStartRequest>();
  request.method = method;
  request.authority = range_of(call, message.authority);
  request.path = range_of(call, message.path);
  request.headers = fields_range(call, message.fields);
  request.is_https = message.scheme == 0 ? 0 : 1;
  if (message.body != 0) put_body(call, message.body, request);
  request.connect_timeout_ns = options.timeouts_ns[RequestOptions::kConnect];
  request.first_byte_timeout_ns = options.timeouts_ns[RequestOptions::kFirstByte];
  request.between_bytes_timeout_ns = options.timeouts_ns[RequestOptions::kBetweenBytes];
  const wasi::Errno error = call_port(guest_abi::WasiPort::kHttpStart, request);
  *handle = request.handle;
  failure->code = static_cast<HttpError>(request.code);
  if (error == wasi::Errno::kMFile) failure->code = HttpError::kConnectionLimitReached;
  return error == wasi::Errno::kSuccess;
}

// result<future-incoming-response, error-code>.
struct HandleResult {
  uint8_t is_error;
  union {
    uint32_t future;
    ErrorCodeValue error;
  };
};
static_assert(sizeof(HandleResult) == 40);

uint32_t new_future(const Call& call, uint32_t handle, uint32_t body) {
  Object exchange{};
  exchange.kind = ObjectKind::kHttpExchange;
  exchange.below = handle;
  const uint32_t number = call.objects.add(exchange);
  if (body != 0) attach_body(call, body, number);
  Object future{};
  future.kind = ObjectKind::kFutureResponse;
  future.below = number;
  const uint32_t made = call.objects.add(future);
  call.objects.release(number, ObjectKind::kHttpExchange);  // the others refer to it
  return made;
}

uint32_t handle_request(const Call& call, uint32_t request, uint32_t has_options,
                        uint32_t options) {
  const Message message =
      record_of<Message>(call.objects, call.objects.get(request, ObjectKind::kOutgoingRequest));
  RequestOptions timeouts;
  if (has_options != 0) {
    timeouts = record_of<RequestOptions>(call.objects,
                                         call.objects.get(options, ObjectKind::kRequestOptions));
  }
  HandleResult result{};
  HttpFailure failure;
  uint32_t handle = 0;
  if (start(call, message, timeouts, &handle, &failure)) {
    result.future = new_future(call, handle, message.body);
  } else {
    result.is_error = 1;
    result.error = error_value(failure);
  }
  call.objects.release(request, ObjectKind::kOutgoingRequest);
  if (has_options != 0) call.objects.release(options, ObjectKind::kRequestOptions);
  return call.transfer.allocate(result);
}

uint32_t new_response(const Call& call, uint32_t exchange, const Taken& taken) {
  const TransferBytes bytes = taken.fields;
  Message message;
  message.status = taken.status;
  message.fields = new_fields(call, call.transfer.at(bytes.address, bytes.size), bytes.size);
  Object response{};
  response.kind = ObjectKind::kIncomingResponse;
  response.below = exchange;
  response.position = call.objects.heap().create(message);
  return call.objects.add(response);
}

uint32_t get_response(const Call& call, uint32_t future) {
  OnceResult result{};
  Taken taken;
  if (take_once(call, future, ObjectKind::kFutureResponse, guest_abi::HttpPart::kHead, &result,
                &taken)) {
    const uint32_t exchange = call.objects.get(future, ObjectKind::kFutureResponse).below;
    result.once.inner.response = new_response(call, exchange, taken);
  }
  return call.transfer.allocate(result);
}

// The part into `room` bytes of the transfer memory.
wasi::Errno take_into(const Call& call, uint32_t exchange, guest_abi::HttpPart part, uint32_t room,
                      Taken* taken, uint64_t* wanted) {
  const uint32_t to = call.transfer.reserve(room, 1);
  auto& request = new_request<guest_abi::HttpTakeRequest>();
  request.handle = handle_of_exchange(call.objects, exchange);
  request.part = static_cast<uint32_t>(part);
  request.to = call.transfer.linear().range(to, room);
  const wasi::Errno error = call_port(guest_abi::WasiPort::kHttpTake, request);
  *wanted = request.bytes;
  if (error == wasi::Errno::kAgain || error == wasi::Errno::kNameTooLong) return error;
  const auto bytes = static_cast<uint32_t>(request.bytes < room ? request.bytes : room);
  taken->has_failed = error != wasi::Errno::kSuccess;
  taken->status = static_cast<uint16_t>(request.status);
  if (!taken->has_failed) {
    taken->fields = {to, bytes};
  } else if (error == wasi::Errno::kIo) {
    taken->failure.code = static_cast<HttpError>(request.code);
    taken->failure.message = {to, bytes};
  }
  return wasi::Errno::kSuccess;
}

// false: it is not there yet.
bool take_part(const Call& call, uint32_t exchange, guest_abi::HttpPart part, Taken* taken) {
  constexpr uint32_t kFirstRoom = 4096;
  uint64_t wanted = 0;
  wasi::Errno error = take_into(call, exchange, part, kFirstRoom, taken, &wanted);
  if (error == wasi::Errno::kNameTooLong && wanted <= guest_abi::kHttpFieldsBytesMax) {
    error = take_into(call, exchange, part, static_cast<uint32_t>(wanted), taken, &wanted);
  }
  if (error == wasi::Errno::kNameTooLong) {
    taken->has_failed = true;
    taken->failure.code = HttpError::kResponseHeaderSectionSize;
    return true;
  }
  return error == wasi::Errno::kSuccess;
}

// option<error-code>.
uint32_t error_code_of(const Call& call, uint32_t number) {
  const Object& error = call.objects.get(number, ObjectKind::kError);
  if (error.permitted == 0) return call.none<ErrorCodeValue>();
  HttpFailure failure;
  failure.code = static_cast<HttpError>(error.permitted - 1);
  failure.has_number = error.position != 0;
  failure.number = error.position;
  return call.some(error_value(failure));
}

}  // namespace

bool take_once(const Call& call, uint32_t future, ObjectKind kind, guest_abi::HttpPart part,
               OnceResult* result, Taken* taken) {
  const Object object = call.objects.get(future, kind);
  if (object.is_closed) {
    result->is_some = 1;
    result->once.is_error = 1;
    return false;
  }
  if (!take_part(call, object.below, part, taken)) return false;
  call.objects.get(future, kind).is_closed = true;
  result->is_some = 1;
  if (taken->has_failed) {
    result->once.inner.is_error = 1;
    result->once.inner.error = error_value(taken->failure);
  }
  return !taken->has_failed;
}

HttpFailure failure_of_exchange(const Call& call, uint32_t exchange) {
  Taken taken;
  take_part(call, exchange, guest_abi::HttpPart::kFailure, &taken);
  return taken.failure;
}

void set_error_code(Object* error, const HttpFailure& failure) {
  error->permitted = uint64_t{static_cast<uint8_t>(failure.code)} + 1;
  error->position = failure.number;
}

}  // namespace mayfly::guest

using namespace mayfly::guest;  // NOLINT: the C functions below are this file's only others

uint32_t mayfly_wasi2_handle_request(MemoryInfo* transfer, MemoryInfo* state, uint32_t request,
                                     uint32_t has_options, uint32_t options) {
  return handle_request(Call(transfer, state), request, has_options, options);
}

uint32_t mayfly_wasi2_subscribe_response(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  const Call call(transfer, state);
  call.objects.get(self, ObjectKind::kFutureResponse);
  return new_stream_pollable(call, self, PollFor::kHead);
}

uint32_t mayfly_wasi2_get_response(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  return get_response(Call(transfer, state), self);
}

void mayfly_wasi2_drop_future_response(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  Call(transfer, state).objects.release(self, ObjectKind::kFutureResponse);
}

uint32_t mayfly_wasi2_http_error_code(MemoryInfo* transfer, MemoryInfo* state, uint32_t error) {
  return error_code_of(Call(transfer, state), error);
}

// Nobody makes one where no request comes in, so that none can be set.
void mayfly_wasi2_set_response(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                               uint32_t is_error, uint32_t response, uint32_t /*payload_0*/,
                               uint64_t /*payload_1*/, uint32_t /*payload_2*/,
                               uint32_t /*payload_3*/, uint32_t /*payload_4*/,
                               uint32_t /*payload_5*/) {
  const Call call(transfer, state);
  if (is_error == 0) call.objects.release(response, ObjectKind::kOutgoingResponse);
  call.objects.release(self, ObjectKind::kResponseOutparam);
}

void mayfly_wasi2_drop_response_outparam(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  Call(transfer, state).objects.release(self, ObjectKind::kResponseOutparam);
}
