// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ByteWriter and ByteReader: the little-endian encoding that all of Mayfly's own formats share.
// Integers are fixed width; a string or a byte range is a u32 size and its bytes.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mayfly {

class ByteWriter {
 public:
  void u8(uint8_t value) { bytes_.push_back(value); }
  void u32(uint32_t value) { append(&value, sizeof value); }
  void u64(uint64_t value) { append(&value, sizeof value); }
  void string(std::string_view text) {
    u32(static_cast<uint32_t>(text.size()));
    append(text.data(), text.size());
  }
  void blob(std::span<const uint8_t> bytes) {
    u32(static_cast<uint32_t>(bytes.size()));
    append(bytes.data(), bytes.size());
  }
  const std::vector<uint8_t>& bytes() const { return bytes_; }
  std::vector<uint8_t> take() { return std::move(bytes_); }

 private:
  void append(const void* data, size_t size) {
    const auto* first = static_cast<const uint8_t*>(data);
    bytes_.insert(bytes_.end(), first, first + size);
  }
  std::vector<uint8_t> bytes_;
};

// Reads what ByteWriter wrote, from bytes that nobody trusts. Every read is checked; after the
// first failure all further reads answer zero or empty, and ok() is false.
class ByteReader {
 public:
  explicit ByteReader(std::span<const uint8_t> bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  size_t position() const { return position_; }
  size_t remaining() const { return ok_ ? bytes_.size() - position_ : 0; }

  uint8_t u8() { return fixed<uint8_t>(); }
  uint32_t u32() { return fixed<uint32_t>(); }
  uint64_t u64() { return fixed<uint64_t>(); }
  // A count of items that take at least item_bytes_min each: never more than the bytes left allow.
  uint32_t count(size_t item_bytes_min) {
    const uint32_t value = u32();
    if (ok_ && uint64_t{value} * item_bytes_min > remaining()) fail();
    return ok_ ? value : 0;
  }
  // Valid as long as the bytes that the reader was made with.
  std::span<const uint8_t> blob() {
    const uint32_t size = u32();
    if (size > remaining()) fail();
    if (!ok_) return {};
    const auto result = bytes_.subspan(position_, size);
    position_ += size;
    return result;
  }
  std::string string() {
    const auto text = blob();
    return std::string(text.begin(), text.end());
  }
  void fail() { ok_ = false; }
  // An error that names the format and the position, if a read failed or bytes are left over.
  Result<void> finish(std::string_view format) const {
    if (!ok_) {
      return invalid(std::string(format) + " is damaged at byte " + std::to_string(position_) +
                     " of " + std::to_string(bytes_.size()));
    }
    if (position_ != bytes_.size()) {
      return invalid(std::string(format) + " has " + std::to_string(bytes_.size() - position_) +
                     " bytes past its end");
    }
    return {};
  }

 private:
  template <typename T>
  T fixed() {
    T value{};
    if (remaining() < sizeof value) fail();
    if (!ok_) return 0;
    std::memcpy(&value, bytes_.data() + position_, sizeof value);
    position_ += sizeof value;
    return value;
  }
  std::span<const uint8_t> bytes_;
  size_t position_ = 0;
  bool ok_ = true;
};

}  // namespace mayfly
