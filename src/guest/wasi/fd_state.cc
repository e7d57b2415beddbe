// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The calls that look at or change a descriptor itself: fdstat, flags, rights, close, renumber,
// and the names of preopened directories.
#include "guest/wasi/fd_table.h"
#include "guest/wasi/functions.h"
#include "guest/wasi/linear_memory.h"
#include "guest/wasi/port_call.h"
#include "guest/wasi/read_ahead.h"

using namespace mayfly::guest;  // NOLINT: this file defines the C functions only

namespace {

namespace guest_abi = mayfly::guest_abi;

// The host may refuse: the fd is gone either way, as POSIX's close() has it.
wasi::Errno close_handle(uint32_t handle) {
  drop_ahead(handle);
  auto& request = new_request<guest_abi::WasiHandleRequest>();
  request.handle = handle;
  return call_port(guest_abi::WasiPort::kClose, request);
}

wasi::Errno find_preopen(uint32_t fd, Descriptor** descriptor) {
  *descriptor = fd_table().find(fd);
  if (*descriptor == nullptr) return wasi::Errno::kBadF;
  return (*descriptor)->has(guest_abi::kWasiPreopen) ? wasi::Errno::kSuccess : wasi::Errno::kBadF;
}

}  // namespace

uint32_t mayfly_wasi_p1_fd_fdstat_get(MemoryInfo* memory, uint32_t fd, uint32_t to) {
  const LinearMemory linear(memory);
  Descriptor* descriptor = nullptr;
  MAYFLY_WASI_TRY(find_fd(fd, 0, &descriptor));
  if (!linear.contains(to, sizeof(wasi::Fdstat))) return answer(wasi::Errno::kFault);
  wasi::Fdstat stat{};
  stat.filetype = descriptor->filetype;
  stat.flags = descriptor->fd_flags;
  stat.rights_base = descriptor->rights_base;
  stat.rights_inheriting = descriptor->rights_inheriting;
  linear.store(to, stat);
  return answer(wasi::Errno::kSuccess);
}

uint32_t mayfly_wasi_p1_fd_fdstat_set_flags(MemoryInfo* /*memory*/, uint32_t fd, uint32_t flags) {
  Descriptor* descriptor = nullptr;
  MAYFLY_WASI_TRY(find_fd(fd, wasi::kFdFdstatSetFlags, &descriptor));
  if ((flags & ~uint32_t{wasi::kFdFlagsAll}) != 0) return answer(wasi::Errno::kInval);
  // Each read and write carries the flags to the host, so they need no call of their own.
  descriptor->fd_flags = static_cast<uint16_t>(flags);
  return answer(wasi::Errno::kSuccess);
}

uint32_t mayfly_wasi_p1_fd_fdstat_set_rights(MemoryInfo* /*memory*/, uint32_t fd, uint64_t base,
                                             uint64_t inheriting) {
  Descriptor* descriptor = nullptr;
  MAYFLY_WASI_TRY(find_fd(fd, 0, &descriptor));
  if ((base & ~descriptor->rights_base) != 0 ||
      (inheriting & ~descriptor->rights_inheriting) != 0) {
    return answer(wasi::Errno::kNotCapable);
  }
  descriptor->rights_base = base;
  descriptor->rights_inheriting = inheriting;
  return answer(wasi::Errno::kSuccess);
}

uint32_t mayfly_wasi_p1_fd_close(MemoryInfo* /*memory*/, uint32_t fd) {
  Descriptor* descriptor = nullptr;
  MAYFLY_WASI_TRY(find_fd(fd, 0, &descriptor));
  const uint32_t handle = descriptor->handle();
  fd_table().remove(fd);
  return answer(close_handle(handle));
}

uint32_t mayfly_wasi_p1_fd_renumber(MemoryInfo* /*memory*/, uint32_t from, uint32_t to) {
  Descriptor* source = nullptr;
  Descriptor* target = nullptr;
  MAYFLY_WASI_TRY(find_fd(from, 0, &source));
  MAYFLY_WASI_TRY(find_fd(to, 0, &target));
  if (from == to) return answer(wasi::Errno::kSuccess);
  const uint32_t handle = target->handle();
  fd_table().set(to, *source);
  fd_table().remove(from);
  close_handle(handle);
  return answer(wasi::Errno::kSuccess);
}

uint32_t mayfly_wasi_p1_fd_prestat_get(MemoryInfo* memory, uint32_t fd, uint32_t to) {
  const LinearMemory linear(memory);
  Descriptor* descriptor = nullptr;
  MAYFLY_WASI_TRY(find_preopen(fd, &descriptor));
  if (!linear.contains(to, sizeof(wasi::Prestat))) return answer(wasi::Errno::kFault);
  wasi::Prestat prestat{};
  prestat.name_bytes = descriptor->name_bytes;
  linear.store(to, prestat);
  return answer(wasi::Errno::kSuccess);
}

uint32_t mayfly_wasi_p1_fd_prestat_dir_name(MemoryInfo* memory, uint32_t fd, uint32_t to,
                                            uint32_t bytes) {
  const LinearMemory linear(memory);
  Descriptor* descriptor = nullptr;
  MAYFLY_WASI_TRY(find_preopen(fd, &descriptor));
  if (!linear.contains(to, bytes)) return answer(wasi::Errno::kFault);
  if (bytes < descriptor->name_bytes) return answer(wasi::Errno::kNameTooLong);
  auto& request = new_request<guest_abi::WasiTextRequest>();
  request.text = static_cast<uint32_t>(guest_abi::WasiText::kPreopenName);
  request.handle = descriptor->handle();
  request.to = linear.range(to, descriptor->name_bytes);
  return answer(call_port(guest_abi::WasiPort::kText, request));
}
