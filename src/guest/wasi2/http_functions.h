// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The functions of wasi:http/types and wasi:http/outgoing-handler, as functions.h has the others.
// Options and variants are passed flat: whether it is some, or which case; then what is in it.
#pragma once

#include <cstdint>

#include "guest_abi/instance.h"

using mayfly::guest_abi::MemoryInfo;

extern "C" {
uint32_t mayfly_wasi2_new_fields(MemoryInfo* transfer, MemoryInfo* state);
uint32_t mayfly_wasi2_fields_from_list(MemoryInfo* transfer, MemoryInfo* state, uint32_t list,
                                       uint32_t count);
uint32_t mayfly_wasi2_fields_get(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                 uint32_t name, uint32_t size);
uint32_t mayfly_wasi2_fields_has(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                 uint32_t name, uint32_t size);
uint32_t mayfly_wasi2_fields_set(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                 uint32_t name, uint32_t size, uint32_t list, uint32_t count);
uint32_t mayfly_wasi2_fields_delete(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                    uint32_t name, uint32_t size);
uint32_t mayfly_wasi2_fields_append(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                    uint32_t name, uint32_t size, uint32_t value,
                                    uint32_t value_size);
uint32_t mayfly_wasi2_fields_entries(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_fields_clone(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
void mayfly_wasi2_drop_fields(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_incoming_request_method(MemoryInfo* transfer, MemoryInfo* state,
                                              uint32_t self);
uint32_t mayfly_wasi2_incoming_request_path(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_incoming_request_scheme(MemoryInfo* transfer, MemoryInfo* state,
                                              uint32_t self);
uint32_t mayfly_wasi2_incoming_request_authority(MemoryInfo* transfer, MemoryInfo* state,
                                                 uint32_t self);
uint32_t mayfly_wasi2_incoming_request_headers(MemoryInfo* transfer, MemoryInfo* state,
                                               uint32_t self);
uint32_t mayfly_wasi2_incoming_request_consume(MemoryInfo* transfer, MemoryInfo* state,
                                               uint32_t self);
void mayfly_wasi2_drop_incoming_request(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_new_outgoing_request(MemoryInfo* transfer, MemoryInfo* state,
                                           uint32_t headers);
uint32_t mayfly_wasi2_outgoing_request_body(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_outgoing_request_method(MemoryInfo* transfer, MemoryInfo* state,
                                              uint32_t self);
uint32_t mayfly_wasi2_set_method(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                 uint32_t kind, uint32_t text, uint32_t size);
uint32_t mayfly_wasi2_outgoing_request_path(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_set_path(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                               uint32_t is_some, uint32_t text, uint32_t size);
uint32_t mayfly_wasi2_outgoing_request_scheme(MemoryInfo* transfer, MemoryInfo* state,
                                              uint32_t self);
uint32_t mayfly_wasi2_set_scheme(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                 uint32_t is_some, uint32_t kind, uint32_t text, uint32_t size);
uint32_t mayfly_wasi2_outgoing_request_authority(MemoryInfo* transfer, MemoryInfo* state,
                                                 uint32_t self);
uint32_t mayfly_wasi2_set_authority(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                    uint32_t is_some, uint32_t text, uint32_t size);
uint32_t mayfly_wasi2_outgoing_request_headers(MemoryInfo* transfer, MemoryInfo* state,
                                               uint32_t self);
void mayfly_wasi2_drop_outgoing_request(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_new_request_options(MemoryInfo* transfer, MemoryInfo* state);
uint32_t mayfly_wasi2_connect_timeout(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_set_connect_timeout(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                          uint32_t is_some, uint64_t time);
uint32_t mayfly_wasi2_first_byte_timeout(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_set_first_byte_timeout(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                             uint32_t is_some, uint64_t time);
uint32_t mayfly_wasi2_between_bytes_timeout(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_set_between_bytes_timeout(MemoryInfo* transfer, MemoryInfo* state,
                                                uint32_t self, uint32_t is_some, uint64_t time);
void mayfly_wasi2_drop_request_options(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
void mayfly_wasi2_set_response(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                               uint32_t is_error, uint32_t response, uint32_t payload_0,
                               uint64_t payload_1, uint32_t payload_2, uint32_t payload_3,
                               uint32_t payload_4, uint32_t payload_5);
void mayfly_wasi2_drop_response_outparam(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_incoming_response_status(MemoryInfo* transfer, MemoryInfo* state,
                                               uint32_t self);
uint32_t mayfly_wasi2_incoming_response_headers(MemoryInfo* transfer, MemoryInfo* state,
                                                uint32_t self);
uint32_t mayfly_wasi2_incoming_response_consume(MemoryInfo* transfer, MemoryInfo* state,
                                                uint32_t self);
void mayfly_wasi2_drop_incoming_response(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_incoming_body_stream(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_incoming_body_finish(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
void mayfly_wasi2_drop_incoming_body(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_subscribe_trailers(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_get_trailers(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
void mayfly_wasi2_drop_future_trailers(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_new_outgoing_response(MemoryInfo* transfer, MemoryInfo* state,
                                            uint32_t headers);
uint32_t mayfly_wasi2_outgoing_response_status(MemoryInfo* transfer, MemoryInfo* state,
                                               uint32_t self);
uint32_t mayfly_wasi2_set_status(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                 uint32_t status);
uint32_t mayfly_wasi2_outgoing_response_headers(MemoryInfo* transfer, MemoryInfo* state,
                                                uint32_t self);
uint32_t mayfly_wasi2_outgoing_response_body(MemoryInfo* transfer, MemoryInfo* state,
                                             uint32_t self);
void mayfly_wasi2_drop_outgoing_response(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_outgoing_body_write(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_outgoing_body_finish(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                           uint32_t has_trailers, uint32_t trailers);
void mayfly_wasi2_drop_outgoing_body(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_subscribe_response(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_get_response(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
void mayfly_wasi2_drop_future_response(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_http_error_code(MemoryInfo* transfer, MemoryInfo* state, uint32_t error);
uint32_t mayfly_wasi2_handle_request(MemoryInfo* transfer, MemoryInfo* state, uint32_t request,
                                     uint32_t has_options, uint32_t options);
}
