// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Streams over preview 1's descriptors. What fails closes the stream
// (wasi:io/streams.stream-error).
#include "guest/wasi2/stream_io.h"

#include <cstddef>

#include "guest/wasi/transfer.h"
#include "guest/wasi2/http_body.h"
#include "guest/wasi2/poll.h"

namespace mayfly::guest {
namespace {

using wasi::Errno;

constexpr StreamOutcome closed() { return {.is_closed = true}; }

bool is_over_body(const Call& call, const Object& stream) {
  return is_body(call.objects.kind_of(stream.below));
}

bool is_over_socket(const Call& call, const Object& stream) {
  return call.objects.kind_of(stream.below) == ObjectKind::kTcpSocket;
}

StreamOutcome failed(const Call& call, Object& stream, Errno error) {
  stream.is_closed = true;
  stream.permitted = 0;
  StreamOutcome outcome{
      .is_closed = false, .error = error, .is_of_network = is_over_socket(call, stream)};
  if (!is_over_body(call, stream)) return outcome;
  if (error == Errno::kPipe) return closed();  // the answer came before the whole request
  if (error == Errno::kIo) {
    const ObjectKind body = call.objects.kind_of(stream.below);
    outcome.is_http = true;
    outcome.http = failure_of_exchange(call, call.objects.get(stream.below, body).below);
  }
  return outcome;
}

// More than the content-length that the message was made with.
StreamOutcome too_much(const Call& call, Object& stream) {
  StreamOutcome outcome = failed(call, stream, Errno::kFBig);
  outcome.is_http = true;
  outcome.http.code = HttpError::kRequestBodySize;
  return outcome;
}

// One transfer of preview 1: an iovec, and where the number of bytes goes.
struct Iovec {
  wasi::Iovec iovec;
  uint32_t bytes_done;
};

using Function = uint32_t (*)(const LinearMemory&, Descriptor&, const Iovecs&, const uint64_t*,
                              uint32_t);

// A stream's own position, or null where there are none.
const uint64_t* position_of(const Object& stream, const Descriptor& descriptor) {
  return descriptor.has_position() && !stream.appends ? &stream.position : nullptr;
}

Errno move(const Call& call, Object& stream, Descriptor& descriptor, Function function,
           uint32_t place, uint32_t* bytes) {
  const LinearMemory memory = call.transfer.linear();
  const uint64_t* const position = position_of(stream, descriptor);
  if (position != nullptr && *position > INT64_MAX) return Errno::kInval;
  const auto error = static_cast<Errno>(
      function(memory, descriptor, {place, 1}, position, place + offsetof(Iovec, bytes_done)));
  if (error != Errno::kSuccess) return error;
  *bytes = memory.load<Iovec>(place).bytes_done;
  if (position != nullptr) stream.position += *bytes;
  return Errno::kSuccess;
}

// What a stream that is ready takes. `room`: of its socket.
uint64_t room_without_waiting(const Call& call, const Object& stream, uint64_t room) {
  if (is_over_body(call, stream)) return guest_abi::kHttpRoomBytes;
  if (!is_over_socket(call, stream)) return kPipeBytes;
  if (room > kStreamBytesMax) return kStreamBytesMax;
  return room > kSocketBytes ? room : kSocketBytes;
}

}  // namespace

bool is_file(const Descriptor& descriptor) {
  return descriptor.is(wasi::FileType::kRegularFile) ||
         descriptor.is(wasi::FileType::kBlockDevice) || descriptor.has_position();
}

bool is_shut(const Call& call, Object& stream) {
  if (!is_over_socket(call, stream)) return stream.is_closed;
  const Object& below = call.objects.get_with_fd(stream.below);
  const bool reads = stream.kind == ObjectKind::kInputStream;
  if ((below.position & (reads ? wasi::kShutdownRead : wasi::kShutdownWrite)) != 0) {
    stream.is_closed = true;
  }
  return stream.is_closed;
}

Errno stream_descriptor(const Call& call, const Object& stream, wasi::Rights rights,
                        Descriptor** descriptor) {
  static Descriptor of_body;
  if (is_over_body(call, stream)) {
    body_descriptor(call, stream.below, &of_body);
    *descriptor = &of_body;
    return Errno::kSuccess;
  }
  return find_fd(call.objects.get_with_fd(stream.below).below, rights, descriptor);
}

StreamOutcome read_stream(const Call& call, uint32_t number, uint64_t length, Blocking blocking,
                          TransferBytes* bytes) {
  Object& stream = call.objects.get(number, ObjectKind::kInputStream);
  if (is_shut(call, stream)) return closed();
  if (length == 0) return {};
  Descriptor* descriptor = nullptr;
  const Errno found = stream_descriptor(call, stream, wasi::kFdRead, &descriptor);
  if (found != Errno::kSuccess) return failed(call, stream, found);
  const auto wanted = static_cast<uint32_t>(length < kStreamBytesMax ? length : kStreamBytesMax);
  const uint32_t to = call.transfer.reserve(wanted, 1);
  const uint32_t place = call.transfer.allocate(Iovec{{to, wanted}, 0});
  Descriptor unwaiting = *descriptor;
  unwaiting.fd_flags |= wasi::kFdNonblock;
  bytes->address = to;
  const bool waits = blocking == Blocking::kYes || is_file(*descriptor);
  const Errno error =
      move(call, stream, waits ? *descriptor : unwaiting, read_buffers, place, &bytes->size);
  if (error == Errno::kAgain && blocking == Blocking::kNo) return {};
  if (error != Errno::kSuccess) return failed(call, stream, error);
  if (bytes->size != 0) return {};
  stream.is_closed = true;
  return closed();
}

StreamOutcome check_write(const Call& call, uint32_t number, uint64_t* bytes) {
  Object& stream = call.objects.get(number, ObjectKind::kOutputStream);
  *bytes = 0;
  if (is_shut(call, stream)) return closed();
  if (is_buffered_body(call, stream.below)) {
    *bytes = stream.permitted = buffer_room(call, stream.below);
    return {};
  }
  Descriptor* descriptor = nullptr;
  const Errno found = stream_descriptor(call, stream, wasi::kFdWrite, &descriptor);
  if (found != Errno::kSuccess) return failed(call, stream, found);
  uint64_t room = 0;
  if (is_file(*descriptor)) {
    *bytes = kStreamBytesMax;
  } else if (is_ready(call, *descriptor, PollFor::kWrite, &room)) {
    *bytes = room_without_waiting(call, stream, room);
  }
  stream.permitted = *bytes;
  return {};
}

StreamOutcome write_stream(const Call& call, uint32_t number, const TransferBytes& bytes,
                           Permitted permitted) {
  Object& stream = call.objects.get(number, ObjectKind::kOutputStream);
  if (is_shut(call, stream)) return closed();
  if (is_over_body(call, stream)) {
    const Written written = write_to_body(call, stream.below, bytes);
    if (written == Written::kTooMuch) return too_much(call, stream);
    if (written == Written::kNoRoom) return failed(call, stream, Errno::kNoMem);
    if (written == Written::kBuffered) return {};
  }
  Descriptor* descriptor = nullptr;
  const Errno found = stream_descriptor(call, stream, wasi::kFdWrite, &descriptor);
  if (found != Errno::kSuccess) return failed(call, stream, found);
  TransferBytes left = bytes;
  const uint32_t place = call.transfer.allocate(Iovec{});
  while (left.size != 0) {
    call.transfer.store(place, Iovec{{left.address, left.size}, 0});
    Descriptor written = *descriptor;
    if (stream.appends) written.fd_flags |= wasi::kFdAppend;
    if (permitted == Permitted::kYes) written.fd_flags |= guest_abi::kWasiPermitted;
    uint32_t done = 0;
    const Errno error = move(call, stream, written, write_buffers, place, &done);
    if (error != Errno::kSuccess) return failed(call, stream, error);
    if (done == 0) return failed(call, stream, Errno::kIo);
    left = {left.address + done, left.size - done};
  }
  return {};
}

}  // namespace mayfly::guest
