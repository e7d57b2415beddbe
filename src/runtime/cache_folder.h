// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// CacheFolder: the files of the compile cache. An entry appears whole, by a rename, or not at all.
// What starts with a dot is somebody's work in progress, who holds a lock on it while he lives.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/hash.h"
#include "base/result.h"

namespace mayfly::runtime {

// $XDG_CACHE_HOME/mayfly/images, or the same below $HOME/.cache. Errors: kHost when neither is an
// absolute path.
Result<std::string> default_cache_folder();

std::string to_hex(const Hash& hash);

struct CacheFile {
  std::string name;  // in the folder
  uint64_t bytes = 0;
  std::chrono::system_clock::time_point used;
};

// Held by the one process that builds a key. Released when it dies, at the latest by the kernel.
class KeyLock {
 public:
  KeyLock(Fd folder, Fd file, std::string name)
      : folder_(std::move(folder)), file_(std::move(file)), name_(std::move(name)) {}
  KeyLock(KeyLock&&) = default;
  KeyLock& operator=(KeyLock&&) = delete;
  KeyLock(const KeyLock&) = delete;
  KeyLock& operator=(const KeyLock&) = delete;
  ~KeyLock();

 private:
  Fd folder_;
  Fd file_;
  std::string name_;
};

class CacheFolder {
 public:
  // Makes the folder where it is not there. Errors: kHost; kInvalid when it is not the user's own,
  // or others may write to it.
  static Result<CacheFolder> open(const std::string& path);

  // The entry's file, read-only; nullopt when there is none. Says nothing about its contents.
  Result<std::optional<Fd>> find(const Hash& key) const;
  // Puts it at the end of the queue of those to remove.
  void mark_used(const Fd& entry) const;
  // Writes an entry, over one that is there. The folder is as before when it fails.
  Result<void> store(const Hash& key, int image) const;
  void remove(const std::string& name) const;
  static std::string name_of(const Hash& key);

  // Waits while another process has it, up to `wait_max`. nullopt: after that, or where the file
  // system has no locks: then both do the same work, which does no harm.
  std::optional<KeyLock> lock(const Hash& key, std::chrono::milliseconds wait_max) const;

  // The entries, the least recently used first.
  Result<std::vector<CacheFile>> list() const;
  // Removes the least recently used ones until the rest have at most bytes_max, and what dead
  // processes left behind. Answers what was removed.
  Result<std::vector<CacheFile>> shrink(uint64_t bytes_max) const;

 private:
  explicit CacheFolder(Fd folder) : folder_(std::move(folder)) {}
  Result<std::vector<std::string>> names() const;
  void remove_abandoned(const std::string& name) const;

  Fd folder_;
};

}  // namespace mayfly::runtime
