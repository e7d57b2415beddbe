// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Mapping owns one range of the host's address space and unmaps it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "base/result.h"

namespace mayfly {

class Mapping {
 public:
  Mapping() = default;
  Mapping(Mapping&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        before_(std::exchange(other.before_, 0)),
        after_(std::exchange(other.after_, 0)) {}
  Mapping& operator=(Mapping&& other) noexcept;
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping();

  enum class Access : uint8_t { kNone, kRead, kReadWrite };
  enum class Sharing : uint8_t { kPrivate, kShared };

  // Zeros, private, not reserved: what is never touched costs nothing.
  static Result<Mapping> anonymous(uint64_t size_bytes, Access access = Access::kReadWrite);
  // The same, whose address is alignment * n + remainder: alignment is a power of two, at least a
  // page; remainder is a multiple of the page size and less than alignment. Takes up to `alignment`
  // more of the address space.
  static Result<Mapping> anonymous_aligned(uint64_t size_bytes, uint64_t alignment,
                                           uint64_t remainder = 0);
  // A range of a file; offset is a multiple of the page size.
  static Result<Mapping> file(int fd, uint64_t offset, uint64_t size_bytes, Access access,
                              Sharing sharing);

  uint8_t* data() const { return data_; }
  size_t size() const { return size_; }
  std::span<uint8_t> bytes() const { return {data_, size_}; }
  // With what alignment took around it.
  std::span<uint8_t> owned() const { return {data_ - before_, before_ + size_ + after_}; }

 private:
  Mapping(uint8_t* data, size_t size) : data_(data), size_(size) {}
  void unmap();
  uint8_t* data_ = nullptr;
  size_t size_ = 0;
  size_t before_ = 0;  // owned as well, as is what lies after
  size_t after_ = 0;
};

}  // namespace mayfly
