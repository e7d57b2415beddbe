// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Bytes of streams, whatever is behind them. A file's stream has a position of its own, and reads
// and writes at it, by way of preview 1's reading ahead and writing behind; anything else (pipes,
// terminals, sockets) waits in the host, or not at all.
#pragma once

#include <cstdint>

#include "guest/wasi/fd_table.h"
#include "guest/wasi2/call.h"
#include "guest/wasi2/http_objects.h"

namespace mayfly::guest {

enum class Blocking : uint8_t { kNo, kYes };

// What a stream's function came to; the rest is in the stream.
struct StreamOutcome {
  bool is_closed = false;
  wasi::Errno error = wasi::Errno::kSuccess;
  bool is_of_network = false;  // the error
  bool is_http = false;        // and why is in http
  HttpFailure http = {};

  bool is_ok() const { return !is_closed && error == wasi::Errno::kSuccess; }
};

// How much one call of a stream's function moves at most: the transfer memory does not shrink.
inline constexpr uint64_t kStreamBytesMax = uint64_t{256} << 10;
// What a pipe takes without waiting when it takes anything: PIPE_BUF of Linux.
inline constexpr uint64_t kPipeBytes = 4096;
// What a socket that takes anything takes at least: the host makes room for it.
inline constexpr uint64_t kSocketBytes = 16384;

// Whether nothing here ever waits: poll() knows no waiting for files.
bool is_file(const Descriptor& descriptor);

// Whether a stream's direction of its socket was shut down. It is closed then.
bool is_shut(const Call& call, Object& stream);

// The descriptor below a stream, or one that stands for a body of wasi:http, until the next call.
// Errors: kBadF, kNotCapable. Precondition: it is no body whose writes wait (is_buffered_body).
wasi::Errno stream_descriptor(const Call& call, const Object& stream, wasi::Rights rights,
                              Descriptor** descriptor);

// Up to `length` bytes, put into the transfer memory. None: nothing is there yet.
StreamOutcome read_stream(const Call& call, uint32_t number, uint64_t length, Blocking blocking,
                          TransferBytes* bytes);

// How many bytes the next writes may have. Never waits.
StreamOutcome check_write(const Call& call, uint32_t number, uint64_t* bytes);
// All of the bytes, waiting where it must; what check-write has permitted does not wait.
enum class Permitted : uint8_t { kNo, kYes };
StreamOutcome write_stream(const Call& call, uint32_t number, const TransferBytes& bytes,
                           Permitted permitted);

}  // namespace mayfly::guest
