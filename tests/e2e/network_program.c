// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A component that asks servers, without a library: each import is a function of WASI 0.2 as the
// canonical ABI flattens it, results lie where the last argument points.
//   get AUTHORITY PATH [https]       the status, the body, and its trailers
//   follow AUTHORITY PATH            the status, and that of where a redirect leads
//   echo AUTHORITY BYTES             posts that many while it reads what comes back
//   tcp PORT BYTES                   the same over a socket, to 127.0.0.1
//   udp PORT COUNT [connected]       as many datagrams to there, one after the other's answer
//   listen PORT, resolve NAME        only whether it may
#include "wasi2.h"

static int failed(uint32_t code) {
  print_number("error ", code);
  return 1;
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

// "http://AUTHORITY/PATH" of a response's location.
static int location_of(handle response, text *authority, text *path) {
  static char kept[256];
  text list;
  fields_get(headers_of(response), "location", 8, &list);
  if (list.size != 1) return 0;
  const text location = *(const text *)(const void *)list.bytes;
  if (location.size < 8 || location.size > sizeof kept) return 0;
  for (uint32_t i = 0; i < location.size; ++i) kept[i] = location.bytes[i];
  uint32_t end = 7;
  while (end < location.size && kept[end] != '/') ++end;
  *authority = (text){kept + 7, end - 7};
  *path = (text){kept + end, location.size - end};
  return 1;
}

static int follow(text authority, text path) {
  for (int turns = 0; turns < 2; ++turns) {
    large_result sent, got;
    send(request_to(authority, path, 0), 0, 0, &sent);
    if ((uint8_t)sent.words[0] != 0) return failed((uint8_t)sent.words[1]);
    wait_for(response_pollable((handle)sent.words[1]));
    get_response((handle)sent.words[1], &got);
    if ((uint8_t)got.words[2] != 0) return failed((uint8_t)got.words[3]);
    print_number("status ", (uint64_t)status_of((handle)got.words[3]));
    if (!location_of((handle)got.words[3], &authority, &path)) return 0;
    forget_lifted();
  }
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

static int is_same(text one, const char *other, uint32_t size) {
  int same = one.size == size;
  for (uint32_t i = 0; same && i < size; ++i) same = one.bytes[i] == other[i];
  return same;
}

// Sends one datagram of that size and waits for it to come back. The error-code, or -1.
static int send_and_receive(handle in, handle out, uint32_t port, int is_connected, uint32_t size,
                            int *is_right) {
  static char bytes[65536];
  size_result room, sent;
  for (uint32_t i = 0; i < size; ++i) bytes[i] = byte_at(size + i);
  for (check_send(out, &room); !room.is_error && room.value == 0; check_send(out, &room))
    wait_for(outgoing_pollable(out));
  const outgoing_datagram datagram = {
      {bytes, size}, !is_connected, {0, (uint16_t)port, {127, 0, 0, 1}, {0}}};
  send_datagrams(out, &datagram, 1, &sent);
  if (sent.is_error) return (uint8_t)sent.value;
  forget_lifted();
  read_result got;
  do {
    wait_for(incoming_pollable(in));
    receive(in, 16, &got);
    if (got.is_error) return (uint8_t)(uintptr_t)got.value.bytes;
  } while (got.value.size == 0);
  const incoming_datagram *first = (const incoming_datagram *)(const void *)got.value.bytes;
  *is_right = *is_right && got.value.size == 1 && is_same(first->data, bytes, size) &&
              (uint8_t)first->from.is_ipv6 == 0 && first->from.port == port &&
              first->from.ipv4[0] == 127 && first->from.ipv4[3] == 1;
  return -1;
}

static int udp(uint32_t port, uint64_t count, int is_connected) {
  result made, done, streams;
  create_udp_socket(0, &made);
  if (made.is_error) return failed((uint8_t)made.value);
  start_udp_bind(made.value, instance_network(), 0, 0, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, &done);
  if (!done.is_error) finish_udp_bind(made.value, &done);
  if (done.is_error) return failed(((uint8_t *)&done)[1]);
  udp_streams(made.value, is_connected, 0, (int)port, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, &streams);
  if (streams.is_error) return failed((uint8_t)streams.value);
  int is_right = 1;
  for (uint64_t i = 0; i < count; ++i) {
    const int code = send_and_receive(streams.value, streams.error, port, is_connected,
                                      (uint32_t)(i * 61 % 9000), &is_right);
    if (code >= 0) return failed((uint32_t)code);
  }
  return report(count, is_right);
}

static int listen_at(uint32_t port) {
  result made, done;
  create_tcp_socket(0, &made);
  if (made.is_error) return failed((uint8_t)made.value);
  start_tcp_bind(made.value, instance_network(), 0, (int)port, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0,
                 &done);
  return done.is_error ? failed(((uint8_t *)&done)[1]) : 0;
}

// How many addresses a name has.
static int resolve_name(text name) {
  result stream;
  resolve(instance_network(), name.bytes, name.size, &stream);
  if (stream.is_error) return failed((uint8_t)stream.value);
  uint64_t count = 0;
  next_result next;
  do {
    wait_for(lookup_pollable(stream.value));
    next_address(stream.value, &next);
    if (next.is_error) return failed(next.is_some);
    count += next.is_some;
  } while (next.is_some);
  print_number("addresses ", count);
  return 0;
}

__attribute__((export_name("run"))) int run(void) {
  text arguments[kArguments];
  copy_arguments(arguments);
  if (is(arguments[1], "get")) return get(arguments[2], arguments[3], is(arguments[4], "https"));
  if (is(arguments[1], "follow")) return follow(arguments[2], arguments[3]);
  if (is(arguments[1], "echo")) return echo(arguments[2], number_of(arguments[3]));
  if (is(arguments[1], "tcp")) {
    return tcp((uint32_t)number_of(arguments[2]), number_of(arguments[3]));
  }
  if (is(arguments[1], "udp")) {
    return udp((uint32_t)number_of(arguments[2]), number_of(arguments[3]),
               is(arguments[4], "connected"));
  }
  if (is(arguments[1], "listen")) return listen_at((uint32_t)number_of(arguments[2]));
  if (is(arguments[1], "resolve")) return resolve_name(arguments[2]);
  return 1;
}
