// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// WASI 0.2 without a library: each import is a function of wasi2.wit as the canonical ABI flattens
// it; a result lies where the last argument points. What a program does not use it does not import.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define IMPORT(module, name) __attribute__((import_module(module), import_name(name)))

typedef uint32_t handle;
typedef struct {
  const char *bytes;
  uint32_t size;
} text;
// Of results and options: the case, then the payload, at its alignment.
typedef struct {
  uint8_t is_error;
  handle value;  // or the error
  handle error;  // of a stream: why the operation failed
} result;
typedef struct {
  uint8_t is_error;
  text value;
} read_result;
typedef struct {
  uint8_t is_error;
  uint64_t value;
} size_result;
typedef struct {
  uint64_t words[8];
} large_result;

IMPORT("heap", "reset") void forget_lifted(void);

IMPORT("wasi:cli/environment", "get-arguments") void get_arguments(text *list);
IMPORT("wasi:cli/stdout", "get-stdout") handle get_stdout(void);
IMPORT("wasi:io/poll", "poll") void poll(const handle *pollables, uint32_t count, text *ready);
IMPORT("wasi:io/poll", "[method]pollable.ready") int is_ready(handle pollable);
IMPORT("wasi:io/poll", "[method]pollable.block") void block(handle pollable);
IMPORT("wasi:io/poll", "[resource-drop]pollable") void drop_pollable(handle pollable);
IMPORT("wasi:io/streams", "[method]input-stream.blocking-read")
void blocking_read(handle stream, uint64_t size, read_result *to);
IMPORT("wasi:io/streams", "[method]input-stream.read")
void read_now(handle stream, uint64_t size, read_result *to);
IMPORT("wasi:io/streams", "[method]input-stream.subscribe") handle input_pollable(handle stream);
IMPORT("wasi:io/streams", "[resource-drop]input-stream") void drop_input(handle stream);
IMPORT("wasi:io/streams", "[method]output-stream.check-write")
void check_write(handle stream, size_result *to);
IMPORT("wasi:io/streams", "[method]output-stream.write")
void write(handle stream, const char *bytes, uint32_t size, result *to);
IMPORT("wasi:io/streams", "[method]output-stream.blocking-write-and-flush")
void write_and_flush(handle stream, const char *bytes, uint32_t size, result *to);
IMPORT("wasi:io/streams", "[method]output-stream.blocking-flush")
void flush(handle stream, result *to);
IMPORT("wasi:io/streams", "[method]output-stream.subscribe") handle output_pollable(handle stream);
IMPORT("wasi:io/streams", "[resource-drop]output-stream") void drop_output(handle stream);

IMPORT("wasi:clocks/monotonic-clock", "now") uint64_t now(void);
IMPORT("wasi:clocks/monotonic-clock", "subscribe-duration") handle timer(uint64_t nanoseconds);
IMPORT("wasi:random/random", "get-random-u64") uint64_t random_number(void);

// Elements: a handle, then a text.
IMPORT("wasi:filesystem/preopens", "get-directories") void get_directories(text *list);
enum { kFollow = 1, kCreate = 1, kTruncate = 8, kRead = 1, kWrite = 2, kMutate = 32 };
IMPORT("wasi:filesystem/types", "[method]descriptor.open-at")
void open_at(handle directory, int follow, const char *path, uint32_t size, int how, int flags,
             result *to);
IMPORT("wasi:filesystem/types", "[method]descriptor.read-via-stream")
void read_stream(handle file, uint64_t offset, result *to);
IMPORT("wasi:filesystem/types", "[method]descriptor.write-via-stream")
void write_stream(handle file, uint64_t offset, result *to);
typedef struct {
  uint8_t is_error;
  uint64_t words[12];  // descriptor-stat, or the error
} stat_result;
IMPORT("wasi:filesystem/types", "[method]descriptor.stat-at")
void stat_at(handle directory, int follow, const char *path, uint32_t size, stat_result *to);
IMPORT("wasi:filesystem/types", "[method]descriptor.set-times-at")
void set_times_at(handle directory, int follow, const char *path, uint32_t size, int access,
                  uint64_t access_seconds, uint32_t access_nanoseconds, int modification,
                  uint64_t modification_seconds, uint32_t modification_nanoseconds, result *to);
IMPORT("wasi:filesystem/types", "[method]descriptor.create-directory-at")
void create_directory(handle directory, const char *path, uint32_t size, result *to);
IMPORT("wasi:filesystem/types", "[method]descriptor.remove-directory-at")
void remove_directory(handle directory, const char *path, uint32_t size, result *to);
IMPORT("wasi:filesystem/types", "[method]descriptor.unlink-file-at")
void unlink_file(handle directory, const char *path, uint32_t size, result *to);
IMPORT("wasi:filesystem/types", "[method]descriptor.readlink-at")
void read_link(handle directory, const char *path, uint32_t size, read_result *to);
IMPORT("wasi:filesystem/types", "[method]descriptor.symlink-at")
void make_symlink(handle directory, const char *to_path, uint32_t to_size, const char *path,
                  uint32_t size, result *to);
IMPORT("wasi:filesystem/types", "[method]descriptor.rename-at")
void rename_file(handle directory, const char *from, uint32_t from_size, handle new_directory,
                 const char *path, uint32_t size, result *to);
IMPORT("wasi:filesystem/types", "[method]descriptor.link-at")
void link_file(handle directory, int follow, const char *from, uint32_t from_size,
               handle new_directory, const char *path, uint32_t size, result *to);
IMPORT("wasi:filesystem/types", "[resource-drop]descriptor") void drop_descriptor(handle file);

IMPORT("wasi:http/types", "[constructor]fields") handle new_fields(void);
IMPORT("wasi:http/types", "[method]fields.get")
void fields_get(handle fields, const char *name, uint32_t size, text *list);
IMPORT("wasi:http/types", "[resource-drop]fields") void drop_fields(handle fields);
IMPORT("wasi:http/types", "[constructor]outgoing-request") handle new_request(handle fields);
IMPORT("wasi:http/types", "[method]outgoing-request.body")
void request_body(handle request, result *to);
IMPORT("wasi:http/types", "[method]outgoing-request.set-method")
int set_method(handle request, int method, const char *other, uint32_t size);
IMPORT("wasi:http/types", "[method]outgoing-request.set-path-with-query")
int set_path(handle request, int is_some, const char *path, uint32_t size);
IMPORT("wasi:http/types", "[method]outgoing-request.set-scheme")
int set_scheme(handle request, int is_some, int scheme, const char *other, uint32_t size);
IMPORT("wasi:http/types", "[method]outgoing-request.set-authority")
int set_authority(handle request, int is_some, const char *authority, uint32_t size);
IMPORT("wasi:http/types", "[method]outgoing-body.write") void body_write(handle body, result *to);
IMPORT("wasi:http/types", "[static]outgoing-body.finish")
void finish_body(handle body, int has_trailers, handle trailers, large_result *to);
IMPORT("wasi:http/outgoing-handler", "handle")
void send(handle request, int has_options, handle options, large_result *to);
IMPORT("wasi:http/types", "[resource-drop]future-incoming-response")
void drop_future(handle future);
IMPORT("wasi:http/types", "[method]future-incoming-response.subscribe")
handle response_pollable(handle future);
IMPORT("wasi:http/types", "[method]future-incoming-response.get")
void get_response(handle future, large_result *to);
IMPORT("wasi:http/types", "[method]incoming-response.status") int status_of(handle response);
IMPORT("wasi:http/types", "[method]incoming-response.headers")
handle headers_of(handle response);
IMPORT("wasi:http/types", "[method]incoming-response.consume")
void consume(handle response, result *to);
IMPORT("wasi:http/types", "[resource-drop]incoming-response") void drop_response(handle response);
IMPORT("wasi:http/types", "[method]incoming-body.stream") void body_stream(handle body, result *to);
IMPORT("wasi:http/types", "[static]incoming-body.finish") handle to_trailers(handle body);
IMPORT("wasi:http/types", "[method]future-trailers.subscribe")
handle trailers_pollable(handle future);
IMPORT("wasi:http/types", "[method]future-trailers.get")
void get_trailers(handle future, large_result *to);

IMPORT("wasi:sockets/instance-network", "instance-network") handle instance_network(void);
IMPORT("wasi:sockets/tcp-create-socket", "create-tcp-socket")
void create_tcp_socket(int family, result *to);
IMPORT("wasi:sockets/tcp", "[method]tcp-socket.start-connect")
void start_connect(handle socket, handle network, int is_ipv6, int port, int a, int b, int c, int d,
                   int, int, int, int, int, int, result *to);
IMPORT("wasi:sockets/tcp", "[method]tcp-socket.start-bind")
void start_tcp_bind(handle socket, handle network, int is_ipv6, int port, int a, int b, int c,
                    int d, int, int, int, int, int, int, result *to);
IMPORT("wasi:sockets/tcp", "[method]tcp-socket.finish-connect")
void finish_connect(handle socket, result *to);
IMPORT("wasi:sockets/tcp", "[method]tcp-socket.subscribe") handle socket_pollable(handle socket);
IMPORT("wasi:sockets/tcp", "[method]tcp-socket.shutdown")
void shutdown(handle socket, int type, result *to);
IMPORT("wasi:sockets/tcp", "[resource-drop]tcp-socket") void drop_tcp_socket(handle socket);

// ip-socket-address, of IPv4.
typedef struct {
  uint32_t is_ipv6;
  uint16_t port;
  uint8_t ipv4[4];
  uint8_t rest[22];
} address;
typedef struct {
  text data;
  address from;
} incoming_datagram;
typedef struct {
  text data;
  uint32_t has_address;
  address to;
} outgoing_datagram;

IMPORT("wasi:sockets/udp-create-socket", "create-udp-socket")
void create_udp_socket(int family, result *to);
IMPORT("wasi:sockets/udp", "[method]udp-socket.start-bind")
void start_udp_bind(handle socket, handle network, int is_ipv6, int port, int a, int b, int c,
                    int d, int, int, int, int, int, int, result *to);
IMPORT("wasi:sockets/udp", "[method]udp-socket.finish-bind")
void finish_udp_bind(handle socket, result *to);
IMPORT("wasi:sockets/udp", "[method]udp-socket.stream")
void udp_streams(handle socket, int is_some, int is_ipv6, int port, int a, int b, int c, int d, int,
                 int, int, int, int, int, result *to);
IMPORT("wasi:sockets/udp", "[resource-drop]udp-socket") void drop_udp_socket(handle socket);
IMPORT("wasi:sockets/udp", "[method]incoming-datagram-stream.receive")
void receive(handle stream, uint64_t count, read_result *to);
IMPORT("wasi:sockets/udp", "[method]incoming-datagram-stream.subscribe")
handle incoming_pollable(handle stream);
IMPORT("wasi:sockets/udp", "[resource-drop]incoming-datagram-stream")
void drop_incoming(handle stream);
IMPORT("wasi:sockets/udp", "[method]outgoing-datagram-stream.check-send")
void check_send(handle stream, size_result *to);
IMPORT("wasi:sockets/udp", "[method]outgoing-datagram-stream.send")
void send_datagrams(handle stream, const outgoing_datagram *datagrams, uint32_t count,
                    size_result *to);
IMPORT("wasi:sockets/udp", "[method]outgoing-datagram-stream.subscribe")
handle outgoing_pollable(handle stream);
IMPORT("wasi:sockets/udp", "[resource-drop]outgoing-datagram-stream")
void drop_outgoing(handle stream);

IMPORT("wasi:sockets/ip-name-lookup", "resolve-addresses")
void resolve(handle network, const char *name, uint32_t size, result *to);
// result<option<ip-address>, error-code>
typedef struct {
  uint8_t is_error;
  uint8_t unused;
  uint8_t is_some;  // or the error
  uint8_t rest[21];
} next_result;
IMPORT("wasi:sockets/ip-name-lookup", "[method]resolve-address-stream.resolve-next-address")
void next_address(handle stream, next_result *to);
IMPORT("wasi:sockets/ip-name-lookup", "[method]resolve-address-stream.subscribe")
handle lookup_pollable(handle stream);
IMPORT("wasi:sockets/ip-name-lookup", "[resource-drop]resolve-address-stream")
void drop_lookup(handle stream);

IMPORT("wasi:keyvalue/store", "open")
void open_bucket(const char *name, uint32_t size, large_result *to);
IMPORT("wasi:keyvalue/store", "[method]bucket.get")
void get_entry(handle bucket, const char *key, uint32_t size, large_result *to);
IMPORT("wasi:keyvalue/store", "[method]bucket.set")
void set_entry(handle bucket, const char *key, uint32_t size, const char *value,
               uint32_t value_size, large_result *to);
IMPORT("wasi:keyvalue/store", "[resource-drop]bucket") void drop_bucket(handle bucket);

static inline uint32_t size_of(const char *string) {
  uint32_t size = 0;
  while (string[size] != 0) ++size;
  return size;
}

static inline void print(const char *bytes, uint32_t size) {
  result done;
  write_and_flush(get_stdout(), bytes, size, &done);
}

static inline void print_number(const char *before, uint64_t number) {
  char digits[24];
  uint32_t at = sizeof digits;
  digits[--at] = '\n';
  do digits[--at] = (char)('0' + number % 10);
  while ((number /= 10) != 0);
  print(before, size_of(before));
  print(digits + at, (uint32_t)sizeof digits - at);
}

static inline uint64_t number_of(text digits) {
  uint64_t number = 0;
  for (uint32_t i = 0; i < digits.size; ++i)
    number = number * 10 + (uint64_t)(digits.bytes[i] - '0');
  return number;
}

static inline int is(text argument, const char *word) {
  uint32_t at = 0;
  while (at < argument.size && word[at] != 0 && argument.bytes[at] == word[at]) ++at;
  return at == argument.size && word[at] == 0;
}

static inline void wait_for(handle pollable) {
  block(pollable);
  drop_pollable(pollable);
}

enum { kArguments = 6 };
// What was lifted before is forgotten while a program runs, so the arguments are copied.
static inline void copy_arguments(text *arguments) {
  static char kept[1024];
  uint32_t used = 0;
  text list;
  get_arguments(&list);
  for (uint32_t i = 0; i < kArguments; ++i) {
    const text argument = i < list.size ? ((const text *)list.bytes)[i] : (text){"", 0};
    arguments[i] = (text){kept + used, argument.size};
    for (uint32_t at = 0; at < argument.size; ++at) kept[used++] = argument.bytes[at];
  }
}
