// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Handles by number, and what fstat() says of a file in WASI's words.
#include "wasi/handle_table.h"

#include <sys/stat.h>

#include <algorithm>
#include <functional>

#include "base/check.h"

namespace mayfly::wasi {

Handle* HandleTable::find(uint32_t handle) {
  if (handle >= handles_.size() || !handles_[handle].has_value()) return nullptr;
  return &*handles_[handle];
}

uint32_t HandleTable::add(Handle handle) {
  CHECK(!is_full(), open_count_, handles_max_);
  ++open_count_;
  if (free_.empty()) {
    handles_.emplace_back(std::move(handle));
    return static_cast<uint32_t>(handles_.size() - 1);
  }
  std::ranges::pop_heap(free_, std::greater<>());
  const uint32_t number = free_.back();
  free_.pop_back();
  handles_[number] = std::move(handle);
  return number;
}

void HandleTable::remove(uint32_t handle) {
  CHECK(find(handle) != nullptr, handle);
  handles_[handle].reset();
  --open_count_;
  free_.push_back(handle);
  std::ranges::push_heap(free_, std::greater<>());
}

FileType filetype_of(uint32_t mode) {
  switch (mode & S_IFMT) {
    case S_IFBLK:
      return FileType::kBlockDevice;
    case S_IFCHR:
      return FileType::kCharacterDevice;
    case S_IFDIR:
      return FileType::kDirectory;
    case S_IFREG:
      return FileType::kRegularFile;
    case S_IFSOCK:
      return FileType::kSocketStream;
    case S_IFLNK:
      return FileType::kSymbolicLink;
    default:
      return FileType::kUnknown;  // a FIFO has no name in WASI
  }
}

Result<Handle> describe(Fd fd, uint8_t access) {
  struct stat status{};
  if (fstat(fd.get(), &status) != 0) return host_error("fstat");
  Handle handle;
  handle.filetype = filetype_of(status.st_mode);
  handle.flags = access;
  const bool may_seek = handle.filetype == FileType::kRegularFile ||
                        handle.filetype == FileType::kBlockDevice ||
                        handle.filetype == FileType::kCharacterDevice;
  if (may_seek && lseek(fd.get(), 0, SEEK_CUR) >= 0) handle.flags |= guest_abi::kWasiSeekable;
  if (handle.filetype == FileType::kCharacterDevice && isatty(fd.get()) == 1) {
    handle.flags |= guest_abi::kWasiTerminal;
  }
  handle.fd = std::move(fd);
  return handle;
}

guest_abi::WasiDescription description_of(uint32_t number, const Handle& handle) {
  guest_abi::WasiDescription description{};
  description.handle = number;
  description.filetype = static_cast<uint8_t>(handle.filetype);
  description.flags = handle.flags;
  description.name_bytes = static_cast<uint16_t>(handle.name.size());
  return description;
}

}  // namespace mayfly::wasi
