// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// fd_read, fd_write, fd_pread, fd_pwrite, fd_seek, fd_tell. Positions of files that only this
// guest has open are its own; the host gets them with each read and write.
#include "guest/wasi/functions.h"
#include "guest/wasi/port_call.h"
#include "guest/wasi/read_ahead.h"
#include "guest/wasi/transfer.h"
#include "guest/wasi/write_behind.h"

namespace mayfly::guest {

wasi::Errno gather(const LinearMemory& memory, uint32_t iovecs, uint32_t count,
                   guest_abi::WasiTransferRequest& request) {
  if (!memory.contains_array<wasi::Iovec>(iovecs, count)) return wasi::Errno::kFault;
  uint32_t room = kTransferBytesMax;
  for (uint32_t i = 0; i < count; ++i) {
    const auto iovec = memory.load<wasi::Iovec>(iovecs + i * uint32_t{sizeof(wasi::Iovec)});
    if (!memory.contains(iovec.buffer, iovec.bytes)) return wasi::Errno::kFault;
    const uint32_t bytes = iovec.bytes < room ? iovec.bytes : room;
    if (bytes == 0 || request.buffers_count == guest_abi::kWasiBuffersMax) continue;
    request.buffers[request.buffers_count] = memory.range(iovec.buffer, bytes);
    ++request.buffers_count;
    room -= bytes;
  }
  return wasi::Errno::kSuccess;
}

bool small_total(const LinearMemory& memory, const Iovecs& iovecs, uint64_t bytes_max,
                 uint64_t* bytes) {
  if (!memory.contains_array<wasi::Iovec>(iovecs.offset, iovecs.count)) return false;
  uint64_t total = 0;
  for (uint32_t i = 0; i < iovecs.count; ++i) {
    const auto iovec = memory.load<wasi::Iovec>(iovecs.offset + i * uint32_t{sizeof(wasi::Iovec)});
    total += iovec.bytes;
    if (total > bytes_max || !memory.contains(iovec.buffer, iovec.bytes)) return false;
  }
  *bytes = total;
  return total > 0;
}

namespace {

enum class Direction : uint8_t { kRead, kWrite };

// Where a write goes that need not go to the host at once. Not for those that append.
uint64_t behind_position(const Descriptor& descriptor, const uint64_t* position) {
  if (position != nullptr) return *position;
  return descriptor.has_position() ? descriptor.position : guest_abi::kBehindHostPosition;
}

uint32_t done(const LinearMemory& memory, uint32_t bytes_to, uint64_t bytes) {
  memory.store(bytes_to, static_cast<uint32_t>(bytes));
  return answer(wasi::Errno::kSuccess);
}

uint64_t bytes_of(const guest_abi::WasiTransferRequest& request) {
  uint64_t bytes = 0;
  for (uint32_t i = 0; i < request.buffers_count; ++i) bytes += request.buffers[i].bytes;
  return bytes;
}

// The request has a position. What was there before comes first; an error after it waits for the
// next read.
wasi::Errno read_at(Descriptor& descriptor, guest_abi::WasiTransferRequest& request,
                    uint64_t* bytes) {
  const uint64_t had = start_read(descriptor, request.position, request);
  const uint64_t wanted = bytes_of(request);
  *bytes = had;
  if (wanted == 0) return wasi::Errno::kSuccess;
  request.position += had;
  const uint64_t position = request.position;
  if (had != 0) descriptor.sequential_at = position;
  AheadBlock* const block = add_ahead(descriptor, position, wanted, request);
  const wasi::Errno error = call_port(guest_abi::WasiPort::kRead, request);
  if (error != wasi::Errno::kSuccess) return had != 0 ? wasi::Errno::kSuccess : error;
  const uint64_t read = request.bytes < wanted ? request.bytes : wanted;
  end_read(descriptor, block, position, read, request.bytes - read);
  *bytes = had + read;
  return wasi::Errno::kSuccess;
}

}  // namespace

uint32_t read_buffers(const LinearMemory& memory, Descriptor& descriptor, const Iovecs& iovecs,
                      const uint64_t* position, uint32_t bytes_to) {
  if (!memory.contains(bytes_to, 4)) return answer(wasi::Errno::kFault);
  const bool is_at = position != nullptr || descriptor.has_position();
  const uint64_t from = position != nullptr ? *position : descriptor.position;
  uint64_t bytes = 0;
  if (!is_at || !read_ahead(memory, descriptor, iovecs, from, &bytes)) {
    auto& request = new_request<guest_abi::WasiTransferRequest>();
    MAYFLY_WASI_TRY(gather(memory, iovecs.offset, iovecs.count, request));
    if (request.buffers_count == 0) return done(memory, bytes_to, 0);
    request.handle = descriptor.handle();
    request.fd_flags = static_cast<uint16_t>(descriptor.fd_flags & ~wasi::kFdAppend);
    if (is_at) {
      request.use_position = 1;
      request.position = from;
      MAYFLY_WASI_TRY(read_at(descriptor, request, &bytes));
    } else {
      MAYFLY_WASI_TRY(call_port(guest_abi::WasiPort::kRead, request));
      bytes = request.bytes;
    }
  }
  if (position == nullptr && descriptor.has_position()) descriptor.position += bytes;
  return done(memory, bytes_to, bytes);
}

uint32_t write_buffers(const LinearMemory& memory, Descriptor& descriptor, const Iovecs& iovecs,
                       const uint64_t* position, uint32_t bytes_to) {
  if (!memory.contains(bytes_to, 4)) return answer(wasi::Errno::kFault);
  forget_ahead(descriptor.file_id);
  uint64_t behind = 0;
  if (write_behind(memory, descriptor, iovecs, behind_position(descriptor, position), &behind)) {
    if (position == nullptr && descriptor.has_position()) descriptor.position += behind;
    return done(memory, bytes_to, behind);
  }
  auto& request = new_request<guest_abi::WasiTransferRequest>();
  MAYFLY_WASI_TRY(gather(memory, iovecs.offset, iovecs.count, request));
  if (request.buffers_count == 0) return done(memory, bytes_to, 0);
  const bool appends = position == nullptr && (descriptor.fd_flags & wasi::kFdAppend) != 0;
  request.handle = descriptor.handle();
  request.fd_flags = descriptor.fd_flags;
  if (!appends) request.fd_flags &= static_cast<uint16_t>(~wasi::kFdAppend);
  request.use_position = position != nullptr || (descriptor.has_position() && !appends) ? 1 : 0;
  request.position = position != nullptr ? *position : descriptor.position;
  MAYFLY_WASI_TRY(call_port(guest_abi::WasiPort::kWrite, request));
  if (position == nullptr && descriptor.has_position()) {
    descriptor.position = appends ? request.position_out : descriptor.position + request.bytes;
  }
  return done(memory, bytes_to, request.bytes);
}

namespace {

uint32_t transfer_at(const LinearMemory& memory, Descriptor& descriptor, Direction direction,
                     const Iovecs& iovecs, uint64_t position, uint32_t bytes_to) {
  if (!descriptor.has(guest_abi::kWasiSeekable)) return answer(wasi::Errno::kSPipe);
  if (position > INT64_MAX) return answer(wasi::Errno::kInval);
  return direction == Direction::kRead
             ? read_buffers(memory, descriptor, iovecs, &position, bytes_to)
             : write_buffers(memory, descriptor, iovecs, &position, bytes_to);
}

// The new position, from the host: the end of a file, and positions that are not the guest's.
wasi::Errno seek_on_host(Descriptor& descriptor, uint64_t offset, wasi::Whence whence,
                         uint64_t* position) {
  auto& request = new_request<guest_abi::WasiSeekRequest>();
  request.handle = descriptor.handle();
  request.whence = static_cast<uint32_t>(whence);
  request.offset = offset;
  const wasi::Errno error = call_port(guest_abi::WasiPort::kSeek, request);
  *position = request.position;
  return error;
}

wasi::Errno seek(Descriptor& descriptor, uint64_t offset, wasi::Whence whence, uint64_t* position) {
  if (!descriptor.has(guest_abi::kWasiSeekable)) return wasi::Errno::kSPipe;
  if (descriptor.has(guest_abi::kWasiHostPosition) || whence == wasi::Whence::kEnd) {
    return seek_on_host(descriptor, offset, whence, position);
  }
  const uint64_t from = whence == wasi::Whence::kCur ? descriptor.position : 0;
  int64_t sum = 0;
  if (__builtin_add_overflow(static_cast<int64_t>(from), static_cast<int64_t>(offset), &sum)) {
    return wasi::Errno::kOverflow;
  }
  if (sum < 0) return wasi::Errno::kInval;
  *position = static_cast<uint64_t>(sum);
  return wasi::Errno::kSuccess;
}

uint32_t seek_and_store(const LinearMemory& memory, uint32_t fd, uint64_t offset,
                        wasi::Whence whence, uint32_t to) {
  // A right to tell is enough to ask where one is.
  const bool only_tells = offset == 0 && whence == wasi::Whence::kCur;
  Descriptor* descriptor = nullptr;
  MAYFLY_WASI_TRY(find_file(fd, 0, wasi::Errno::kBadF, &descriptor));
  if (!descriptor->has(guest_abi::kWasiSeekable)) return answer(wasi::Errno::kSPipe);
  const wasi::Rights rights =
      only_tells && (descriptor->rights_base & wasi::kFdSeek) == 0 ? wasi::kFdTell : wasi::kFdSeek;
  MAYFLY_WASI_TRY(find_fd(fd, rights, &descriptor));
  if (!memory.contains(to, 8)) return answer(wasi::Errno::kFault);
  uint64_t position = 0;
  MAYFLY_WASI_TRY(seek(*descriptor, offset, whence, &position));
  descriptor->position = position;
  memory.store(to, position);
  return answer(wasi::Errno::kSuccess);
}

}  // namespace
}  // namespace mayfly::guest

using namespace mayfly::guest;  // NOLINT: the C functions below are this file's only others

uint32_t mayfly_wasi_p1_fd_read(MemoryInfo* memory, uint32_t fd, uint32_t iovecs, uint32_t count,
                                uint32_t bytes_to) {
  Descriptor* descriptor = nullptr;
  MAYFLY_WASI_TRY(find_file(fd, wasi::kFdRead, wasi::Errno::kIsDir, &descriptor));
  return read_buffers(LinearMemory(memory), *descriptor, {iovecs, count}, nullptr, bytes_to);
}

uint32_t mayfly_wasi_p1_fd_write(MemoryInfo* memory, uint32_t fd, uint32_t iovecs, uint32_t count,
                                 uint32_t bytes_to) {
  Descriptor* descriptor = nullptr;
  MAYFLY_WASI_TRY(find_file(fd, wasi::kFdWrite, wasi::Errno::kBadF, &descriptor));
  return write_buffers(LinearMemory(memory), *descriptor, {iovecs, count}, nullptr, bytes_to);
}

uint32_t mayfly_wasi_p1_fd_pread(MemoryInfo* memory, uint32_t fd, uint32_t iovecs, uint32_t count,
                                 uint64_t position, uint32_t bytes_to) {
  Descriptor* descriptor = nullptr;
  MAYFLY_WASI_TRY(find_file(fd, wasi::kFdRead, wasi::Errno::kIsDir, &descriptor));
  if (!descriptor->has(mayfly::guest_abi::kWasiSeekable)) return answer(wasi::Errno::kSPipe);
  MAYFLY_WASI_TRY(find_fd(fd, wasi::kFdRead | wasi::kFdSeek, &descriptor));
  return transfer_at(LinearMemory(memory), *descriptor, Direction::kRead, {iovecs, count}, position,
                     bytes_to);
}

uint32_t mayfly_wasi_p1_fd_pwrite(MemoryInfo* memory, uint32_t fd, uint32_t iovecs, uint32_t count,
                                  uint64_t position, uint32_t bytes_to) {
  Descriptor* descriptor = nullptr;
  MAYFLY_WASI_TRY(find_file(fd, wasi::kFdWrite, wasi::Errno::kBadF, &descriptor));
  if (!descriptor->has(mayfly::guest_abi::kWasiSeekable)) return answer(wasi::Errno::kSPipe);
  MAYFLY_WASI_TRY(find_fd(fd, wasi::kFdWrite | wasi::kFdSeek, &descriptor));
  return transfer_at(LinearMemory(memory), *descriptor, Direction::kWrite, {iovecs, count},
                     position, bytes_to);
}

uint32_t mayfly_wasi_p1_fd_seek(MemoryInfo* memory, uint32_t fd, uint64_t offset, uint32_t whence,
                                uint32_t to) {
  if (whence > 2) return answer(wasi::Errno::kInval);
  return seek_and_store(LinearMemory(memory), fd, offset, static_cast<wasi::Whence>(whence), to);
}

uint32_t mayfly_wasi_unstable_fd_seek(MemoryInfo* memory, uint32_t fd, uint64_t offset,
                                      uint32_t whence, uint32_t to) {
  // There, current is 0, end is 1 and set is 2.
  if (whence > 2) return answer(wasi::Errno::kInval);
  return mayfly_wasi_p1_fd_seek(memory, fd, offset, (whence + 1) % 3, to);
}

uint32_t mayfly_wasi_p1_fd_tell(MemoryInfo* memory, uint32_t fd, uint32_t to) {
  Descriptor* descriptor = nullptr;
  MAYFLY_WASI_TRY(find_file(fd, 0, wasi::Errno::kBadF, &descriptor));
  if (!descriptor->has(mayfly::guest_abi::kWasiSeekable)) return answer(wasi::Errno::kSPipe);
  MAYFLY_WASI_TRY(find_fd(fd, wasi::kFdTell, &descriptor));
  return seek_and_store(LinearMemory(memory), fd, 0, wasi::Whence::kCur, to);
}
