// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Everything is done relative to the folder that was opened and checked once. Nothing is synced to
// disk: an entry that a power cut tears fails its checksums and is built again.
#include "runtime/cache_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>
#include <utility>

#include "runtime/cache_entry.h"

namespace mayfly::runtime {
namespace {

constexpr std::string_view kEntrySuffix = ".image";
constexpr std::chrono::milliseconds kLockPoll{10};

bool is_entry(std::string_view name) {
  return name.size() == 2 * sizeof(Hash) + kEntrySuffix.size() && name.ends_with(kEntrySuffix);
}

// mkdir -p, private from the first moment.
Result<void> make_folders(const std::string& path) {
  for (size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    if (::mkdir(part.c_str(), 0700) != 0 && errno != EEXIST) {
      return host_error("cannot make the cache folder " + part);
    }
    if (end == std::string::npos) return {};
  }
}

// Whether only this user can have written to it.
Result<void> check_private(const struct stat& status, const std::string& what) {
  if (status.st_uid != ::geteuid()) {
    return invalid(what + " belongs to user " + std::to_string(status.st_uid) + ", not to " +
                   std::to_string(::geteuid()));
  }
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return invalid(what + " is writable by others than its owner");
  }
  return {};
}

// An unfinished file that goes away with this object unless it was renamed.
class Unfinished {
 public:
  Unfinished(int folder, std::string name) : folder_(folder), name_(std::move(name)) {}
  ~Unfinished() {
    if (!name_.empty()) ::unlinkat(folder_, name_.c_str(), 0);
  }
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;

  Result<void> rename_to(const std::string& name) {
    if (::renameat(folder_, name_.c_str(), folder_, name.c_str()) != 0) return host_error("rename");
    name_.clear();
    return {};
  }

 private:
  int folder_;
  std::string name_;
};

std::string unfinished_name() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
  return ".new-" + std::to_string(::getpid()) + "-" + std::to_string(now);
}

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

// Whether the locked file is still the one of that name: its last owner may have removed it.
bool is_still_there(int folder, const Fd& file, const std::string& name) {
  struct stat locked{};
  struct stat named{};
  return ::fstat(file.get(), &locked) == 0 &&
         ::fstatat(folder, name.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0 &&
         locked.st_ino == named.st_ino && locked.st_dev == named.st_dev;
}

}  // namespace

Result<std::string> default_cache_folder() {
  const char* xdg = std::getenv("XDG_CACHE_HOME");
  if (xdg != nullptr && xdg[0] == '/') return std::string(xdg) + "/mayfly/images";
  const char* home = std::getenv("HOME");
  if (home != nullptr && home[0] == '/') return std::string(home) + "/.cache/mayfly/images";
  errno = ENOENT;
  return host_error("neither XDG_CACHE_HOME nor HOME is an absolute path: no cache");
}

std::string to_hex(const Hash& hash) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const uint8_t byte : hash) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

KeyLock::~KeyLock() {
  // Before the lock goes: who waits for it sees that the name is gone, and starts over.
  if (file_.valid()) ::unlinkat(folder_.get(), name_.c_str(), 0);
}

Result<CacheFolder> CacheFolder::open(const std::string& path) {
  if (path.empty() || path.front() != '/')
    return invalid("cache folder '" + path + "' is relative");
  MAYFLY_TRY(make_folders(path));
  Fd folder = MAYFLY_TRY(open_file(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat status{};
  if (::fstat(folder.get(), &status) != 0) return host_error("fstat of " + path);
  MAYFLY_TRY(check_private(status, "cache folder " + path));
  return CacheFolder(std::move(folder));
}

std::string CacheFolder::name_of(const Hash& key) {
  return to_hex(key) + std::string(kEntrySuffix);
}

Result<std::optional<Fd>> CacheFolder::find(const Hash& key) const {
  const std::string name = name_of(key);
  Fd file(::openat(folder_.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!file.valid() && errno == ENOENT) return std::optional<Fd>();
  if (!file.valid()) return host_error("cannot open cache entry " + name);
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return host_error("fstat of " + name);
  MAYFLY_TRY(check_private(status, "cache entry " + name));
  if (!S_ISREG(status.st_mode)) return invalid("cache entry " + name + " is no regular file");
  return std::optional<Fd>(std::move(file));
}

void CacheFolder::mark_used(const Fd& entry) const {
  // A folder that cannot be written loses the order only.
  (void)::futimens(entry.get(), nullptr);
}

Result<void> CacheFolder::store(const Hash& key, int image) const {
  const std::string name = unfinished_name();
  Fd file(::openat(folder_.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file.valid()) return host_error("cannot make cache entry " + name);
  Unfinished unfinished(folder_.get(), name);
  // Says that its writer lives; nobody else takes this lock but to find out.
  (void)::flock(file.get(), LOCK_EX | LOCK_NB);
  MAYFLY_TRY(write_cache_entry(image, key, file.get()));
  return unfinished.rename_to(name_of(key));
}

void CacheFolder::remove(const std::string& name) const {
  ::unlinkat(folder_.get(), name.c_str(), 0);
}

std::optional<KeyLock> CacheFolder::lock(const Hash& key,
                                         std::chrono::milliseconds wait_max) const {
  const std::string name = ".lock-" + to_hex(key);
  const auto end = std::chrono::steady_clock::now() + wait_max;
  do {
    Fd file(::openat(folder_.get(), name.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file.valid()) return std::nullopt;
    if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) {
      if (!is_still_there(folder_.get(), file, name)) continue;
      auto folder = folder_.duplicate();
      if (!folder) return std::nullopt;
      return KeyLock(std::move(*folder), std::move(file), name);
    }
    if (errno != EWOULDBLOCK && errno != EINTR) return std::nullopt;
    std::this_thread::sleep_for(kLockPoll);
  } while (std::chrono::steady_clock::now() < end);
  return std::nullopt;
}

Result<std::vector<std::string>> CacheFolder::names() const {
  // A description of its own: a duplicate would share the position.
  Fd folder(::openat(folder_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.valid()) return host_error("opening the cache folder");
  const std::unique_ptr<DIR, CloseDirectory> directory(::fdopendir(folder.get()));
  if (directory == nullptr) return host_error("reading the cache folder");
  folder.release();
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string name = static_cast<const char*>(entry->d_name);
    if (name != "." && name != "..") names.push_back(name);
  }
  return names;
}

Result<std::vector<CacheFile>> CacheFolder::list() const {
  std::vector<CacheFile> files;
  for (std::string& name : MAYFLY_TRY(names())) {
    struct stat status{};
    if (!is_entry(name) ||
        ::fstatat(folder_.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      continue;
    }
    const auto used = std::chrono::seconds(status.st_mtim.tv_sec) +
                      std::chrono::nanoseconds(status.st_mtim.tv_nsec);
    files.push_back({std::move(name), static_cast<uint64_t>(status.st_size),
                     std::chrono::system_clock::time_point(
                         std::chrono::duration_cast<std::chrono::system_clock::duration>(used))});
  }
  std::ranges::sort(files, [](const CacheFile& a, const CacheFile& b) {
    return std::pair(a.used, a.name) < std::pair(b.used, b.name);
  });
  return files;
}

void CacheFolder::remove_abandoned(const std::string& name) const {
  const Fd file(::openat(folder_.get(), name.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC));
  if (file.valid() && ::flock(file.get(), LOCK_EX | LOCK_NB) == 0 &&
      is_still_there(folder_.get(), file, name)) {
    remove(name);
  }
}

Result<std::vector<CacheFile>> CacheFolder::shrink(uint64_t bytes_max) const {
  for (const std::string& name : MAYFLY_TRY(names())) {
    if (name.starts_with(".new-") || name.starts_with(".lock-")) remove_abandoned(name);
  }
  const std::vector<CacheFile> files = MAYFLY_TRY(list());
  uint64_t bytes = 0;
  for (const CacheFile& file : files) bytes += file.bytes;
  std::vector<CacheFile> removed;
  for (const CacheFile& file : files) {
    if (bytes <= bytes_max) break;
    remove(file.name);
    bytes -= file.bytes;
    removed.push_back(file);
  }
  return removed;
}

}  // namespace mayfly::runtime
