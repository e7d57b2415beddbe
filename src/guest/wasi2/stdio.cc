// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// wasi:cli: standard streams and terminals. A terminal has nothing of its own: its representation
// is its fd, and it is dropped in vain.
#include "guest/wasi2/descriptor.h"
#include "guest/wasi2/functions.h"

namespace mayfly::guest {
namespace {

enum : uint32_t { kStdin = 0, kStdout = 1, kStderr = 2 };

uint32_t standard_stream(const Call& call, uint32_t fd, ObjectKind kind) {
  const uint32_t descriptor = new_descriptor(call, fd, KeepsFd::kYes);
  const uint32_t stream = new_stream(call, kind, descriptor, 0);
  call.objects.release(descriptor, ObjectKind::kDescriptor);
  return stream;
}

// option<terminal>.
uint32_t terminal(const Call& call, uint32_t fd) {
  const Descriptor* const descriptor = fd_table().find(fd);
  const bool is_terminal = descriptor != nullptr && descriptor->has(guest_abi::kWasiTerminal);
  return is_terminal ? call.some(fd) : call.none<uint32_t>();
}

}  // namespace
}  // namespace mayfly::guest

using namespace mayfly::guest;  // NOLINT: the C functions below are this file's only others

uint32_t mayfly_wasi2_get_stdin(MemoryInfo* transfer, MemoryInfo* state) {
  return standard_stream(Call(transfer, state), kStdin, ObjectKind::kInputStream);
}

uint32_t mayfly_wasi2_get_stdout(MemoryInfo* transfer, MemoryInfo* state) {
  return standard_stream(Call(transfer, state), kStdout, ObjectKind::kOutputStream);
}

uint32_t mayfly_wasi2_get_stderr(MemoryInfo* transfer, MemoryInfo* state) {
  return standard_stream(Call(transfer, state), kStderr, ObjectKind::kOutputStream);
}

uint32_t mayfly_wasi2_get_terminal_stdin(MemoryInfo* transfer, MemoryInfo* state) {
  return terminal(Call(transfer, state), kStdin);
}

uint32_t mayfly_wasi2_get_terminal_stdout(MemoryInfo* transfer, MemoryInfo* state) {
  return terminal(Call(transfer, state), kStdout);
}

uint32_t mayfly_wasi2_get_terminal_stderr(MemoryInfo* transfer, MemoryInfo* state) {
  return terminal(Call(transfer, state), kStderr);
}

void mayfly_wasi2_drop_terminal(MemoryInfo* /*transfer*/, MemoryInfo* /*state*/,
                                uint32_t /*terminal*/) {}
