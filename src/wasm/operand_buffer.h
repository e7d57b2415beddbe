// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// OperandBuffer: the types on the operand stack. Straight code works on its storage with a top of
// its own (validate_straight.cc), which no vector allows.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "wasm/packed_type.h"

namespace mayfly::wasm {

class OperandBuffer {
 public:
  size_t size() const { return size_; }
  size_t capacity() const { return storage_.size(); }
  // capacity() entries, of which the first size() are the stack.
  PackedType* data() { return storage_.data(); }
  std::span<const PackedType> types() const { return std::span(storage_).first(size_); }

  // Precondition: size <= capacity(), and what is new has been written.
  void set_size(size_t size) { size_ = size; }
  void clear() { size_ = 0; }
  // Precondition of both: not empty.
  PackedType back() const { return storage_[size_ - 1]; }
  void pop_back() { --size_; }

  void push_back(PackedType type) {
    if (size_ == storage_.size()) [[unlikely]] {
      grow(1);
    }
    storage_[size_++] = type;
  }
  void append(std::span<const PackedType> types) {
    if (types.size() > storage_.size() - size_) grow(types.size());
    for (const PackedType type : types) storage_[size_++] = type;
  }

 private:
  void grow(size_t more) {
    constexpr size_t kFirst = 64;
    storage_.resize(std::max(kFirst, 2 * (storage_.size() + more)));
  }

  std::vector<PackedType> storage_;
  size_t size_ = 0;
};

}  // namespace mayfly::wasm
