// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// wasi:http/types.incoming-body, outgoing-body and future-trailers.
#include "guest/wasi2/http_body.h"

#include "guest/wasi/port_call.h"
#include "guest/wasi2/http_exchange.h"
#include "guest/wasi2/http_fields.h"
#include "guest/wasi2/http_functions.h"
#include "guest/wasi2/poll.h"

namespace mayfly::guest {
namespace {

OutgoingBody& outgoing(const Call& call, uint32_t body) {
  return record_of<OutgoingBody>(call.objects, call.objects.get(body, ObjectKind::kOutgoingBody));
}

// result<own<stream>>.
uint32_t stream_result(const Call& call, uint32_t stream) {
  struct Layout {
    uint8_t is_error;
    uint32_t stream;
  };
  return call.transfer.allocate(Layout{stream == 0 ? uint8_t{1} : uint8_t{0}, stream});
}

uint32_t new_body_stream(const Call& call, ObjectKind kind, uint32_t body) {
  Object stream{};
  stream.kind = kind;
  stream.below = body;
  return add_child(call.objects, stream);
}

// result<_, error-code>.
uint32_t finished(const Call& call, const HttpFailure* failure) {
  struct Layout {
    uint8_t is_error;
    ErrorCodeValue error;
  };
  Layout made{};
  if (failure != nullptr) made = {1, error_value(*failure)};
  return call.transfer.allocate(made);
}

// Tells the host that the body ends here.
bool end_body(const Call& call, uint32_t exchange, OutgoingBody::State state, uint32_t trailers,
              HttpFailure* failure) {
  const HeapText fields = trailers == 0 ? HeapText{} : bytes_of_fields(call.objects, trailers);
  auto& request = new_request<guest_abi::HttpFinishRequest>();
  request.handle = handle_of_exchange(call.objects, exchange);
  request.is_whole = state == OutgoingBody::kWhole ? 1 : 0;
  if (fields.size != 0) {
    request.trailers = {call.objects.heap().address(fields.block), fields.size};
  }
  if (call_port(guest_abi::WasiPort::kHttpFinish, request) == wasi::Errno::kSuccess) return true;
  failure->code = static_cast<HttpError>(request.code);
  return false;
}

// The body is broken, or it is as it should be.
bool end_outgoing(const Call& call, uint32_t body, OutgoingBody::State state, uint32_t trailers,
                  HttpFailure* failure) {
  OutgoingBody& record = outgoing(call, body);
  record.state = state;
  record.trailers = trailers;
  const uint32_t exchange = call.objects.get(body, ObjectKind::kOutgoingBody).below;
  return exchange == 0 || end_body(call, exchange, state, trailers, failure);
}

void check_no_children(const Call& call, uint32_t number, ObjectKind kind) {
  if (call.objects.get(number, kind).permitted != 0) {
    component_trap(guest_abi::ComponentTrap::kChildrenRemain);
  }
}

uint32_t finish_outgoing(const Call& call, uint32_t body, uint32_t trailers) {
  check_no_children(call, body, ObjectKind::kOutgoingBody);
  const OutgoingBody record = outgoing(call, body);
  HttpFailure failure;
  bool is_right = !record.has_length || record.written == record.length;
  if (!is_right) {
    failure.code = record.is_response ? HttpError::kResponseBodySize : HttpError::kRequestBodySize;
    failure.has_number = true;
    failure.number = record.written;
    HttpFailure ignored;
    end_outgoing(call, body, OutgoingBody::kBroken, trailers, &ignored);
  } else {
    is_right = end_outgoing(call, body, OutgoingBody::kWhole, trailers, &failure);
  }
  call.objects.release(body, ObjectKind::kOutgoingBody);
  return finished(call, is_right ? nullptr : &failure);
}

void drop_outgoing(const Call& call, uint32_t body) {
  check_no_children(call, body, ObjectKind::kOutgoingBody);
  HttpFailure ignored;
  end_outgoing(call, body, OutgoingBody::kBroken, 0, &ignored);
  call.objects.release(body, ObjectKind::kOutgoingBody);
}

uint32_t finish_incoming(const Call& call, uint32_t body) {
  check_no_children(call, body, ObjectKind::kIncomingBody);
  Object future{};
  future.kind = ObjectKind::kFutureTrailers;
  future.below = call.objects.get(body, ObjectKind::kIncomingBody).below;
  const uint32_t made = call.objects.add(future);
  call.objects.release(body, ObjectKind::kIncomingBody);
  return made;
}

uint32_t get_trailers(const Call& call, uint32_t future) {
  OnceResult result{};
  Taken taken;
  const bool are_there = take_once(call, future, ObjectKind::kFutureTrailers,
                                   guest_abi::HttpPart::kTrailers, &result, &taken);
  if (are_there && taken.fields.size != 0) {
    const uint32_t fields = new_fields(
        call, call.transfer.at(taken.fields.address, taken.fields.size), taken.fields.size);
    call.objects.get(future, ObjectKind::kFutureTrailers).position = fields;
    result.once.inner.trailers = {1, new_fields_view(call, future, fields)};
  }
  return call.transfer.allocate(result);
}

}  // namespace

uint32_t new_outgoing_body(const Call& call, uint32_t fields, bool is_response) {
  OutgoingBody record;
  record.is_response = is_response;
  record.has_length = content_length(call.objects, fields, &record.length);
  Object body{};
  body.kind = ObjectKind::kOutgoingBody;
  body.position = call.objects.heap().create(record);
  return call.objects.add(body);
}

uint32_t take_incoming_body(const Call& call, uint32_t message, ObjectKind kind) {
  Object& object = call.objects.get(message, kind);
  if (object.is_closed) return 0;
  object.is_closed = true;
  Object body{};
  body.kind = ObjectKind::kIncomingBody;
  body.below = object.below;
  return call.objects.add(body);
}

void attach_body(const Call& call, uint32_t body, uint32_t exchange) {
  OutgoingBody& record = outgoing(call, body);
  call.objects.heap().release(record.buffer);
  record.buffer = 0;
  record.buffered = 0;
  call.objects.refer(exchange);
  call.objects.get(body, ObjectKind::kOutgoingBody).below = exchange;
}

void body_descriptor(const Call& call, uint32_t body, Descriptor* descriptor) {
  const ObjectKind kind = call.objects.kind_of(body);
  const uint32_t handle = handle_of_exchange(call.objects, call.objects.get(body, kind).below);
  *descriptor = Descriptor{};
  descriptor->rights_base = wasi::kRightsAll;
  descriptor->handle_plus_one = handle + 1;
  descriptor->filetype = static_cast<uint8_t>(wasi::FileType::kSocketStream);
}

bool is_buffered_body(const Call& call, uint32_t body) {
  const ObjectKind kind = call.objects.kind_of(body);
  return kind == ObjectKind::kOutgoingBody && call.objects.get(body, kind).below == 0;
}

uint64_t buffer_room(const Call& call, uint32_t body) {
  return guest_abi::kHttpFirstBytesMax - outgoing(call, body).buffered;
}

Written write_to_body(const Call& call, uint32_t body, const TransferBytes& bytes) {
  OutgoingBody& record = outgoing(call, body);
  if (record.has_length && bytes.size > record.length - record.written) return Written::kTooMuch;
  if (!is_buffered_body(call, body)) {
    record.written += bytes.size;
    return Written::kNotYet;
  }
  if (bytes.size > buffer_room(call, body)) return Written::kNoRoom;
  const StateHeap heap = call.objects.heap();
  const uint64_t size = uint64_t{record.buffered} + bytes.size;
  record.buffer = heap.grow(record.buffer, record.buffered, size);
  __builtin_memcpy(heap.bytes(record.buffer, size) + record.buffered,
                   call.transfer.at(bytes.address, bytes.size), bytes.size);
  record.buffered = static_cast<uint32_t>(size);
  record.written += bytes.size;
  return Written::kBuffered;
}

}  // namespace mayfly::guest

using namespace mayfly::guest;  // NOLINT: the C functions below are this file's only others

uint32_t mayfly_wasi2_incoming_body_stream(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  const Call call(transfer, state);
  Object& body = call.objects.get(self, ObjectKind::kIncomingBody);
  if (body.is_closed) return stream_result(call, 0);
  body.is_closed = true;
  return stream_result(call, new_body_stream(call, ObjectKind::kInputStream, self));
}

uint32_t mayfly_wasi2_incoming_body_finish(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  return finish_incoming(Call(transfer, state), self);
}

void mayfly_wasi2_drop_incoming_body(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  drop_parent(Call(transfer, state).objects, self, ObjectKind::kIncomingBody);
}

uint32_t mayfly_wasi2_subscribe_trailers(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  const Call call(transfer, state);
  call.objects.get(self, ObjectKind::kFutureTrailers);
  return new_stream_pollable(call, self, PollFor::kTrailers);
}

uint32_t mayfly_wasi2_get_trailers(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  return get_trailers(Call(transfer, state), self);
}

void mayfly_wasi2_drop_future_trailers(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  drop_parent(Call(transfer, state).objects, self, ObjectKind::kFutureTrailers);
}

uint32_t mayfly_wasi2_outgoing_body_write(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  const Call call(transfer, state);
  OutgoingBody& body = outgoing(call, self);
  if (body.stream_is_taken) return stream_result(call, 0);
  body.stream_is_taken = true;
  return stream_result(call, new_body_stream(call, ObjectKind::kOutputStream, self));
}

uint32_t mayfly_wasi2_outgoing_body_finish(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                           uint32_t has_trailers, uint32_t trailers) {
  return finish_outgoing(Call(transfer, state), self, has_trailers != 0 ? trailers : 0);
}

void mayfly_wasi2_drop_outgoing_body(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  drop_outgoing(Call(transfer, state), self);
}
