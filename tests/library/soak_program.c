// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A component that opens, reads, writes, polls, drops and traps at random, and leaves open what it
// has not dropped. Its argument is the port of a server at 127.0.0.1. What fails is not kept.
#include "wasi2.h"

enum Kind {
  kNone,
  kFile,
  kInput,
  kOutput,
  kPollable,
  kTcp,
  kUdp,
  kIncoming,
  kOutgoing,
  kLookup,
  kBucket,
  kFuture,
};
static struct {
  enum Kind kind;
  handle number;
} kept[12];
enum { kKept = sizeof kept / sizeof *kept, kSteps = 24 };

static char bytes[8192];

static uint32_t below(uint32_t end) { return (uint32_t)(random_number() % end); }

static void drop(enum Kind kind, handle number) {
  switch (kind) {
    case kFile:
      return drop_descriptor(number);
    case kInput:
      return drop_input(number);
    case kOutput:
      return drop_output(number);
    case kPollable:
      return drop_pollable(number);
    case kTcp:
      return drop_tcp_socket(number);
    case kUdp:
      return drop_udp_socket(number);
    case kIncoming:
      return drop_incoming(number);
    case kOutgoing:
      return drop_outgoing(number);
    case kLookup:
      return drop_lookup(number);
    case kBucket:
      return drop_bucket(number);
    case kFuture:
      return drop_future(number);
    case kNone:
      return;
  }
}

// Drops what had its place, which traps where something was made of it that is still there.
static void keep(enum Kind kind, handle number) {
  const uint32_t place = below(kKept);
  drop(kept[place].kind, kept[place].number);
  kept[place].kind = kind;
  kept[place].number = number;
}

static void keep_result(enum Kind kind, const result *made) {
  if (!made->is_error) keep(kind, made->value);
}

// One of a kind that is kept, from a random place on. 0: there is none.
static handle find(enum Kind kind) {
  const uint32_t first = below(kKept);
  for (uint32_t i = 0; i < kKept; ++i) {
    const uint32_t place = (first + i) % kKept;
    if (kept[place].kind == kind) return kept[place].number;
  }
  return 0;
}

static void open_some(void) {
  static const char names[] = "abcd";
  text directories;
  result made;
  get_directories(&directories);
  if (directories.size == 0) return;
  const handle root = *(const handle *)(const void *)directories.bytes;
  open_at(root, 0, names + below(4), 1, kCreate, kRead | kWrite, &made);
  keep_result(kFile, &made);
  drop_descriptor(root);
}

static void use_file(void) {
  result made;
  const handle file = find(kFile);
  if (file == 0) return open_some();
  if (below(2) != 0) {
    read_stream(file, below(10000), &made);
    return keep_result(kInput, &made);
  }
  write_stream(file, below(10000), &made);
  keep_result(kOutput, &made);
}

static void move_bytes(void) {
  read_result read;
  result done;
  const handle in = find(kInput), out = find(kOutput);
  if (in != 0) read_now(in, below(sizeof bytes), &read);
  size_result room = {1, 0};
  if (out != 0) check_write(out, &room);
  if (room.is_error || room.value == 0) return;
  const uint64_t most = room.value < sizeof bytes ? room.value : sizeof bytes;
  write(out, bytes, below((uint32_t)most + 1), &done);
}

static void subscribe(void) {
  const handle in = find(kInput), out = find(kOutput), incoming = find(kIncoming);
  if (in != 0 && below(3) == 0) return keep(kPollable, input_pollable(in));
  if (out != 0 && below(3) == 0) return keep(kPollable, output_pollable(out));
  if (incoming != 0 && below(3) == 0) return keep(kPollable, incoming_pollable(incoming));
  keep(kPollable, timer(below(100000)));
}

// Waits for any of them, for at most some microseconds.
static void poll_all(void) {
  handle pollables[kKept + 1];
  uint32_t count = 0;
  text ready;
  for (uint32_t i = 0; i < kKept; ++i) {
    if (kept[i].kind == kPollable) pollables[count++] = kept[i].number;
  }
  pollables[count++] = timer(below(20000));
  poll(pollables, count, &ready);
  drop_pollable(pollables[count - 1]);
}

static void connect_tcp(uint32_t port) {
  result made, done;
  create_tcp_socket(0, &made);
  if (made.is_error) return;
  start_connect(made.value, instance_network(), 0, (int)port, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0,
                &done);
  if (!done.is_error && below(4) != 0) {
    wait_for(socket_pollable(made.value));
    finish_connect(made.value, &done);
    if (!done.is_error) {
      keep(kInput, done.value);
      keep(kOutput, done.error);
    }
  }
  keep(kTcp, made.value);
}

static void use_udp(uint32_t port) {
  result made, done;
  size_result sent;
  create_udp_socket(0, &made);
  if (made.is_error) return;
  start_udp_bind(made.value, instance_network(), 0, 0, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, &done);
  finish_udp_bind(made.value, &done);
  udp_streams(made.value, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, &done);
  if (!done.is_error) {
    const outgoing_datagram datagram = {
        {bytes, below(1000)}, 1, {0, (uint16_t)port, {127, 0, 0, 1}, {0}}};
    check_send(done.error, &sent);
    if (!sent.is_error && sent.value != 0) send_datagrams(done.error, &datagram, 1, &sent);
    keep(kIncoming, done.value);
    keep(kOutgoing, done.error);
  }
  keep(kUdp, made.value);
}

static void look_up(void) {
  static const char name[] = "localhost";
  result made;
  next_result next;
  const handle lookup = find(kLookup);
  if (lookup != 0) return next_address(lookup, &next);
  resolve(instance_network(), name, sizeof name - 1, &made);
  keep_result(kLookup, &made);
}

static void use_bucket(void) {
  large_result done;
  const handle bucket = find(kBucket);
  if (bucket == 0) {
    open_bucket("bucket", 6, &done);
    if ((uint8_t)done.words[0] == 0) keep(kBucket, (handle)(done.words[0] >> 32));
    return;
  }
  set_entry(bucket, "key", 3, bytes, below(1000), &done);
  get_entry(bucket, "key", 3, &done);
}

static void ask(uint32_t port) {
  static char authority[] = "127.0.0.1:00000";
  large_result sent, got;
  const handle future = find(kFuture);
  if (future != 0) return get_response(future, &got);
  for (uint32_t i = 0; i < 5; ++i, port /= 10) authority[14 - i] = (char)('0' + port % 10);
  const handle request = new_request(new_fields());
  set_authority(request, 1, authority, 15);
  send(request, 0, 0, &sent);
  if ((uint8_t)sent.words[0] == 0) keep(kFuture, (handle)sent.words[1]);
}

static void step(uint32_t port) {
  const uint32_t place = below(kKept);
  switch (below(32)) {
    case 0:
      return connect_tcp(port);
    case 1:
      return use_udp(port);
    case 2:
      return look_up();
    case 3:
      return below(4) == 0 ? ask(port) : subscribe();
    case 4:
      if (below(8) == 0) __builtin_trap();
      return use_bucket();
    case 5:
    case 6:
    case 7:
      drop(kept[place].kind, kept[place].number);
      kept[place].kind = kNone;
      return;
    default:
      break;
  }
  switch (below(5)) {
    case 0:
      return open_some();
    case 1:
      return use_file();
    case 2:
      return subscribe();
    case 3:
      return poll_all();
    default:
      return move_bytes();
  }
}

__attribute__((export_name("run"))) int run(void) {
  text arguments[kArguments];
  copy_arguments(arguments);
  const uint32_t port = (uint32_t)number_of(arguments[1]);
  const uint32_t steps = below(kSteps);
  for (uint32_t i = 0; i < steps; ++i) {
    forget_lifted();
    step(port);
  }
  return 0;
}
