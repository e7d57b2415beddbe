// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// KeyValueStore: what wasi:keyvalue of one program reads and writes: entries by bucket and key. In
// memory it is the program's own; in a file others may read and write it at the same time.
//
//   each entry has a number, which none had before in this store: list() goes by it, so that a list
//   of many pages has each entry that was there all the time once, whatever happens meanwhile
//
// Threads: one at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "guest_abi/wasi.h"
#include "wasi/config.h"

namespace mayfly::wasi {

using guest_abi::wasi::Errno;

inline constexpr uint64_t kValueBytesMax = uint64_t{16} << 20;

// One page of the keys of a bucket.
struct KeyPage {
  std::vector<std::string> keys;
  uint64_t next = 0;  // where the next page begins; 0: this was the last
};

// How long a file may be waited for that others write to.
struct KeyValueWait {
  std::optional<std::chrono::steady_clock::time_point> deadline;
  int cancel_fd = -1;  // readable: wait no longer
};

// Errors of all: kNoSpc past the limit; kIo; kBusy for a file that others write to for too long.
class KeyValueStore {
 public:
  virtual ~KeyValueStore() = default;

  // For the calls that follow.
  virtual void set_wait(const KeyValueWait& wait) = 0;

  // Errors: kNoEnt.
  virtual Errno get(const std::string& bucket, const std::string& key, std::string* value) = 0;
  virtual Errno set(const std::string& bucket, const std::string& key, std::string value) = 0;
  // There need not be one.
  virtual Errno remove(const std::string& bucket, const std::string& key) = 0;
  // Errors: kNoEnt.
  virtual Errno contains(const std::string& bucket, const std::string& key) = 0;
  // From `from` on, up to so many keys and so many bytes of keys, but at least one.
  virtual Errno list(const std::string& bucket, uint64_t from, size_t keys_max, uint64_t bytes_max,
                     KeyPage* page) = 0;
  // Of a value that is a decimal number, which it stays; none is 0. Errors: kInval for a value that
  // is none; kOverflow; then it is as it was.
  virtual Errno increment(const std::string& bucket, const std::string& key, uint64_t delta,
                          uint64_t* sum) = 0;
  // At the start of another tenant: what is the program's own is gone.
  virtual void restart() {}
};

// The number that a value is, for increment(): decimal digits, without anything else.
std::optional<uint64_t> number_of(std::string_view value);

// Null where nothing is granted. Errors: kHost, kInvalid, which name the file.
Result<std::unique_ptr<KeyValueStore>> open_key_value_store(const KeyValueConfig& config);

std::unique_ptr<KeyValueStore> create_memory_store(uint64_t bytes_max);
Result<std::unique_ptr<KeyValueStore>> open_file_store(const std::string& path, uint64_t bytes_max);

}  // namespace mayfly::wasi
