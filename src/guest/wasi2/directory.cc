// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One buffer: who reads two directories in turns gets each entry from the host, and the same ones.
#include "guest/wasi2/directory.h"

#include "guest/wasi/port_call.h"
#include "guest/wasi2/descriptor.h"
#include "guest/wasi2/functions.h"

namespace mayfly::guest {
namespace {

using wasi::Errno;

// More than the longest entry has.
constexpr uint32_t kBufferBytes = 32 << 10;

struct Buffer {
  uint32_t stream;  // whose entries they are; 0: nobody's
  uint32_t begin;
  uint32_t end;
  uint8_t bytes[kBufferBytes];
};
Buffer buffer;

// The whole entry at the front of the buffer; false: there is none.
bool next_entry(uint32_t stream, wasi::Dirent* dirent) {
  const uint32_t bytes = buffer.end - buffer.begin;
  if (buffer.stream != stream || bytes < sizeof *dirent) return false;
  __builtin_memcpy(dirent, buffer.bytes + buffer.begin, sizeof *dirent);
  return dirent->name_bytes <= bytes - sizeof *dirent;
}

// The entries from a cookie on.
Errno fill(const Call& call, uint32_t number, const Object& stream) {
  Descriptor* directory = nullptr;
  const Errno found = find_directory(fd_of(call, stream.below), wasi::kFdReaddir, &directory);
  if (found != Errno::kSuccess) return found;
  buffer.stream = 0;
  auto& request = new_request<guest_abi::WasiReadDirectoryRequest>();
  request.handle = directory->handle();
  request.cookie = stream.position;
  // SAFETY: the buffer's address as a number, for the host.
  request.to = {reinterpret_cast<uint64_t>(&buffer.bytes[0]), kBufferBytes};
  const Errno error = call_port(guest_abi::WasiPort::kReadDirectory, request);
  if (error != Errno::kSuccess) return error;
  buffer.stream = number;
  buffer.begin = 0;
  buffer.end = static_cast<uint32_t>(request.bytes);
  return Errno::kSuccess;
}

bool is_self_or_parent(const uint8_t* name, uint32_t size) {
  return (size == 1 && name[0] == '.') || (size == 2 && name[0] == '.' && name[1] == '.');
}

// record directory-entry, in an option.
struct Entry {
  uint8_t type;
  TransferBytes name;
};
struct OptionalEntry {
  uint8_t is_some;
  Entry value;
};

uint32_t read_entry(const Call& call, uint32_t number) {
  Object& stream = call.objects.get(number, ObjectKind::kDirectoryStream);
  while (true) {
    wasi::Dirent dirent{};
    if (!next_entry(number, &dirent)) {
      const Errno error = stream.is_closed ? Errno::kSuccess : fill(call, number, stream);
      if (error != Errno::kSuccess) return call.failed<OptionalEntry>(error);
      if (!next_entry(number, &dirent)) {
        stream.is_closed = true;
        return call.ok(OptionalEntry{});
      }
    }
    const uint8_t* const name = buffer.bytes + buffer.begin + sizeof dirent;
    buffer.begin += static_cast<uint32_t>(sizeof dirent) + dirent.name_bytes;
    stream.position = dirent.next;
    if (is_self_or_parent(name, dirent.name_bytes)) continue;
    if (!is_utf8(name, dirent.name_bytes)) return call.failed<OptionalEntry>(Errno::kIlSeq);
    const uint32_t to = call.transfer.reserve(dirent.name_bytes, 1);
    __builtin_memcpy(call.transfer.at(to, dirent.name_bytes), name, dirent.name_bytes);
    return call.ok(OptionalEntry{1, {descriptor_type(dirent.filetype), {to, dirent.name_bytes}}});
  }
}

uint32_t read_directory(const Call& call, uint32_t self) {
  Descriptor* directory = nullptr;
  const Errno error = find_directory(fd_of(call, self), wasi::kFdReaddir, &directory);
  if (error != Errno::kSuccess) return call.failed<uint32_t>(error);
  return call.ok(new_stream(call, ObjectKind::kDirectoryStream, self, 0));
}

}  // namespace

void forget_directory(uint32_t stream) {
  if (buffer.stream == stream) buffer.stream = 0;
}

}  // namespace mayfly::guest

using mayfly::guest::Call;
using mayfly::guest::ObjectKind;

uint32_t mayfly_wasi2_read_directory(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  return mayfly::guest::read_directory(Call(transfer, state), self);
}

uint32_t mayfly_wasi2_read_directory_entry(MemoryInfo* transfer, MemoryInfo* state,
                                           uint32_t stream) {
  return mayfly::guest::read_entry(Call(transfer, state), stream);
}

void mayfly_wasi2_drop_directory_stream(MemoryInfo* transfer, MemoryInfo* state, uint32_t stream) {
  Call(transfer, state).objects.release(stream, ObjectKind::kDirectoryStream);
}
