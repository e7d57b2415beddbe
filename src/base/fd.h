// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Fd owns one file descriptor and closes it.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace mayfly {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int owned) : fd_(owned) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(-1); }

  bool valid() const { return fd_ >= 0; }
  int get() const { return fd_; }
  // The descriptor is the caller's afterwards.
  int release() { return std::exchange(fd_, -1); }

  // A second descriptor of the same open file, close-on-exec.
  Result<Fd> duplicate() const;

 private:
  void reset(int fd) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
  }
  int fd_ = -1;
};

// Opens a file; the message of an error names the path.
Result<Fd> open_file(const std::string& path, int flags, unsigned mode = 0);

// An empty anonymous file of size_bytes zeros, close-on-exec, that can be sealed.
Result<Fd> create_memfd(const char* name, uint64_t size_bytes);

// All bytes of a regular file or a stream. Errors: kLimit past size_bytes_max; kHost.
Result<std::vector<uint8_t>> read_whole(int fd, uint64_t size_bytes_max);
Result<std::vector<uint8_t>> read_file(const std::string& path, uint64_t size_bytes_max);

// Fills `to` from the file's bytes from offset on; its position stays. `what` names the file in
// messages. Errors: kInvalid when the file ends before; kHost.
Result<void> read_range(int fd, uint64_t offset, std::span<uint8_t> to, const char* what);

// Writes all bytes, over short writes and EINTR.
Result<void> write_whole(int fd, std::span<const uint8_t> bytes);

}  // namespace mayfly
