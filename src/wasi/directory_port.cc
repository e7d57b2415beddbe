// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reading a directory. A cookie is the kernel's own position behind an entry, so it stays right
// while entries come and go, as far as the file system keeps its positions.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string_view>

#include "wasi/port_call.h"

namespace mayfly::wasi {

namespace {

namespace p1 = guest_abi::wasi;

constexpr size_t kBatchBytesMax = 64 << 10;
constexpr size_t kBatchBytesMin = 2048;  // more than the longest entry

struct Entry {
  uint64_t next;
  uint64_t ino;
  uint8_t type;
  std::string_view name;
};

FileType filetype_of_entry(const Handle& directory, const Entry& entry) {
  switch (entry.type) {
    case DT_BLK:
      return FileType::kBlockDevice;
    case DT_CHR:
      return FileType::kCharacterDevice;
    case DT_DIR:
      return FileType::kDirectory;
    case DT_REG:
      return FileType::kRegularFile;
    case DT_LNK:
      return FileType::kSymbolicLink;
    case DT_SOCK:
      return FileType::kSocketStream;
    case DT_UNKNOWN: {
      struct stat status{};
      const std::string name(entry.name);
      const bool known =
          fstatat(directory.fd.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
      return known ? filetype_of(status.st_mode) : FileType::kUnknown;
    }
    default:
      return FileType::kUnknown;
  }
}

// Appends one entry in WASI's form.
void append(const Handle& directory, const Entry& entry, std::vector<uint8_t>& out) {
  p1::Dirent dirent{};
  dirent.next = entry.next;
  dirent.ino = entry.ino;
  if (entry.name == ".." && directory.has(guest_abi::kWasiPreopen)) {
    // Above a preopened directory there is nothing: it is its own parent, as at a root.
    struct stat status{};
    dirent.ino = fstat(directory.fd.get(), &status) == 0 ? status.st_ino : 0;
  }
  dirent.name_bytes = static_cast<uint32_t>(entry.name.size());
  dirent.filetype = static_cast<uint8_t>(filetype_of_entry(directory, entry));
  const size_t at = out.size();
  out.resize(at + sizeof dirent + entry.name.size());
  std::memcpy(out.data() + at, &dirent, sizeof dirent);
  std::memcpy(out.data() + at + sizeof dirent, entry.name.data(), entry.name.size());
}

// The entries of one batch of the kernel, until `out` has `bytes_max`.
void convert(const Handle& directory, const std::vector<uint8_t>& batch, size_t batch_bytes,
             uint64_t bytes_max, std::vector<uint8_t>& out) {
  constexpr size_t kName = offsetof(dirent64, d_name);
  for (size_t at = 0; at + kName < batch_bytes && out.size() < bytes_max;) {
    dirent64 kernel{};
    std::memcpy(&kernel, batch.data() + at, kName);
    // SAFETY: the kernel ends each name with a NUL within its record.
    const auto* name = reinterpret_cast<const char*>(batch.data() + at + kName);
    append(
        directory,
        {static_cast<uint64_t>(kernel.d_off), kernel.d_ino, kernel.d_type, std::string_view(name)},
        out);
    at += kernel.d_reclen;
  }
}

}  // namespace

PortAnswer read_directory(PortCall& call, guest_abi::WasiReadDirectoryRequest& request) {
  Handle* directory = nullptr;
  MAYFLY_ERRNO_TRY(find_directory(call, request.handle, Intent::kLook, &directory));
  const int fd = directory->fd.get();
  if (request.cookie > INT64_MAX) return Errno::kInval;
  if (lseek(fd, static_cast<off_t>(request.cookie), SEEK_SET) < 0) return from_errno(errno);
  std::vector<uint8_t> batch(
      std::clamp<uint64_t>(request.to.bytes, kBatchBytesMin, kBatchBytesMax));
  std::vector<uint8_t> out;
  uint64_t bytes = 0;
  while (bytes < request.to.bytes) {
    const ssize_t count = getdents64(fd, batch.data(), batch.size());
    MAYFLY_ERRNO_TRY(errno_of(count));
    if (count == 0) break;
    out.clear();
    const uint64_t room = request.to.bytes - bytes;
    convert(*directory, batch, static_cast<size_t>(count), room, out);
    if (out.size() > room) out.resize(room);
    MAYFLY_TRY(call.guest().write(request.to.address + bytes, out));
    bytes += out.size();
  }
  request.bytes = bytes;
  return Errno::kSuccess;
}

}  // namespace mayfly::wasi
