// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a handle is asked beside reading and writing: status, times, size, space, sync.
#include <fcntl.h>
#include <sys/stat.h>

#include "wasi/file_status.h"
#include "wasi/port_call.h"
#include "wasi/write_behind.h"

namespace mayfly::wasi {

namespace p1 = guest_abi::wasi;

namespace {

uint64_t nanoseconds(const timespec& time) {
  if (time.tv_sec < 0) return 0;  // before 1970: WASI cannot say that
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

timespec time_to_set(uint64_t nanoseconds_value, bool given, bool now) {
  if (now) return {0, UTIME_NOW};
  if (!given) return {0, UTIME_OMIT};
  return {static_cast<time_t>(nanoseconds_value / 1'000'000'000),
          static_cast<long>(nanoseconds_value % 1'000'000'000)};
}

}  // namespace

guest_abi::WasiStat to_wasi(const struct stat& status) {
  guest_abi::WasiStat result{};
  result.dev = status.st_dev;
  result.ino = status.st_ino;
  result.nlink = status.st_nlink;
  result.size = static_cast<uint64_t>(status.st_size);
  result.atim = nanoseconds(status.st_atim);
  result.mtim = nanoseconds(status.st_mtim);
  result.ctim = nanoseconds(status.st_ctim);
  result.filetype = static_cast<uint8_t>(filetype_of(status.st_mode));
  return result;
}

Errno times_to_set(const guest_abi::WasiSetTimesRequest& request, std::array<timespec, 2>* times) {
  const auto has = [&](uint32_t flag) { return (request.set_flags & flag) != 0; };
  if ((has(p1::kSetAtim) && has(p1::kSetAtimNow)) || (has(p1::kSetMtim) && has(p1::kSetMtimNow))) {
    return Errno::kInval;
  }
  (*times)[0] = time_to_set(request.atim, has(p1::kSetAtim), has(p1::kSetAtimNow));
  (*times)[1] = time_to_set(request.mtim, has(p1::kSetMtim), has(p1::kSetMtimNow));
  return Errno::kSuccess;
}

PortAnswer stat_handle(PortCall& call, guest_abi::WasiStatRequest& request) {
  Handle* handle = nullptr;
  MAYFLY_ERRNO_TRY(find_handle(call, request.handle, Intent::kLook, &handle));
  struct stat status{};
  MAYFLY_ERRNO_TRY(errno_of(fstat(handle->fd.get(), &status)));
  request.stat = to_wasi(status);
  return Errno::kSuccess;
}

PortAnswer set_times_of_handle(PortCall& call, guest_abi::WasiSetTimesRequest& request) {
  Handle* handle = nullptr;
  MAYFLY_ERRNO_TRY(find_handle(call, request.handle, Intent::kChange, &handle));
  std::array<timespec, 2> times{};
  MAYFLY_ERRNO_TRY(times_to_set(request, &times));
  return errno_of(futimens(handle->fd.get(), times.data()));
}

PortAnswer set_size(PortCall& call, guest_abi::WasiRangeRequest& request) {
  Handle* handle = nullptr;
  MAYFLY_ERRNO_TRY(find_handle(call, request.handle, Intent::kChange, &handle));
  MAYFLY_ERRNO_TRY(take_late_error(call, *handle));
  if (request.length > INT64_MAX) return Errno::kInval;
  struct stat status{};
  MAYFLY_ERRNO_TRY(errno_of(fstat(handle->fd.get(), &status)));
  const auto size = static_cast<uint64_t>(status.st_size);
  if (request.length > size) MAYFLY_ERRNO_TRY(take_quota(call, request.length - size));
  return errno_of(ftruncate(handle->fd.get(), static_cast<off_t>(request.length)));
}

PortAnswer allocate(PortCall& call, guest_abi::WasiRangeRequest& request) {
  Handle* handle = nullptr;
  MAYFLY_ERRNO_TRY(find_handle(call, request.handle, Intent::kChange, &handle));
  MAYFLY_ERRNO_TRY(take_late_error(call, *handle));
  if (request.offset > INT64_MAX || request.length > INT64_MAX) return Errno::kInval;
  MAYFLY_ERRNO_TRY(take_quota(call, request.length));
  return errno_of(fallocate(handle->fd.get(), 0, static_cast<off_t>(request.offset),
                            static_cast<off_t>(request.length)));
}

PortAnswer advise(PortCall& call, guest_abi::WasiRangeRequest& request) {
  // witx: $advice
  static constexpr std::array<int, p1::kAdviceLast + 1> kAdvice = {
      POSIX_FADV_NORMAL,   POSIX_FADV_SEQUENTIAL, POSIX_FADV_RANDOM,
      POSIX_FADV_WILLNEED, POSIX_FADV_DONTNEED,   POSIX_FADV_NOREUSE};
  Handle* handle = nullptr;
  MAYFLY_ERRNO_TRY(find_handle(call, request.handle, Intent::kLook, &handle));
  if (request.detail >= kAdvice.size() || request.offset > INT64_MAX ||
      request.length > INT64_MAX) {
    return Errno::kInval;
  }
  // It answers with the error itself, and leaves errno alone.
  const int error = posix_fadvise(handle->fd.get(), static_cast<off_t>(request.offset),
                                  static_cast<off_t>(request.length), kAdvice.at(request.detail));
  return error == 0 ? Errno::kSuccess : from_errno(error);
}

PortAnswer sync_handle(PortCall& call, guest_abi::WasiRangeRequest& request) {
  Handle* handle = nullptr;
  MAYFLY_ERRNO_TRY(find_handle(call, request.handle, Intent::kLook, &handle));
  MAYFLY_ERRNO_TRY(take_late_error(call, *handle));
  const int fd = handle->fd.get();
  return errno_of(request.detail == 1 ? fdatasync(fd) : fsync(fd));
}

}  // namespace mayfly::wasi
