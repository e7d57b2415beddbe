// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The calls on an open file that the host answers: its status, size, times, space, and syncing.
#include "guest/wasi/fd_table.h"
#include "guest/wasi/functions.h"
#include "guest/wasi/linear_memory.h"
#include "guest/wasi/port_call.h"
#include "guest/wasi/read_ahead.h"
#include "guest/wasi/stat.h"

using namespace mayfly::guest;  // NOLINT: this file defines the C functions only

namespace {

namespace guest_abi = mayfly::guest_abi;
using guest_abi::WasiPort;

uint32_t filestat_get(const LinearMemory& memory, uint32_t fd, uint32_t to, StatLayout layout) {
  Descriptor* descriptor = nullptr;
  MAYFLY_WASI_TRY(find_fd(fd, wasi::kFdFilestatGet, &descriptor));
  if (!memory.contains(to, stat_bytes(layout))) return answer(wasi::Errno::kFault);
  auto& request = new_request<guest_abi::WasiStatRequest>();
  request.handle = descriptor->handle();
  MAYFLY_WASI_TRY(call_port(WasiPort::kStat, request));
  store_stat(memory, to, layout, request.stat);
  return answer(wasi::Errno::kSuccess);
}

struct Range {
  uint64_t offset;
  uint64_t length;
};

uint32_t range_call(WasiPort port, const Descriptor& descriptor, const Range& range,
                    uint32_t detail) {
  auto& request = new_request<guest_abi::WasiRangeRequest>();
  request.handle = descriptor.handle();
  request.detail = detail;
  request.offset = range.offset;
  request.length = range.length;
  return answer(call_port(port, request));
}

bool fits_file(const Range& range) {
  return range.offset <= INT64_MAX && range.length <= INT64_MAX - range.offset;
}

}  // namespace

uint32_t mayfly_wasi_p1_fd_filestat_get(MemoryInfo* memory, uint32_t fd, uint32_t to) {
  return filestat_get(LinearMemory(memory), fd, to, StatLayout::kPreview1);
}

uint32_t mayfly_wasi_unstable_fd_filestat_get(MemoryInfo* memory, uint32_t fd, uint32_t to) {
  return filestat_get(LinearMemory(memory), fd, to, StatLayout::kUnstable);
}

uint32_t mayfly_wasi_p1_fd_filestat_set_size(MemoryInfo* /*memory*/, uint32_t fd, uint64_t size) {
  Descriptor* descriptor = nullptr;
  MAYFLY_WASI_TRY(find_file(fd, wasi::kFdFilestatSetSize, wasi::Errno::kBadF, &descriptor));
  if (size > INT64_MAX) return answer(wasi::Errno::kInval);
  forget_ahead(descriptor->file_id);
  return range_call(WasiPort::kSetSize, *descriptor, {0, size}, 0);
}

uint32_t mayfly_wasi_p1_fd_filestat_set_times(MemoryInfo* /*memory*/, uint32_t fd, uint64_t atim,
                                              uint64_t mtim, uint32_t flags) {
  Descriptor* descriptor = nullptr;
  MAYFLY_WASI_TRY(find_fd(fd, wasi::kFdFilestatSetTimes, &descriptor));
  MAYFLY_WASI_TRY(check_set_times(flags));
  auto& request = new_request<guest_abi::WasiSetTimesRequest>();
  request.handle = descriptor->handle();
  request.atim = atim;
  request.mtim = mtim;
  request.set_flags = flags;
  return answer(call_port(WasiPort::kSetTimes, request));
}

uint32_t mayfly_wasi_p1_fd_allocate(MemoryInfo* /*memory*/, uint32_t fd, uint64_t offset,
                                    uint64_t length) {
  Descriptor* descriptor = nullptr;
  MAYFLY_WASI_TRY(find_file(fd, wasi::kFdAllocate, wasi::Errno::kBadF, &descriptor));
  if (length == 0) return answer(wasi::Errno::kInval);
  if (!fits_file({offset, length})) return answer(wasi::Errno::kFBig);
  forget_ahead(descriptor->file_id);
  return range_call(WasiPort::kAllocate, *descriptor, {offset, length}, 0);
}

uint32_t mayfly_wasi_p1_fd_advise(MemoryInfo* /*memory*/, uint32_t fd, uint64_t offset,
                                  uint64_t length, uint32_t advice) {
  Descriptor* descriptor = nullptr;
  MAYFLY_WASI_TRY(find_file(fd, 0, wasi::Errno::kBadF, &descriptor));
  if (!descriptor->has(guest_abi::kWasiSeekable)) return answer(wasi::Errno::kSPipe);
  MAYFLY_WASI_TRY(find_fd(fd, wasi::kFdAdvise, &descriptor));
  if (advice > wasi::kAdviceLast || !fits_file({offset, length})) {
    return answer(wasi::Errno::kInval);
  }
  return range_call(WasiPort::kAdvise, *descriptor, {offset, length}, advice);
}

uint32_t mayfly_wasi_p1_fd_sync(MemoryInfo* /*memory*/, uint32_t fd) {
  Descriptor* descriptor = nullptr;
  MAYFLY_WASI_TRY(find_fd(fd, wasi::kFdSyncRight, &descriptor));
  return range_call(WasiPort::kSync, *descriptor, {0, 0}, 0);
}

uint32_t mayfly_wasi_p1_fd_datasync(MemoryInfo* /*memory*/, uint32_t fd) {
  Descriptor* descriptor = nullptr;
  MAYFLY_WASI_TRY(find_fd(fd, wasi::kFdDatasyncRight, &descriptor));
  return range_call(WasiPort::kSync, *descriptor, {0, 0}, 1);
}

uint32_t mayfly_wasi_p1_fd_readdir(MemoryInfo* memory, uint32_t fd, uint32_t to, uint32_t bytes,
                                   uint64_t cookie, uint32_t bytes_to) {
  const LinearMemory linear(memory);
  Descriptor* descriptor = nullptr;
  MAYFLY_WASI_TRY(find_directory(fd, wasi::kFdReaddir, &descriptor));
  if (!linear.contains(to, bytes) || !linear.contains(bytes_to, 4)) {
    return answer(wasi::Errno::kFault);
  }
  auto& request = new_request<guest_abi::WasiReadDirectoryRequest>();
  request.handle = descriptor->handle();
  request.cookie = cookie;
  request.to = linear.range(to, bytes);
  MAYFLY_WASI_TRY(call_port(WasiPort::kReadDirectory, request));
  linear.store(bytes_to, static_cast<uint32_t>(request.bytes));
  return answer(wasi::Errno::kSuccess);
}
