// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Requests, responses and options of wasi:http/types: what they say, before and after the wire.
#include "guest/wasi2/http_body.h"
#include "guest/wasi2/http_fields.h"
#include "guest/wasi2/http_functions.h"
#include "guest_abi/http_syntax.h"

namespace mayfly::guest {
namespace {

using OptionalText = HeapText Message::*;

// variant method, variant scheme: a case, and the text of `other`.
struct Named {
  uint8_t kind;
  TransferBytes other;
};

Message& message_of(const Call& call, uint32_t number, ObjectKind kind) {
  return record_of<Message>(call.objects, call.objects.get(number, kind));
}

void replace(const Call& call, HeapText& text, const HeapText& with) {
  call.objects.heap().release(text.block);
  text = with;
}

uint32_t new_message(const Call& call, ObjectKind kind, uint32_t fields) {
  call.objects.get(fields, ObjectKind::kFields).is_closed = true;
  Message message;
  message.fields = fields;
  Object object{};
  object.kind = kind;
  object.position = call.objects.heap().create(message);
  return call.objects.add(object);
}

// result<own<T>>: it is taken, or was taken before.
uint32_t taken(const Call& call, uint32_t number) {
  struct Layout {
    uint8_t is_error;
    uint32_t number;
  };
  return call.transfer.allocate(Layout{number == 0 ? uint8_t{1} : uint8_t{0}, number});
}

uint32_t take_outgoing_body(const Call& call, uint32_t number, ObjectKind kind) {
  if (message_of(call, number, kind).body != 0) return taken(call, 0);
  const uint32_t fields = message_of(call, number, kind).fields;
  const uint32_t body = new_outgoing_body(call, fields, kind == ObjectKind::kOutgoingResponse);
  call.objects.refer(body);
  message_of(call, number, kind).body = body;
  return taken(call, body);
}

// option<string>.
uint32_t optional_text(const Call& call, const HeapText& text) {
  return text.block == 0 ? call.none<TransferBytes>() : call.some(give_text(call, text));
}

uint32_t get_text(const Call& call, uint32_t number, ObjectKind kind, OptionalText text) {
  return optional_text(call, message_of(call, number, kind).*text);
}

// A method's or scheme's text is given back as it came.
uint32_t get_method(const Call& call, uint32_t number, ObjectKind kind) {
  const Message message = message_of(call, number, kind);
  Named method{message.method, {}};
  if (message.method == kOtherMethod) method.other = give_text(call, message.other_method);
  return call.transfer.allocate(method);
}

uint32_t get_scheme(const Call& call, uint32_t number, ObjectKind kind) {
  const Message message = message_of(call, number, kind);
  if (message.scheme == kNoScheme) return call.none<Named>();
  Named scheme{message.scheme, {}};
  if (message.scheme == kOtherScheme) scheme.other = give_text(call, message.other_scheme);
  return call.some(scheme);
}

bool is_scheme(const uint8_t* text, uint32_t size) {
  if (size == 0) return false;
  for (uint32_t i = 0; i < size; ++i) {
    const uint8_t byte = text[i];
    const bool is_letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
    const bool is_other = (byte >= '0' && byte <= '9') || byte == '+' || byte == '-' || byte == '.';
    if (!is_letter && (i == 0 || !is_other)) return false;
  }
  return true;
}

bool is_path(const uint8_t* text, uint32_t size) {
  return size <= guest_abi::kHttpPathBytesMax && guest_abi::is_request_target({text, size});
}

// The host looks at it again: a name or an address, and a port.
bool is_authority(const uint8_t* text, uint32_t size) {
  if (size == 0 || size > guest_abi::kHttpAuthorityBytesMax) return false;
  for (uint32_t i = 0; i < size; ++i) {
    const uint8_t byte = text[i];
    const bool is_word = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                         (byte >= '0' && byte <= '9');
    const bool is_mark = byte == '-' || byte == '.' || byte == '_' || byte == '~' || byte == ':' ||
                         byte == '[' || byte == ']' || byte == '%' || byte == '@';
    if (!is_word && !is_mark) return false;
  }
  return true;
}

// `result`: 0 is ok.
using IsText = bool (*)(const uint8_t*, uint32_t);
uint32_t set_text(const Call& call, uint32_t self, uint32_t is_some, const TransferBytes& text,
                  OptionalText to, IsText is_valid) {
  Message& message = message_of(call, self, ObjectKind::kOutgoingRequest);
  if (is_some == 0) {
    replace(call, message.*to, {});
    return 0;
  }
  if (!is_valid(call.transfer.at(text.address, text.size), text.size)) return 1;
  replace(call, message.*to, keep_text(call, text));
  return 0;
}

uint32_t set_method(const Call& call, uint32_t self, uint32_t kind, const TransferBytes& other) {
  Message& message = message_of(call, self, ObjectKind::kOutgoingRequest);
  HeapText text;
  if (kind == kOtherMethod) {
    if (other.size > guest_abi::kHttpMethodBytesMax ||
        !guest_abi::is_token({call.transfer.at(other.address, other.size), other.size})) {
      return 1;
    }
    text = keep_text(call, other);
  }
  replace(call, message.other_method, text);
  message.method = static_cast<uint8_t>(kind);
  return 0;
}

uint32_t set_scheme(const Call& call, uint32_t self, uint32_t is_some, uint32_t kind,
                    const TransferBytes& other) {
  Message& message = message_of(call, self, ObjectKind::kOutgoingRequest);
  HeapText text;
  if (is_some != 0 && kind == kOtherScheme) {
    if (!is_scheme(call.transfer.at(other.address, other.size), other.size)) return 1;
    text = keep_text(call, other);
  }
  replace(call, message.other_scheme, text);
  message.scheme = is_some == 0 ? kNoScheme : static_cast<uint8_t>(kind);
  return 0;
}

uint32_t headers(const Call& call, uint32_t number, ObjectKind kind) {
  return new_fields_view(call, number, message_of(call, number, kind).fields);
}

uint32_t new_options(const Call& call) {
  Object options{};
  options.kind = ObjectKind::kRequestOptions;
  options.position = call.objects.heap().create(RequestOptions{});
  return call.objects.add(options);
}

uint64_t& timeout(const Call& call, uint32_t self, RequestOptions::Timeout which) {
  Object& options = call.objects.get(self, ObjectKind::kRequestOptions);
  return record_of<RequestOptions>(call.objects, options).timeouts_ns[which];
}

uint32_t get_timeout(const Call& call, uint32_t self, RequestOptions::Timeout which) {
  const uint64_t time = timeout(call, self, which);
  return time == guest_abi::kHttpNoTimeout ? call.none<uint64_t>() : call.some(time);
}

uint32_t set_timeout(const Call& call, uint32_t self, RequestOptions::Timeout which,
                     uint32_t is_some, uint64_t time) {
  timeout(call, self, which) = is_some != 0 ? time : guest_abi::kHttpNoTimeout;
  return 0;
}

}  // namespace
}  // namespace mayfly::guest

using namespace mayfly::guest;  // NOLINT: the C functions below are this file's only others

uint32_t mayfly_wasi2_new_outgoing_request(MemoryInfo* transfer, MemoryInfo* state,
                                           uint32_t headers) {
  return new_message(Call(transfer, state), ObjectKind::kOutgoingRequest, headers);
}

uint32_t mayfly_wasi2_outgoing_request_body(MemoryInfo* transfer, MemoryInfo* state,
                                            uint32_t self) {
  return take_outgoing_body(Call(transfer, state), self, ObjectKind::kOutgoingRequest);
}

uint32_t mayfly_wasi2_outgoing_request_method(MemoryInfo* transfer, MemoryInfo* state,
                                              uint32_t self) {
  return get_method(Call(transfer, state), self, ObjectKind::kOutgoingRequest);
}

uint32_t mayfly_wasi2_set_method(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                 uint32_t kind, uint32_t text, uint32_t size) {
  return set_method(Call(transfer, state), self, kind, {text, size});
}

uint32_t mayfly_wasi2_outgoing_request_path(MemoryInfo* transfer, MemoryInfo* state,
                                            uint32_t self) {
  return get_text(Call(transfer, state), self, ObjectKind::kOutgoingRequest, &Message::path);
}

uint32_t mayfly_wasi2_set_path(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                               uint32_t is_some, uint32_t text, uint32_t size) {
  return set_text(Call(transfer, state), self, is_some, {text, size}, &Message::path, is_path);
}

uint32_t mayfly_wasi2_outgoing_request_scheme(MemoryInfo* transfer, MemoryInfo* state,
                                              uint32_t self) {
  return get_scheme(Call(transfer, state), self, ObjectKind::kOutgoingRequest);
}

uint32_t mayfly_wasi2_set_scheme(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                 uint32_t is_some, uint32_t kind, uint32_t text, uint32_t size) {
  return set_scheme(Call(transfer, state), self, is_some, kind, {text, size});
}

uint32_t mayfly_wasi2_outgoing_request_authority(MemoryInfo* transfer, MemoryInfo* state,
                                                 uint32_t self) {
  return get_text(Call(transfer, state), self, ObjectKind::kOutgoingRequest, &Message::authority);
}

uint32_t mayfly_wasi2_set_authority(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                    uint32_t is_some, uint32_t text, uint32_t size) {
  return set_text(Call(transfer, state), self, is_some, {text, size}, &Message::authority,
                  is_authority);
}

uint32_t mayfly_wasi2_outgoing_request_headers(MemoryInfo* transfer, MemoryInfo* state,
                                               uint32_t self) {
  return headers(Call(transfer, state), self, ObjectKind::kOutgoingRequest);
}

void mayfly_wasi2_drop_outgoing_request(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  drop_parent(Call(transfer, state).objects, self, ObjectKind::kOutgoingRequest);
}

uint32_t mayfly_wasi2_incoming_request_method(MemoryInfo* transfer, MemoryInfo* state,
                                              uint32_t self) {
  return get_method(Call(transfer, state), self, ObjectKind::kIncomingRequest);
}

uint32_t mayfly_wasi2_incoming_request_path(MemoryInfo* transfer, MemoryInfo* state,
                                            uint32_t self) {
  return get_text(Call(transfer, state), self, ObjectKind::kIncomingRequest, &Message::path);
}

uint32_t mayfly_wasi2_incoming_request_scheme(MemoryInfo* transfer, MemoryInfo* state,
                                              uint32_t self) {
  return get_scheme(Call(transfer, state), self, ObjectKind::kIncomingRequest);
}

uint32_t mayfly_wasi2_incoming_request_authority(MemoryInfo* transfer, MemoryInfo* state,
                                                 uint32_t self) {
  return get_text(Call(transfer, state), self, ObjectKind::kIncomingRequest, &Message::authority);
}

uint32_t mayfly_wasi2_incoming_request_headers(MemoryInfo* transfer, MemoryInfo* state,
                                               uint32_t self) {
  return headers(Call(transfer, state), self, ObjectKind::kIncomingRequest);
}

uint32_t mayfly_wasi2_incoming_request_consume(MemoryInfo* transfer, MemoryInfo* state,
                                               uint32_t self) {
  const Call call(transfer, state);
  return taken(call, take_incoming_body(call, self, ObjectKind::kIncomingRequest));
}

void mayfly_wasi2_drop_incoming_request(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  drop_parent(Call(transfer, state).objects, self, ObjectKind::kIncomingRequest);
}

uint32_t mayfly_wasi2_new_outgoing_response(MemoryInfo* transfer, MemoryInfo* state,
                                            uint32_t headers) {
  return new_message(Call(transfer, state), ObjectKind::kOutgoingResponse, headers);
}

uint32_t mayfly_wasi2_outgoing_response_status(MemoryInfo* transfer, MemoryInfo* state,
                                               uint32_t self) {
  return message_of(Call(transfer, state), self, ObjectKind::kOutgoingResponse).status;
}

uint32_t mayfly_wasi2_set_status(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                 uint32_t status) {
  if (status < 100 || status > 999) return 1;
  message_of(Call(transfer, state), self, ObjectKind::kOutgoingResponse).status =
      static_cast<uint16_t>(status);
  return 0;
}

uint32_t mayfly_wasi2_outgoing_response_headers(MemoryInfo* transfer, MemoryInfo* state,
                                                uint32_t self) {
  return headers(Call(transfer, state), self, ObjectKind::kOutgoingResponse);
}

uint32_t mayfly_wasi2_outgoing_response_body(MemoryInfo* transfer, MemoryInfo* state,
                                             uint32_t self) {
  return take_outgoing_body(Call(transfer, state), self, ObjectKind::kOutgoingResponse);
}

void mayfly_wasi2_drop_outgoing_response(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  drop_parent(Call(transfer, state).objects, self, ObjectKind::kOutgoingResponse);
}

uint32_t mayfly_wasi2_incoming_response_status(MemoryInfo* transfer, MemoryInfo* state,
                                               uint32_t self) {
  return message_of(Call(transfer, state), self, ObjectKind::kIncomingResponse).status;
}

uint32_t mayfly_wasi2_incoming_response_headers(MemoryInfo* transfer, MemoryInfo* state,
                                                uint32_t self) {
  return headers(Call(transfer, state), self, ObjectKind::kIncomingResponse);
}

uint32_t mayfly_wasi2_incoming_response_consume(MemoryInfo* transfer, MemoryInfo* state,
                                                uint32_t self) {
  const Call call(transfer, state);
  return taken(call, take_incoming_body(call, self, ObjectKind::kIncomingResponse));
}

void mayfly_wasi2_drop_incoming_response(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  drop_parent(Call(transfer, state).objects, self, ObjectKind::kIncomingResponse);
}

uint32_t mayfly_wasi2_new_request_options(MemoryInfo* transfer, MemoryInfo* state) {
  return new_options(Call(transfer, state));
}

uint32_t mayfly_wasi2_connect_timeout(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  return get_timeout(Call(transfer, state), self, RequestOptions::kConnect);
}

uint32_t mayfly_wasi2_set_connect_timeout(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                          uint32_t is_some, uint64_t time) {
  return set_timeout(Call(transfer, state), self, RequestOptions::kConnect, is_some, time);
}

uint32_t mayfly_wasi2_first_byte_timeout(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  return get_timeout(Call(transfer, state), self, RequestOptions::kFirstByte);
}

uint32_t mayfly_wasi2_set_first_byte_timeout(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                             uint32_t is_some, uint64_t time) {
  return set_timeout(Call(transfer, state), self, RequestOptions::kFirstByte, is_some, time);
}

uint32_t mayfly_wasi2_between_bytes_timeout(MemoryInfo* transfer, MemoryInfo* state,
                                            uint32_t self) {
  return get_timeout(Call(transfer, state), self, RequestOptions::kBetweenBytes);
}

uint32_t mayfly_wasi2_set_between_bytes_timeout(MemoryInfo* transfer, MemoryInfo* state,
                                                uint32_t self, uint32_t is_some, uint64_t time) {
  return set_timeout(Call(transfer, state), self, RequestOptions::kBetweenBytes, is_some, time);
}

void mayfly_wasi2_drop_request_options(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  Call(transfer, state).objects.release(self, ObjectKind::kRequestOptions);
}
