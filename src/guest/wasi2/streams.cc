// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// wasi:io/streams and wasi:io/error.
#include "guest/wasi/port_call.h"
#include "guest/wasi2/functions.h"
#include "guest/wasi2/http_body.h"
#include "guest/wasi2/http_exchange.h"
#include "guest/wasi2/network.h"
#include "guest/wasi2/poll.h"
#include "guest/wasi2/stream_io.h"

namespace mayfly::guest {
namespace {

using guest_abi::ComponentTrap;
using wasi::Errno;

// What the functions that block write at once at most.
constexpr uint64_t kBlockingBytesMax = 4096;

// variant stream-error.
struct StreamError {
  uint8_t is_closed;
  uint32_t error;
};

// result<T, stream-error>.
template <typename T>
struct StreamResult {
  uint8_t is_error;
  union {
    T value;
    StreamError error;
  };
};

template <typename T>
uint32_t result(const Call& call, const StreamOutcome& outcome, const T& value) {
  StreamResult<T> made{};
  if (outcome.is_ok()) {
    made.value = value;
    return call.transfer.allocate(made);
  }
  made.is_error = 1;
  made.error = {1, 0};
  if (!outcome.is_closed) {
    Object error{};
    error.kind = ObjectKind::kError;
    error.error = static_cast<uint8_t>(outcome.error);
    error.is_of_network = outcome.is_of_network;
    if (outcome.is_http) set_error_code(&error, outcome.http);
    made.error = {0, call.objects.add(error)};
  }
  return call.transfer.allocate(made);
}

uint32_t result(const Call& call, const StreamOutcome& outcome) {
  return result(call, outcome, StreamError{});
}

uint32_t read(const Call& call, uint32_t stream, uint64_t length, Blocking blocking) {
  TransferBytes bytes;
  const StreamOutcome outcome = read_stream(call, stream, length, blocking, &bytes);
  return result(call, outcome, bytes);
}

uint32_t skip(const Call& call, uint32_t stream, uint64_t length, Blocking blocking) {
  TransferBytes bytes;
  const StreamOutcome outcome = read_stream(call, stream, length, blocking, &bytes);
  return result(call, outcome, uint64_t{bytes.size});
}

// What check-write has permitted is used up by it.
StreamOutcome write_permitted(const Call& call, uint32_t number, const TransferBytes& bytes) {
  Object& stream = call.objects.get(number, ObjectKind::kOutputStream);
  if (!is_shut(call, stream) && bytes.size > stream.permitted) {
    component_trap(ComponentTrap::kWriteNotPermitted);
  }
  const StreamOutcome outcome = write_stream(call, number, bytes, Permitted::kYes);
  if (outcome.is_ok()) stream.permitted -= bytes.size;
  return outcome;
}

// Bytes of the program, which an adapter has put there.
TransferBytes given(const Call& call, uint32_t address, uint32_t size) {
  call.transfer.at(address, size);
  return {address, size};
}

// Before they are there, a program could ask for more zeros than it may write.
StreamOutcome write_zeroes(const Call& call, uint32_t number, uint64_t length) {
  Object& stream = call.objects.get(number, ObjectKind::kOutputStream);
  if (!is_shut(call, stream) && length > stream.permitted) {
    component_trap(ComponentTrap::kWriteNotPermitted);
  }
  const uint64_t size = stream.is_closed ? 0 : length;
  const uint32_t zeros = call.transfer.allocate(size, 1);
  return write_permitted(call, number, {zeros, static_cast<uint32_t>(size)});
}

StreamOutcome write_blocking(const Call& call, uint32_t number, const TransferBytes& bytes) {
  if (bytes.size > kBlockingBytesMax) component_trap(ComponentTrap::kWriteTooLong);
  return write_stream(call, number, bytes, Permitted::kNo);
}

// Nothing waits in a stream. What preview 1 has written behind goes to the host, which then says
// whether all of this file's went well.
StreamOutcome flush(const Call& call, uint32_t number) {
  Object& stream = call.objects.get(number, ObjectKind::kOutputStream);
  if (is_shut(call, stream)) return {.is_closed = true};
  const guest_abi::WriteBehind& words = call_page().write_behind;
  if (is_buffered_body(call, stream.below)) return {};
  if (words.produced == __atomic_load_n(&words.consumed, __ATOMIC_ACQUIRE) &&
      words.has_failed == 0) {
    return {};
  }
  Descriptor* descriptor = nullptr;
  Errno error = stream_descriptor(call, stream, wasi::kFdWrite, &descriptor);
  if (error == Errno::kSuccess) {
    auto& request = new_request<guest_abi::WasiHandleRequest>();
    request.handle = descriptor->handle();
    request.detail = guest_abi::kWasiTellLateError;
    error = call_port(guest_abi::WasiPort::kSettle, request);
  }
  if (error == Errno::kSuccess) return {};
  stream.is_closed = true;
  return {.is_closed = false, .error = error};
}

// Waits until the stream takes bytes. A closed one says so itself.
void wait_to_write(const Call& call, uint32_t number) {
  Object& stream = call.objects.get(number, ObjectKind::kOutputStream);
  Descriptor* descriptor = nullptr;
  if (is_shut(call, stream) || is_buffered_body(call, stream.below) ||
      stream_descriptor(call, stream, wasi::kFdWrite, &descriptor) != Errno::kSuccess ||
      is_file(*descriptor)) {
    return;
  }
  wait_for(call, *descriptor, PollFor::kWrite);
}

uint32_t splice(const Call& call, uint32_t to, uint32_t from, uint64_t length, Blocking blocking) {
  call.objects.get(from, ObjectKind::kInputStream);
  if (blocking == Blocking::kYes) wait_to_write(call, to);
  uint64_t permitted = 0;
  StreamOutcome outcome = check_write(call, to, &permitted);
  if (!outcome.is_ok()) return result(call, outcome, uint64_t{0});
  TransferBytes bytes;
  outcome = read_stream(call, from, length < permitted ? length : permitted, blocking, &bytes);
  if (outcome.is_ok()) outcome = write_permitted(call, to, bytes);
  return result(call, outcome, uint64_t{bytes.size});
}

ErrorCode code_of(const Call& call, uint32_t error) {
  return error_code(static_cast<Errno>(call.objects.get(error, ObjectKind::kError).error));
}

}  // namespace
}  // namespace mayfly::guest

using namespace mayfly::guest;  // NOLINT: the C functions below are this file's only others

uint32_t mayfly_wasi2_read(MemoryInfo* transfer, MemoryInfo* state, uint32_t stream,
                           uint64_t length) {
  return read(Call(transfer, state), stream, length, Blocking::kNo);
}

uint32_t mayfly_wasi2_blocking_read(MemoryInfo* transfer, MemoryInfo* state, uint32_t stream,
                                    uint64_t length) {
  return read(Call(transfer, state), stream, length, Blocking::kYes);
}

uint32_t mayfly_wasi2_skip(MemoryInfo* transfer, MemoryInfo* state, uint32_t stream,
                           uint64_t length) {
  return skip(Call(transfer, state), stream, length, Blocking::kNo);
}

uint32_t mayfly_wasi2_blocking_skip(MemoryInfo* transfer, MemoryInfo* state, uint32_t stream,
                                    uint64_t length) {
  return skip(Call(transfer, state), stream, length, Blocking::kYes);
}

uint32_t mayfly_wasi2_subscribe_read(MemoryInfo* transfer, MemoryInfo* state, uint32_t stream) {
  const Call call(transfer, state);
  call.objects.get(stream, ObjectKind::kInputStream);
  return new_stream_pollable(call, stream, PollFor::kRead);
}

void mayfly_wasi2_drop_input_stream(MemoryInfo* transfer, MemoryInfo* state, uint32_t stream) {
  Call(transfer, state).objects.release(stream, ObjectKind::kInputStream);
}

uint32_t mayfly_wasi2_check_write(MemoryInfo* transfer, MemoryInfo* state, uint32_t stream) {
  const Call call(transfer, state);
  uint64_t bytes = 0;
  const StreamOutcome outcome = check_write(call, stream, &bytes);
  return result(call, outcome, bytes);
}

uint32_t mayfly_wasi2_write(MemoryInfo* transfer, MemoryInfo* state, uint32_t stream,
                            uint32_t bytes, uint32_t size) {
  const Call call(transfer, state);
  return result(call, write_permitted(call, stream, given(call, bytes, size)));
}

uint32_t mayfly_wasi2_write_and_flush(MemoryInfo* transfer, MemoryInfo* state, uint32_t stream,
                                      uint32_t bytes, uint32_t size) {
  const Call call(transfer, state);
  return result(call, write_blocking(call, stream, given(call, bytes, size)));
}

uint32_t mayfly_wasi2_flush(MemoryInfo* transfer, MemoryInfo* state, uint32_t stream) {
  const Call call(transfer, state);
  return result(call, flush(call, stream));
}

uint32_t mayfly_wasi2_subscribe_write(MemoryInfo* transfer, MemoryInfo* state, uint32_t stream) {
  const Call call(transfer, state);
  call.objects.get(stream, ObjectKind::kOutputStream);
  return new_stream_pollable(call, stream, PollFor::kWrite);
}

uint32_t mayfly_wasi2_write_zeroes(MemoryInfo* transfer, MemoryInfo* state, uint32_t stream,
                                   uint64_t length) {
  const Call call(transfer, state);
  return result(call, write_zeroes(call, stream, length));
}

uint32_t mayfly_wasi2_write_zeroes_and_flush(MemoryInfo* transfer, MemoryInfo* state,
                                             uint32_t stream, uint64_t length) {
  const Call call(transfer, state);
  if (length > kBlockingBytesMax) component_trap(ComponentTrap::kWriteTooLong);
  const uint32_t zeros = call.transfer.allocate(length, 1);
  return result(call, write_blocking(call, stream, {zeros, static_cast<uint32_t>(length)}));
}

uint32_t mayfly_wasi2_splice(MemoryInfo* transfer, MemoryInfo* state, uint32_t to, uint32_t from,
                             uint64_t length) {
  return splice(Call(transfer, state), to, from, length, Blocking::kNo);
}

uint32_t mayfly_wasi2_blocking_splice(MemoryInfo* transfer, MemoryInfo* state, uint32_t to,
                                      uint32_t from, uint64_t length) {
  return splice(Call(transfer, state), to, from, length, Blocking::kYes);
}

void mayfly_wasi2_drop_output_stream(MemoryInfo* transfer, MemoryInfo* state, uint32_t stream) {
  Call(transfer, state).objects.release(stream, ObjectKind::kOutputStream);
}

uint32_t mayfly_wasi2_error_to_debug_string(MemoryInfo* transfer, MemoryInfo* state,
                                            uint32_t error) {
  const Call call(transfer, state);
  const Object& object = call.objects.get(error, ObjectKind::kError);
  const char* const text = object.is_of_network
                               ? error_text(network_error(static_cast<wasi::Errno>(object.error)))
                               : error_text(code_of(call, error));
  return call.transfer.allocate(call.transfer.put(text));
}

uint32_t mayfly_wasi2_filesystem_error_code(MemoryInfo* transfer, MemoryInfo* state,
                                            uint32_t error) {
  const Call call(transfer, state);
  const Object& object = call.objects.get(error, ObjectKind::kError);
  if (object.is_of_network || object.permitted != 0) return call.none<ErrorCode>();
  return call.some(code_of(call, error));
}

void mayfly_wasi2_drop_error(MemoryInfo* transfer, MemoryInfo* state, uint32_t error) {
  Call(transfer, state).objects.release(error, ObjectKind::kError);
}
