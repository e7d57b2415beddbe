// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The functions of WASI 0.2 (guest_abi/wasi2_functions.inc), in the C ABI: the transfer memory
// and the state memory (guest_abi/component.h), then the flat arguments of the canonical ABI. A
// result of more than one flat value is the address of where it lies in the transfer memory.
#pragma once

#include <cstdint>

#include "guest_abi/instance.h"

using mayfly::guest_abi::MemoryInfo;

// An ip-socket-address, flat: its case, then the fields of its payload.
#define MAYFLY_WASI2_ADDRESS(a)                                                             \
  uint32_t a##0, uint32_t a##1, uint32_t a##2, uint32_t a##3, uint32_t a##4, uint32_t a##5, \
      uint32_t a##6, uint32_t a##7, uint32_t a##8, uint32_t a##9, uint32_t a##10, uint32_t a##11
// The same as a FlatAddress.
#define MAYFLY_WASI2_FLAT(a) \
  FlatAddress { a##0, {a##1, a##2, a##3, a##4, a##5, a##6, a##7, a##8, a##9, a##10, a##11} }

extern "C" {
uint32_t mayfly_wasi2_get_environment(MemoryInfo* transfer, MemoryInfo* state);
uint32_t mayfly_wasi2_get_arguments(MemoryInfo* transfer, MemoryInfo* state);
uint32_t mayfly_wasi2_initial_cwd(MemoryInfo* transfer, MemoryInfo* state);
void mayfly_wasi2_exit(MemoryInfo* transfer, MemoryInfo* state, uint32_t is_error);
void mayfly_wasi2_exit_with_code(MemoryInfo* transfer, MemoryInfo* state, uint32_t code);

uint32_t mayfly_wasi2_get_stdin(MemoryInfo* transfer, MemoryInfo* state);
uint32_t mayfly_wasi2_get_stdout(MemoryInfo* transfer, MemoryInfo* state);
uint32_t mayfly_wasi2_get_stderr(MemoryInfo* transfer, MemoryInfo* state);
uint32_t mayfly_wasi2_get_terminal_stdin(MemoryInfo* transfer, MemoryInfo* state);
uint32_t mayfly_wasi2_get_terminal_stdout(MemoryInfo* transfer, MemoryInfo* state);
uint32_t mayfly_wasi2_get_terminal_stderr(MemoryInfo* transfer, MemoryInfo* state);
void mayfly_wasi2_drop_terminal(MemoryInfo* transfer, MemoryInfo* state, uint32_t terminal);

uint32_t mayfly_wasi2_read(MemoryInfo* transfer, MemoryInfo* state, uint32_t stream,
                           uint64_t length);
uint32_t mayfly_wasi2_blocking_read(MemoryInfo* transfer, MemoryInfo* state, uint32_t stream,
                                    uint64_t length);
uint32_t mayfly_wasi2_skip(MemoryInfo* transfer, MemoryInfo* state, uint32_t stream,
                           uint64_t length);
uint32_t mayfly_wasi2_blocking_skip(MemoryInfo* transfer, MemoryInfo* state, uint32_t stream,
                                    uint64_t length);
uint32_t mayfly_wasi2_subscribe_read(MemoryInfo* transfer, MemoryInfo* state, uint32_t stream);
void mayfly_wasi2_drop_input_stream(MemoryInfo* transfer, MemoryInfo* state, uint32_t stream);
uint32_t mayfly_wasi2_check_write(MemoryInfo* transfer, MemoryInfo* state, uint32_t stream);
uint32_t mayfly_wasi2_write(MemoryInfo* transfer, MemoryInfo* state, uint32_t stream,
                            uint32_t bytes, uint32_t size);
uint32_t mayfly_wasi2_write_and_flush(MemoryInfo* transfer, MemoryInfo* state, uint32_t stream,
                                      uint32_t bytes, uint32_t size);
uint32_t mayfly_wasi2_flush(MemoryInfo* transfer, MemoryInfo* state, uint32_t stream);
uint32_t mayfly_wasi2_subscribe_write(MemoryInfo* transfer, MemoryInfo* state, uint32_t stream);
uint32_t mayfly_wasi2_write_zeroes(MemoryInfo* transfer, MemoryInfo* state, uint32_t stream,
                                   uint64_t length);
uint32_t mayfly_wasi2_write_zeroes_and_flush(MemoryInfo* transfer, MemoryInfo* state,
                                             uint32_t stream, uint64_t length);
uint32_t mayfly_wasi2_splice(MemoryInfo* transfer, MemoryInfo* state, uint32_t to, uint32_t from,
                             uint64_t length);
uint32_t mayfly_wasi2_blocking_splice(MemoryInfo* transfer, MemoryInfo* state, uint32_t to,
                                      uint32_t from, uint64_t length);
void mayfly_wasi2_drop_output_stream(MemoryInfo* transfer, MemoryInfo* state, uint32_t stream);
uint32_t mayfly_wasi2_error_to_debug_string(MemoryInfo* transfer, MemoryInfo* state,
                                            uint32_t error);
uint32_t mayfly_wasi2_filesystem_error_code(MemoryInfo* transfer, MemoryInfo* state,
                                            uint32_t error);
void mayfly_wasi2_drop_error(MemoryInfo* transfer, MemoryInfo* state, uint32_t error);

void mayfly_wasi2_log(MemoryInfo* transfer, MemoryInfo* state, uint32_t level, uint32_t context,
                      uint32_t context_size, uint32_t message, uint32_t message_size);
uint32_t mayfly_wasi2_config_get(MemoryInfo* transfer, MemoryInfo* state, uint32_t key,
                                 uint32_t size);
uint32_t mayfly_wasi2_config_get_all(MemoryInfo* transfer, MemoryInfo* state);

uint32_t mayfly_wasi2_bucket_open(MemoryInfo* transfer, MemoryInfo* state, uint32_t name,
                                  uint32_t size);
uint32_t mayfly_wasi2_bucket_get(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                 uint32_t key, uint32_t size);
uint32_t mayfly_wasi2_bucket_set(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                 uint32_t key, uint32_t key_size, uint32_t value,
                                 uint32_t value_size);
uint32_t mayfly_wasi2_bucket_delete(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                    uint32_t key, uint32_t size);
uint32_t mayfly_wasi2_bucket_exists(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                    uint32_t key, uint32_t size);
uint32_t mayfly_wasi2_bucket_list_keys(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                       uint32_t has_cursor, uint64_t cursor);
void mayfly_wasi2_drop_bucket(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_bucket_increment(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                       uint32_t key, uint32_t size, uint64_t delta);
uint32_t mayfly_wasi2_bucket_get_many(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                      uint32_t keys, uint32_t count);
uint32_t mayfly_wasi2_bucket_set_many(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                      uint32_t pairs, uint32_t count);
uint32_t mayfly_wasi2_bucket_delete_many(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                         uint32_t keys, uint32_t count);

uint32_t mayfly_wasi2_poll(MemoryInfo* transfer, MemoryInfo* state, uint32_t list, uint32_t count);
uint32_t mayfly_wasi2_pollable_ready(MemoryInfo* transfer, MemoryInfo* state, uint32_t pollable);
void mayfly_wasi2_pollable_block(MemoryInfo* transfer, MemoryInfo* state, uint32_t pollable);
void mayfly_wasi2_drop_pollable(MemoryInfo* transfer, MemoryInfo* state, uint32_t pollable);

uint64_t mayfly_wasi2_monotonic_now(MemoryInfo* transfer, MemoryInfo* state);
uint64_t mayfly_wasi2_monotonic_resolution(MemoryInfo* transfer, MemoryInfo* state);
uint32_t mayfly_wasi2_wall_now(MemoryInfo* transfer, MemoryInfo* state);
uint32_t mayfly_wasi2_wall_resolution(MemoryInfo* transfer, MemoryInfo* state);
uint32_t mayfly_wasi2_subscribe_instant(MemoryInfo* transfer, MemoryInfo* state, uint64_t when);
uint32_t mayfly_wasi2_subscribe_duration(MemoryInfo* transfer, MemoryInfo* state, uint64_t when);
uint32_t mayfly_wasi2_timezone_display(MemoryInfo* transfer, MemoryInfo* state, uint64_t seconds,
                                       uint32_t nanoseconds);
uint32_t mayfly_wasi2_utc_offset(MemoryInfo* transfer, MemoryInfo* state, uint64_t seconds,
                                 uint32_t nanoseconds);

uint32_t mayfly_wasi2_get_directories(MemoryInfo* transfer, MemoryInfo* state);
void mayfly_wasi2_drop_descriptor(MemoryInfo* transfer, MemoryInfo* state, uint32_t descriptor);
uint32_t mayfly_wasi2_get_flags(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_get_type(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_stat(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_set_size(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                               uint64_t size);
uint32_t mayfly_wasi2_set_times(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                uint32_t accessed, uint64_t accessed_s, uint32_t accessed_ns,
                                uint32_t modified, uint64_t modified_s, uint32_t modified_ns);
uint32_t mayfly_wasi2_is_same_object(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                     uint32_t other);
uint32_t mayfly_wasi2_metadata_hash(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);

uint32_t mayfly_wasi2_descriptor_read(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                      uint64_t length, uint64_t offset);
uint32_t mayfly_wasi2_descriptor_write(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                       uint32_t bytes, uint32_t size, uint64_t offset);
uint32_t mayfly_wasi2_read_via_stream(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                      uint64_t offset);
uint32_t mayfly_wasi2_write_via_stream(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                       uint64_t offset);
uint32_t mayfly_wasi2_append_via_stream(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_advise(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                             uint64_t offset, uint64_t length, uint32_t advice);
uint32_t mayfly_wasi2_sync_data(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_sync(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);

uint32_t mayfly_wasi2_open_at(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                              uint32_t lookup, uint32_t path, uint32_t size, uint32_t open_flags,
                              uint32_t flags);
uint32_t mayfly_wasi2_readlink_at(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                  uint32_t path, uint32_t size);
uint32_t mayfly_wasi2_stat_at(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                              uint32_t lookup, uint32_t path, uint32_t size);
uint32_t mayfly_wasi2_metadata_hash_at(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                       uint32_t lookup, uint32_t path, uint32_t size);
uint32_t mayfly_wasi2_set_times_at(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                   uint32_t lookup, uint32_t path, uint32_t size, uint32_t accessed,
                                   uint64_t accessed_s, uint32_t accessed_ns, uint32_t modified,
                                   uint64_t modified_s, uint32_t modified_ns);
uint32_t mayfly_wasi2_create_directory_at(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                          uint32_t path, uint32_t size);
uint32_t mayfly_wasi2_remove_directory_at(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                          uint32_t path, uint32_t size);
uint32_t mayfly_wasi2_unlink_file_at(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                     uint32_t path, uint32_t size);
uint32_t mayfly_wasi2_link_at(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                              uint32_t old_lookup, uint32_t old_path, uint32_t old_size,
                              uint32_t other, uint32_t new_path, uint32_t new_size);
uint32_t mayfly_wasi2_rename_at(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                uint32_t old_path, uint32_t old_size, uint32_t other,
                                uint32_t new_path, uint32_t new_size);
uint32_t mayfly_wasi2_symlink_at(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                 uint32_t old_path, uint32_t old_size, uint32_t new_path,
                                 uint32_t new_size);

uint32_t mayfly_wasi2_read_directory(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_read_directory_entry(MemoryInfo* transfer, MemoryInfo* state,
                                           uint32_t stream);
void mayfly_wasi2_drop_directory_stream(MemoryInfo* transfer, MemoryInfo* state, uint32_t stream);

uint32_t mayfly_wasi2_random_bytes(MemoryInfo* memory, MemoryInfo* state, uint64_t length);
uint64_t mayfly_wasi2_random_u64(MemoryInfo* memory, MemoryInfo* state);
uint32_t mayfly_wasi2_insecure_seed(MemoryInfo* memory, MemoryInfo* state);

void mayfly_wasi2_drop_network(MemoryInfo* transfer, MemoryInfo* state, uint32_t network);
uint32_t mayfly_wasi2_network_error_code(MemoryInfo* transfer, MemoryInfo* state, uint32_t error);
uint32_t mayfly_wasi2_instance_network(MemoryInfo* transfer, MemoryInfo* state);
uint32_t mayfly_wasi2_resolve_addresses(MemoryInfo* transfer, MemoryInfo* state, uint32_t network,
                                        uint32_t name, uint32_t size);
uint32_t mayfly_wasi2_resolve_next_address(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_subscribe_lookup(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
void mayfly_wasi2_drop_lookup(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_create_tcp_socket(MemoryInfo* transfer, MemoryInfo* state, uint32_t is_ipv6);
uint32_t mayfly_wasi2_tcp_start_bind(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                     uint32_t network, MAYFLY_WASI2_ADDRESS(a));
uint32_t mayfly_wasi2_tcp_finish_bind(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_tcp_start_connect(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                        uint32_t network, MAYFLY_WASI2_ADDRESS(a));
uint32_t mayfly_wasi2_tcp_finish_connect(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_tcp_start_listen(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_tcp_finish_listen(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_tcp_accept(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_tcp_local_address(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_tcp_remote_address(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_tcp_is_listening(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_socket_family(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_tcp_set_backlog(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                      uint64_t backlog);
uint32_t mayfly_wasi2_keep_alive(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_set_keep_alive(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                     uint32_t value);
uint32_t mayfly_wasi2_keep_alive_idle(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_set_keep_alive_idle(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                          uint64_t value);
uint32_t mayfly_wasi2_keep_alive_interval(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_set_keep_alive_interval(MemoryInfo* transfer, MemoryInfo* state,
                                              uint32_t self, uint64_t value);
uint32_t mayfly_wasi2_keep_alive_count(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_set_keep_alive_count(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                           uint32_t value);
uint32_t mayfly_wasi2_hop_limit(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_set_hop_limit(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                    uint32_t value);
uint32_t mayfly_wasi2_receive_buffer(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_set_receive_buffer(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                         uint64_t value);
uint32_t mayfly_wasi2_send_buffer(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_set_send_buffer(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                      uint64_t value);
uint32_t mayfly_wasi2_tcp_subscribe(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_tcp_shutdown(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                   uint32_t type);
void mayfly_wasi2_drop_tcp_socket(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_create_udp_socket(MemoryInfo* transfer, MemoryInfo* state, uint32_t is_ipv6);
uint32_t mayfly_wasi2_udp_start_bind(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                     uint32_t network, MAYFLY_WASI2_ADDRESS(a));
uint32_t mayfly_wasi2_udp_finish_bind(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_udp_stream(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                 uint32_t has_address, MAYFLY_WASI2_ADDRESS(a));
uint32_t mayfly_wasi2_udp_local_address(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_udp_remote_address(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_udp_subscribe(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
void mayfly_wasi2_drop_udp_socket(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_receive_datagrams(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                        uint64_t results_max);
uint32_t mayfly_wasi2_subscribe_incoming(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
void mayfly_wasi2_drop_incoming(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_check_send(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
uint32_t mayfly_wasi2_send_datagrams(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                     uint32_t list, uint32_t count);
uint32_t mayfly_wasi2_subscribe_outgoing(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
void mayfly_wasi2_drop_outgoing(MemoryInfo* transfer, MemoryInfo* state, uint32_t self);
}
