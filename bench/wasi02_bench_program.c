// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What wasi02_bench.py measures of WASI 0.2: `program ROW COUNT [PORT]` does one thing COUNT times,
// or with COUNT bytes, and prints nanoseconds. Files lie in its first directory.
#include "wasi2.h"

enum { kRead4k = 4096, kRead64k = 65536 };
static char bytes[kRead64k];

static void fail(void) { __builtin_trap(); }

static handle open_file(int how, int flags) {
  text directories;
  get_directories(&directories);
  if (directories.size == 0) fail();
  result file;
  open_at(*(const handle *)(const void *)directories.bytes, 0, "0", 1, how, flags, &file);
  if (file.is_error) fail();
  return file.value;
}

// A flush waits for the bytes to be there, and takes at most 4 KiB at once.
static void write_file(uint64_t count) {
  result stream, done;
  handle file = open_file(kCreate | kTruncate, kWrite);
  write_stream(file, 0, &stream);
  for (uint64_t i = 0; i < count; ++i) {
    write_and_flush(stream.value, bytes, 4096, &done);
    if (done.is_error) fail();
  }
  drop_output(stream.value);
  drop_descriptor(file);
}

static void read_file(uint64_t count, uint32_t size) {
  result stream;
  read_result read;
  handle file = open_file(0, kRead);
  read_stream(file, 0, &stream);
  for (uint64_t i = 0; i < count; ++i) {
    forget_lifted();
    blocking_read(stream.value, size, &read);
    if (read.is_error || read.value.size != size) fail();
  }
  drop_input(stream.value);
  drop_descriptor(file);
}

static handle connect_to(uint32_t port, result *streams) {
  result made, done;
  create_tcp_socket(0, &made);
  start_connect(made.value, instance_network(), 0, (int)port, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0,
                &done);
  if (made.is_error || done.is_error) fail();
  wait_for(socket_pollable(made.value));
  finish_connect(made.value, streams);
  if (streams->is_error) fail();
  return made.value;
}

// The server closes when it has all.
static void send_bytes(uint32_t port, uint64_t left) {
  result streams, done;
  const handle socket = connect_to(port, &streams);
  const handle in = streams.value, out = streams.error;
  const handle has_room = output_pollable(out);
  while (left != 0) {
    size_result room;
    check_write(out, &room);
    if (room.is_error) fail();
    if (room.value == 0) block(has_room);
    uint64_t size = room.value < left ? room.value : left;
    if (size > sizeof bytes) size = sizeof bytes;
    if (size != 0) write(out, bytes, (uint32_t)size, &done);
    left -= size;
  }
  shutdown(socket, 1, &done);
  read_result read;
  blocking_read(in, 1, &read);
  if (!read.is_error) fail();
}

static void receive_bytes(uint32_t port, uint64_t left) {
  result streams;
  connect_to(port, &streams);
  while (left != 0) {
    forget_lifted();
    read_result read;
    blocking_read(streams.value, kRead64k, &read);
    if (read.is_error || read.value.size > left) fail();
    left -= read.value.size;
  }
}

static void read_clock(uint64_t count) {
  uint64_t sum = 0;
  for (uint64_t i = 0; i < count; ++i) sum += now();
  if (sum == 0) fail();
}

static void get_random(uint64_t count) {
  uint64_t bits = 0;
  for (uint64_t i = 0; i < count; ++i) bits |= random_number();
  if (bits == 0) fail();
}

__attribute__((export_name("run"))) int run(void) {
  text arguments[kArguments];
  copy_arguments(arguments);
  const text row = arguments[1];
  const uint64_t count = number_of(arguments[2]);
  const uint32_t port = (uint32_t)number_of(arguments[3]);
  const int reads_4k = is(row, "read4k"), reads_64k = is(row, "read64k");
  if (reads_4k) write_file(count);
  if (reads_64k) write_file(count * 16);
  const uint64_t start = now();
  if (is(row, "clock")) read_clock(count);
  if (is(row, "random")) get_random(count);
  if (is(row, "write4k")) write_file(count);
  if (reads_4k) read_file(count, kRead4k);
  if (reads_64k) read_file(count, kRead64k);
  if (is(row, "send")) send_bytes(port, count);
  if (is(row, "receive")) receive_bytes(port, count);
  print_number("nanoseconds ", now() - start);
  return 0;
}
