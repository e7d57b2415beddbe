// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Puts components together from bytes, for tests.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

namespace mayfly::component {

using Bytes = std::vector<uint8_t>;

inline Bytes join(std::initializer_list<Bytes> parts) {
  Bytes all;
  for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

inline Bytes leb(uint64_t value) {
  Bytes bytes;
  do {
    const auto low = static_cast<uint8_t>(value & 0x7F);
    value >>= 7;
    bytes.push_back(value != 0 ? static_cast<uint8_t>(low | 0x80) : low);
  } while (value != 0);
  return bytes;
}

// A type index where a value type may stand: a signed number, here of two bytes.
inline Bytes type_index(uint32_t index) {
  return {static_cast<uint8_t>((index & 0x7F) | 0x80), static_cast<uint8_t>(index >> 7)};
}

inline Bytes name(std::string_view text) {
  Bytes bytes = leb(text.size());
  bytes.insert(bytes.end(), text.begin(), text.end());
  return bytes;
}

inline Bytes extern_name(std::string_view text) { return join({{0x00}, name(text)}); }

inline Bytes section(uint8_t id, const Bytes& contents) {
  return join({{id}, leb(contents.size()), contents});
}

// A section with a count of items.
inline Bytes items(uint8_t id, std::initializer_list<Bytes> parts) {
  Bytes contents = leb(parts.size());
  for (const Bytes& part : parts) contents.insert(contents.end(), part.begin(), part.end());
  return section(id, contents);
}
inline Bytes items(uint8_t id, const std::vector<Bytes>& parts) {
  Bytes contents = leb(parts.size());
  for (const Bytes& part : parts) contents.insert(contents.end(), part.begin(), part.end());
  return section(id, contents);
}

inline Bytes component_of(std::initializer_list<Bytes> sections) {
  return join({{0x00, 'a', 's', 'm', 0x0d, 0x00, 0x01, 0x00}, join(sections)});
}

inline constexpr uint8_t kComponentSection = 4;
inline constexpr uint8_t kInstanceSection = 5;
inline constexpr uint8_t kAliasSection = 6;
inline constexpr uint8_t kTypeSection = 7;
inline constexpr uint8_t kImportSection = 10;
inline constexpr uint8_t kExportSection = 11;
inline constexpr uint8_t kValueSection = 12;

inline Bytes type_import(std::string_view text) {  // (sub resource)
  return join({extern_name(text), {0x03, 0x01}});
}

}  // namespace mayfly::component
