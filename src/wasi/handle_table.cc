// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Handles by number, and what fstat() says of a file in WASI's words.
#include "wasi/handle_table.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <bit>
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
  ++change_count_;
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
  if (handle < kept_.size()) kept_[handle] = std::move(handles_[handle]);
  handles_[handle].reset();
  --open_count_;
  ++change_count_;
  free_.push_back(handle);
  std::ranges::push_heap(free_, std::greater<>());
}

namespace {

// Two descriptors of one open directory share its position, which listing moves; a directory that
// was removed has no entries, and cannot be opened again.
Result<Fd> open_again(const Handle& handle) {
  if (handle.is_directory() && !handle.is_nowhere) {
    Fd fd(::openat(handle.fd.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd.valid()) return fd;
  }
  return handle.fd.duplicate();
}

Result<Handle> duplicate(const Handle& handle) {
  Handle copy;
  if (!handle.is_bucket) copy.fd = MAYFLY_TRY(open_again(handle));
  copy.filetype = handle.filetype;
  copy.flags = handle.flags;
  copy.access = handle.access;
  copy.file_id = handle.file_id;
  copy.is_in_memory = handle.is_in_memory;
  copy.name = handle.name;
  copy.is_lookup = handle.is_lookup;
  copy.has_answered = handle.has_answered;
  copy.socket = handle.socket;
  copy.is_bucket = handle.is_bucket;
  copy.bucket = handle.bucket;
  return copy;
}

bool is_conversation(const Handle& handle) {
  return handle.filetype == FileType::kSocketStream || handle.filetype == FileType::kSocketDgram ||
         handle.is_lookup;
}

}  // namespace

Result<HandleTable::Saved> HandleTable::save(uint32_t first_count) {
  if (kept_.size() < first_count) kept_.resize(first_count);
  Saved saved;
  saved.free = free_;
  saved.handles.resize(handles_.size());
  for (uint32_t number = 0; number < handles_.size(); ++number) {
    const std::optional<Handle>& handle = handles_[number];
    if (!handle) continue;
    if (number < first_count) {
      saved.handles[number].emplace();
    } else if (handle->exchange != nullptr) {
      return unsupported("an HTTP exchange is open (handle " + std::to_string(number) +
                         "), and a state cannot keep it");
    } else if (is_conversation(*handle)) {
      // All who start from the state would speak over one connection.
      return unsupported("a socket or a lookup of a name is open (handle " +
                         std::to_string(number) + "), and a state cannot keep it");
    } else if (handle->is_in_memory) {
      // Whoever started from the state could write to it, for all who start from it later.
      return unsupported("a file or folder of a directory in memory is open (handle " +
                         std::to_string(number) + "), and a state cannot keep it");
    } else {
      saved.handles[number] = MAYFLY_TRY(duplicate(*handle));
    }
  }
  return saved;
}

Result<void> HandleTable::restore(const Saved& saved, uint32_t first_count) {
  ++change_count_;
  if (kept_.size() < first_count) kept_.resize(first_count);
  if (saved.handles.size() > handles_max_) {
    return limit("the snapshot has " + std::to_string(saved.handles.size()) +
                 " open files, past the limit of " + std::to_string(handles_max_));
  }
  std::vector<std::optional<Handle>> handles(saved.handles.size());
  for (uint32_t number = first_count; number < handles.size(); ++number) {
    if (saved.handles[number]) handles[number] = MAYFLY_TRY(duplicate(*saved.handles[number]));
  }
  for (uint32_t number = 0; number < first_count && number < handles.size(); ++number) {
    const bool is_open = number < handles_.size() && handles_[number].has_value();
    std::optional<Handle> own = std::move(is_open ? handles_[number] : kept_[number]);
    (saved.handles[number] ? handles : kept_)[number] = std::move(own);
  }
  handles_ = std::move(handles);
  free_ = saved.free;
  open_count_ = static_cast<uint32_t>(
      std::ranges::count_if(handles_, [](const auto& handle) { return handle.has_value(); }));
  return {};
}

void HandleTable::replace_first(uint32_t handle, Handle with) {
  Handle* found = find(handle);
  if (found == nullptr && handle < kept_.size() && kept_[handle]) found = &*kept_[handle];
  if (found != nullptr) *found = std::move(with);
}

void HandleTable::forget_late_errors() {
  for (std::optional<Handle>& handle : handles_) {
    if (handle) handle->late_error = Errno::kSuccess;
  }
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

namespace {

// The guest learns no more of a file than that it is one.
uint64_t file_id_of(const struct stat& status) {
  constexpr uint64_t kOdd = 0x9E37'79B9'7F4A'7C15;  // 2^64 / the golden ratio
  return (static_cast<uint64_t>(status.st_ino) * kOdd) ^
         std::rotl(static_cast<uint64_t>(status.st_dev) * kOdd, 32);
}

// What an open file of others was opened with holds for each write to it.
bool may_be_buffered(int fd) {
  const int flags = fcntl(fd, F_GETFL);
  return flags >= 0 && (flags & (O_APPEND | O_DSYNC | O_SYNC | O_DIRECT)) == 0;
}

}  // namespace

Result<Handle> describe(Fd fd, uint8_t access) {
  struct stat status{};
  if (fstat(fd.get(), &status) != 0) return host_error("fstat");
  Handle handle;
  handle.filetype = filetype_of(status.st_mode);
  handle.flags = access;
  handle.file_id = file_id_of(status);
  const bool may_seek = handle.filetype == FileType::kRegularFile ||
                        handle.filetype == FileType::kBlockDevice ||
                        handle.filetype == FileType::kCharacterDevice;
  if (may_seek && lseek(fd.get(), 0, SEEK_CUR) >= 0) handle.flags |= guest_abi::kWasiSeekable;
  if (handle.filetype == FileType::kCharacterDevice && isatty(fd.get()) == 1) {
    handle.flags |= guest_abi::kWasiTerminal;
  }
  if (handle.is_regular() && handle.has(guest_abi::kWasiSeekable) && may_be_buffered(fd.get())) {
    handle.flags |= guest_abi::kWasiBuffered;
  }
  handle.fd = std::move(fd);
  return handle;
}

guest_abi::WasiDescription description_of(uint32_t number, const Handle& handle) {
  guest_abi::WasiDescription description{};
  description.handle = number;
  description.filetype = static_cast<uint8_t>(handle.filetype);
  description.flags = handle.flags;
  if (handle.is_directory()) {
    const bool can_change = handle.access == TreeAccess::kReadWrite;
    description.flags &= static_cast<uint8_t>(~guest_abi::kWasiWritable);
    if (can_change) description.flags |= guest_abi::kWasiWritable;
  }
  description.file_id = handle.file_id;
  description.name_bytes = static_cast<uint16_t>(handle.name.size());
  return description;
}

}  // namespace mayfly::wasi
