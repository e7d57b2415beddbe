// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// BinaryWriter: the primitive values of the component binary format (Binary.md), written.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "component/types.h"

namespace mayfly::component {

using Bytes = std::vector<uint8_t>;

// The attributes of a name that Binary.md's `nameattributes` can carry.
struct NameParts {
  std::optional<std::string> implements;
  std::optional<std::string> external_id;
};

class BinaryWriter {
 public:
  BinaryWriter& u8(uint8_t value) {
    bytes_.push_back(value);
    return *this;
  }
  BinaryWriter& u32(uint32_t value) {
    while (value >= 0x80) {
      u8(static_cast<uint8_t>(value | 0x80));
      value >>= 7;
    }
    return u8(static_cast<uint8_t>(value));
  }
  // A type index where a signed number stands.
  BinaryWriter& s33(uint32_t value) {
    while (value >= 0x40) {
      u8(static_cast<uint8_t>(value | 0x80));
      value >>= 7;
    }
    return u8(static_cast<uint8_t>(value));
  }
  BinaryWriter& prim(Prim prim) {
    return u8(prim == Prim::kErrorContext
                  ? uint8_t{0x64}
                  : static_cast<uint8_t>(0x7f - static_cast<uint8_t>(prim)));
  }
  BinaryWriter& name(std::string_view text) {
    u32(static_cast<uint32_t>(text.size()));
    bytes_.insert(bytes_.end(), text.begin(), text.end());
    return *this;
  }
  BinaryWriter& bytes(const Bytes& other) {
    bytes_.insert(bytes_.end(), other.begin(), other.end());
    return *this;
  }
  // 0x00, or 0x01 and the contents, which are not empty when they exist.
  BinaryWriter& optional(const Bytes& contents) {
    return contents.empty() ? u8(0x00) : u8(0x01).bytes(contents);
  }
  BinaryWriter& section(uint8_t id, const Bytes& contents) {
    return u8(id).u32(static_cast<uint32_t>(contents.size())).bytes(contents);
  }
  BinaryWriter& extern_name(std::string_view text, const NameParts& parts) {
    if (!parts.implements && !parts.external_id) return u8(0x00).name(text);
    u8(0x02).name(text);
    u32((parts.implements ? 1u : 0u) + (parts.external_id ? 1u : 0u));
    if (parts.implements) u8(0x00).name(*parts.implements);
    if (parts.external_id) u8(0x02).name(*parts.external_id);
    return *this;
  }
  Bytes take() { return std::move(bytes_); }

 private:
  Bytes bytes_;
};

}  // namespace mayfly::component
