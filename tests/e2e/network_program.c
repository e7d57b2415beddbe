// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A component that asks servers, without a library: each import is a function of WASI 0.2 as the
// canonical ABI flattens it, results lie where the last argument points.
//   get AUTHORITY PATH [https]       the status, the body, and its trailers
//   echo AUTHORITY BYTES             posts that many while it reads what comes back
//   tcp PORT BYTES                   the same over a socket, to 127.0.0.1
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
IMPORT("wasi:io/poll", "[method]pollable.block") void block(handle pollable);
IMPORT("wasi:io/poll", "[resource-drop]pollable") void drop_pollable(handle pollable);
IMPORT("wasi:io/streams", "[method]input-stream.blocking-read")
void blocking_read(handle stream, uint64_t size, read_result *to);
IMPORT("wasi:io/streams", "[resource-drop]input-stream") void drop_input(handle stream);
IMPORT("wasi:io/streams", "[method]output-stream.check-write")
void check_write(handle stream, size_result *to);
IMPORT("wasi:io/streams", "[method]output-stream.write")
void write(handle stream, const char *bytes, uint32_t size, result *to);
IMPORT("wasi:io/streams", "[method]output-stream.blocking-write-and-flush")
void write_and_flush(handle stream, const char *bytes, uint32_t size, result *to);
IMPORT("wasi:io/streams", "[resource-drop]output-stream") void drop_output(handle stream);

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
IMPORT("wasi:http/types", "[method]future-incoming-response.subscribe")
handle response_pollable(handle future);
IMPORT("wasi:http/types", "[method]future-incoming-response.get")
void get_response(handle future, large_result *to);
IMPORT("wasi:http/types", "[method]incoming-response.status") int status_of(handle response);
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
IMPORT("wasi:sockets/tcp", "[method]tcp-socket.finish-connect")
void finish_connect(handle socket, result *to);
IMPORT("wasi:sockets/tcp", "[method]tcp-socket.subscribe") handle socket_pollable(handle socket);
IMPORT("wasi:sockets/tcp", "[method]tcp-socket.shutdown")
void shutdown(handle socket, int type, result *to);

static uint32_t size_of(const char *string) {
  uint32_t size = 0;
  while (string[size] != 0) ++size;
  return size;
}

static void print(const char *bytes, uint32_t size) {
  result done;
  write_and_flush(get_stdout(), bytes, size, &done);
}

static void print_number(const char *before, uint64_t number) {
  char digits[24];
  uint32_t at = sizeof digits;
  digits[--at] = '\n';
  do digits[--at] = (char)('0' + number % 10);
  while ((number /= 10) != 0);
  print(before, size_of(before));
  print(digits + at, (uint32_t)sizeof digits - at);
}

static int failed(uint32_t code) {
  print_number("error ", code);
  return 1;
}

static uint64_t number_of(text digits) {
  uint64_t number = 0;
  for (uint32_t i = 0; i < digits.size; ++i)
    number = number * 10 + (uint64_t)(digits.bytes[i] - '0');
  return number;
}

static void wait_for(handle pollable) {
  block(pollable);
  drop_pollable(pollable);
}

// Each byte depends on its place in the stream.
static char byte_at(uint64_t place) { return (char)(place * 31 + (place >> 8) * 7); }

// What there is room for, up to `left`. Whether the stream still takes something.
static int write_some(handle stream, uint64_t *written, uint64_t left) {
  static char bytes[65536];
  size_result room;
  check_write(stream, &room);
  if (room.is_error) return 0;
  uint64_t size = room.value < left ? room.value : left;
  if (size > sizeof bytes) size = sizeof bytes;
  for (uint64_t i = 0; i < size; ++i) bytes[i] = byte_at(*written + i);
  result done;
  write(stream, bytes, (uint32_t)size, &done);
  *written += size;
  return !done.is_error;
}

// Reads what is there. 0: the end.
static int read_some(handle stream, uint64_t *count, int *is_right) {
  forget_lifted();
  read_result read;
  blocking_read(stream, 65536, &read);
  if (read.is_error) return 0;
  for (uint32_t i = 0; i < read.value.size; ++i) {
    *is_right = *is_right && read.value.bytes[i] == byte_at(*count + i);
  }
  *count += read.value.size;
  return 1;
}

static handle request_to(text authority, text path, int scheme) {
  handle request = new_request(new_fields());
  set_authority(request, 1, authority.bytes, authority.size);
  set_path(request, 1, path.bytes, path.size);
  set_scheme(request, 1, scheme, NULL, 0);
  return request;
}

// The body of the response to a future, after its status. 0: it failed.
static handle body_of_response(handle future) {
  wait_for(response_pollable(future));
  large_result got;
  get_response(future, &got);
  if ((uint8_t)got.words[2] != 0) return (handle)failed((uint8_t)got.words[3]) - 1;
  handle response = (handle)got.words[3];
  print_number("status ", (uint64_t)status_of(response));
  result body;
  consume(response, &body);
  drop_response(response);
  return body.value;
}

static handle stream_of(handle body) {
  result stream;
  body_stream(body, &stream);
  return stream.value;
}

static int get(text authority, text path, int scheme) {
  large_result sent;
  send(request_to(authority, path, scheme), 0, 0, &sent);
  if ((uint8_t)sent.words[0] != 0) return failed((uint8_t)sent.words[1]);
  handle body = body_of_response((handle)sent.words[1]);
  if (body == 0) return 1;
  handle stream = stream_of(body);
  read_result read;
  for (blocking_read(stream, 4096, &read); !read.is_error; blocking_read(stream, 4096, &read)) {
    print(read.value.bytes, read.value.size);
    forget_lifted();
  }
  print("\n", 1);
  drop_input(stream);
  handle future = to_trailers(body);
  wait_for(trailers_pollable(future));
  large_result got;
  get_trailers(future, &got);
  if ((uint8_t)got.words[2] != 0) return failed((uint8_t)got.words[3]);
  if ((uint8_t)got.words[3] == 0) return 0;
  handle trailers = (handle)(got.words[3] >> 32);
  text list;
  fields_get(trailers, "x-sum", 5, &list);
  for (uint32_t i = 0; i < list.size; ++i) {
    const text *value = (const text *)list.bytes + i;
    print_number("x-sum ", number_of(*value));
  }
  drop_fields(trailers);
  return 0;
}

static int report(uint64_t count, int is_right) {
  print_number("bytes ", count);
  print_number("right ", (uint64_t)is_right);
  return 0;
}

// Never more than one piece ahead of the server, so that neither side has to keep much.
static uint64_t pass_through(handle in, handle out, uint64_t bytes, uint64_t written,
                             int *is_right) {
  uint64_t count = 0;
  while (written < bytes && write_some(out, &written, bytes - written)) {
    while (count < written && read_some(in, &count, is_right)) {
    }
  }
  return count;
}

static int echo(text authority, uint64_t bytes) {
  static const text path = {"/echo", 5};
  handle request = request_to(authority, path, 0);
  set_method(request, 2, NULL, 0);
  result body, out;
  request_body(request, &body);
  body_write(body.value, &out);
  large_result sent;
  send(request, 0, 0, &sent);
  if ((uint8_t)sent.words[0] != 0) return failed((uint8_t)sent.words[1]);
  uint64_t written = 0;
  write_some(out.value, &written, bytes);
  handle response = body_of_response((handle)sent.words[1]);
  if (response == 0) return 1;
  handle in = stream_of(response);
  int is_right = 1;
  uint64_t count = pass_through(in, out.value, bytes, written, &is_right);
  drop_output(out.value);
  large_result done;
  finish_body(body.value, 0, 0, &done);
  while (read_some(in, &count, &is_right)) {
  }
  return report(count, is_right);
}

static int tcp(uint32_t port, uint64_t bytes) {
  result made, done;
  create_tcp_socket(0, &made);
  if (made.is_error) return failed((uint8_t)made.value);
  handle socket = made.value;
  start_connect(socket, instance_network(), 0, (int)port, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, &done);
  if (done.is_error) return failed(((uint8_t *)&done)[1]);
  wait_for(socket_pollable(socket));
  result streams;  // in and out
  finish_connect(socket, &streams);
  if (streams.is_error) return failed((uint8_t)streams.value);
  int is_right = 1;
  uint64_t count = pass_through(streams.value, streams.error, bytes, 0, &is_right);
  shutdown(socket, 1, &done);
  while (read_some(streams.value, &count, &is_right)) {
  }
  return report(count, is_right);
}

static int is(text argument, const char *word) {
  uint32_t at = 0;
  while (at < argument.size && word[at] != 0 && argument.bytes[at] == word[at]) ++at;
  return at == argument.size && word[at] == 0;
}

// What was lifted before is forgotten while it runs, so the arguments are copied.
static text keep(text argument) {
  static char kept[1024];
  static uint32_t used;
  text copy = {kept + used, argument.size};
  for (uint32_t i = 0; i < argument.size; ++i) kept[used++] = argument.bytes[i];
  return copy;
}

__attribute__((export_name("run"))) int run(void) {
  text list, arguments[5] = {{"", 0}, {"", 0}, {"", 0}, {"", 0}, {"", 0}};
  get_arguments(&list);
  for (uint32_t i = 0; i < list.size && i < 5; ++i) {
    arguments[i] = keep(((const text *)list.bytes)[i]);
  }
  if (is(arguments[1], "get")) return get(arguments[2], arguments[3], is(arguments[4], "https"));
  if (is(arguments[1], "echo")) return echo(arguments[2], number_of(arguments[3]));
  if (is(arguments[1], "tcp")) {
    return tcp((uint32_t)number_of(arguments[2]), number_of(arguments[3]));
  }
  return 1;
}
