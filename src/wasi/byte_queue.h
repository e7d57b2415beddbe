// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ByteQueue: bytes on their way, first in, first out.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

namespace mayfly::wasi {

class ByteQueue {
 public:
  size_t size() const { return bytes_.size() - begin_; }
  bool empty() const { return size() == 0; }
  void push(std::string_view bytes) { bytes_.append(bytes); }
  // How many were there, up to `room`.
  size_t pop(void* to, size_t room) {
    const size_t count = std::min(room, size());
    if (count == 0) return 0;
    std::memcpy(to, bytes_.data() + begin_, count);
    begin_ += count;
    // What is moved is no more than what was popped.
    if (begin_ >= bytes_.size() - begin_) {
      bytes_.erase(0, begin_);
      begin_ = 0;
    }
    return count;
  }
  void clear() {
    bytes_.clear();
    begin_ = 0;
  }

 private:
  std::string bytes_;
  size_t begin_ = 0;
};

}  // namespace mayfly::wasi
