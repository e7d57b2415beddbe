// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Opening, reading and writing whole files.
#include "base/fd.h"

#include <fcntl.h>
#include <sys/mman.h>

namespace mayfly {

Result<Fd> Fd::duplicate() const {
  Fd copy(::fcntl(fd_, F_DUPFD_CLOEXEC, 0));
  if (!copy.valid()) return host_error("fcntl(F_DUPFD_CLOEXEC)");
  return copy;
}

Result<Fd> open_file(const std::string& path, int flags, unsigned mode) {
  Fd fd(::open(path.c_str(), flags | O_CLOEXEC, mode));
  if (!fd.valid()) return host_error(path);
  return fd;
}

Result<Fd> create_memfd(const char* name, uint64_t size_bytes) {
  Fd fd(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd.valid()) return host_error("memfd_create");
  if (::ftruncate(fd.get(), static_cast<off_t>(size_bytes)) != 0) return host_error("ftruncate");
  return fd;
}

Result<std::vector<uint8_t>> read_whole(int fd, uint64_t size_bytes_max) {
  std::vector<uint8_t> bytes;
  constexpr size_t kChunkBytes = size_t{1} << 16;
  size_t used = 0;
  for (;;) {
    if (bytes.size() - used < kChunkBytes) bytes.resize(bytes.size() * 2 + kChunkBytes);
    const ssize_t count = ::read(fd, bytes.data() + used, bytes.size() - used);
    if (count < 0) {
      if (errno == EINTR) continue;
      return host_error("read");
    }
    if (count == 0) break;
    used += static_cast<size_t>(count);
    if (used > size_bytes_max) {
      return limit("larger than the limit of " + std::to_string(size_bytes_max) + " bytes");
    }
  }
  bytes.resize(used);
  return bytes;
}

Result<std::vector<uint8_t>> read_file(const std::string& path, uint64_t size_bytes_max) {
  const Fd fd = MAYFLY_TRY(open_file(path, O_RDONLY));
  auto bytes = read_whole(fd.get(), size_bytes_max);
  if (!bytes) return with_context(path, std::move(bytes).error());
  return bytes;
}

Result<void> read_range(int fd, uint64_t offset, std::span<uint8_t> to, const char* what) {
  while (!to.empty()) {
    const ssize_t count = ::pread(fd, to.data(), to.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return host_error(std::string("reading ") + what);
    if (count == 0) {
      return invalid(std::string(what) + " ends at byte " + std::to_string(offset) +
                     ": it was cut short");
    }
    to = to.subspan(static_cast<size_t>(count));
    offset += static_cast<uint64_t>(count);
  }
  return {};
}

Result<void> write_whole(int fd, std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0) {
      if (errno == EINTR) continue;
      return host_error("write");
    }
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
  return {};
}

}  // namespace mayfly
