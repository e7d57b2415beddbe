// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is in a file: reading and writing at offsets, streams, advice, syncing.
#include "guest/wasi/functions.h"
#include "guest/wasi2/descriptor.h"
#include "guest/wasi2/functions.h"
#include "guest/wasi2/stream_io.h"

namespace mayfly::guest {
namespace {

using wasi::Errno;

// result<list<u8>, bool>: the bytes, and whether the file ends with them.
struct ReadResult {
  TransferBytes bytes;
  uint8_t is_end;
};

// A longer read is short.
constexpr uint64_t kReadBytesMax = uint64_t{16} << 20;

// Who asks for more than a little may not know how long the file is.
Errno bytes_to_read(const Call& call, uint32_t fd, uint64_t length, uint64_t offset,
                    uint32_t* bytes) {
  uint64_t size = length;
  if (length > kStreamBytesMax) {
    wasi::Filestat stat{};
    const Errno error = stat_fd(call, fd, &stat);
    if (error != Errno::kSuccess) return error;
    const uint64_t left = stat.size > offset ? stat.size - offset : 0;
    // Files of /proc have no size.
    size = left > kStreamBytesMax ? left : kStreamBytesMax;
    if (size > length) size = length;
    if (size > kReadBytesMax) size = kReadBytesMax;
  }
  *bytes = static_cast<uint32_t>(size);
  return Errno::kSuccess;
}

uint32_t read(const Call& call, uint32_t self, uint64_t length, uint64_t offset) {
  const uint32_t fd = fd_of(call, self);
  uint32_t wanted = 0;
  Errno error = bytes_to_read(call, fd, length, offset, &wanted);
  if (error != Errno::kSuccess) return call.failed<ReadResult>(error);
  const uint32_t to = call.transfer.reserve(wanted, 1);
  const uint32_t place = call.transfer.allocate(wasi::Iovec{to, wanted});
  const uint32_t done = call.transfer.allocate(uint32_t{0});
  error = static_cast<Errno>(
      mayfly_wasi_p1_fd_pread(call.transfer.memory(), fd, place, 1, offset, done));
  if (error != Errno::kSuccess) return call.failed<ReadResult>(error);
  const auto bytes = call.transfer.load<uint32_t>(done);
  const bool is_end = bytes == 0 && wanted != 0;
  return call.ok(ReadResult{{to, bytes}, is_end ? uint8_t{1} : uint8_t{0}});
}

uint32_t write(const Call& call, uint32_t self, const TransferBytes& bytes, uint64_t offset) {
  const uint32_t place = call.transfer.allocate(wasi::Iovec{bytes.address, bytes.size});
  const uint32_t done = call.transfer.allocate(uint32_t{0});
  const auto error = static_cast<Errno>(
      mayfly_wasi_p1_fd_pwrite(call.transfer.memory(), fd_of(call, self), place, 1, offset, done));
  if (error != Errno::kSuccess) return call.failed<uint64_t>(error);
  return call.ok(uint64_t{call.transfer.load<uint32_t>(done)});
}

// A stream that never reads or writes is not made: the descriptor was not opened for it.
uint32_t open_stream(const Call& call, uint32_t self, ObjectKind kind, uint64_t offset,
                     bool appends) {
  const bool reads = kind == ObjectKind::kInputStream;
  Descriptor* descriptor = nullptr;
  Errno error = find_file(fd_of(call, self), reads ? wasi::kFdRead : wasi::kFdWrite,
                          reads ? Errno::kIsDir : Errno::kBadF, &descriptor);
  if (error == Errno::kNotCapable) error = Errno::kBadF;
  if (error != Errno::kSuccess) return call.failed<uint32_t>(error);
  const uint32_t stream = new_stream(call, kind, self, offset);
  call.objects.get(stream, kind).appends = appends;
  return call.ok(stream);
}

// A directory's data is its entries.
uint32_t sync(const Call& call, uint32_t self, bool is_data_only) {
  const uint32_t fd = fd_of(call, self);
  const Descriptor* const descriptor = fd_table().find(fd);
  const bool is_directory = descriptor != nullptr && descriptor->is_directory();
  return call.done(is_data_only && !is_directory ? mayfly_wasi_p1_fd_datasync(nullptr, fd)
                                                 : mayfly_wasi_p1_fd_sync(nullptr, fd));
}

}  // namespace
}  // namespace mayfly::guest

using namespace mayfly::guest;  // NOLINT: the C functions below are this file's only others

uint32_t mayfly_wasi2_descriptor_read(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                      uint64_t length, uint64_t offset) {
  return read(Call(transfer, state), self, length, offset);
}

uint32_t mayfly_wasi2_descriptor_write(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                       uint32_t bytes, uint32_t size, uint64_t offset) {
  return write(Call(transfer, state), self, {bytes, size}, offset);
}

uint32_t mayfly_wasi2_read_via_stream(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                      uint64_t offset) {
  return open_stream(Call(transfer, state), self, ObjectKind::kInputStream, offset, false);
}

uint32_t mayfly_wasi2_write_via_stream(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                       uint64_t offset) {
  return open_stream(Call(transfer, state), self, ObjectKind::kOutputStream, offset, false);
}

uint32_t mayfly_wasi2_append_via_stream(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  return open_stream(Call(transfer, state), self, ObjectKind::kOutputStream, 0, true);
}

uint32_t mayfly_wasi2_advise(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                             uint64_t offset, uint64_t length, uint32_t advice) {
  // preview 1 has the advices in the same order.
  const Call call(transfer, state);
  return call.done(mayfly_wasi_p1_fd_advise(transfer, fd_of(call, self), offset, length, advice));
}

uint32_t mayfly_wasi2_sync_data(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  return sync(Call(transfer, state), self, true);
}

uint32_t mayfly_wasi2_sync(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  return sync(Call(transfer, state), self, false);
}
