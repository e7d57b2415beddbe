// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Components in the binary format, for tests that write them by hand: bytes, sections, and types
// of one index space.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mayfly {

using Bytes = std::vector<uint8_t>;

inline Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}
inline Bytes u32_leb(size_t value) {
  Bytes bytes;
  for (; value >= 0x80; value >>= 7) bytes.push_back(static_cast<uint8_t>(value | 0x80));
  bytes.push_back(static_cast<uint8_t>(value));
  return bytes;
}
inline Bytes text_of(std::string_view text) {
  return u32_leb(text.size()) + Bytes(text.begin(), text.end());
}
inline Bytes vec(const std::vector<Bytes>& items) {
  Bytes all = u32_leb(items.size());
  for (const Bytes& item : items) all = std::move(all) + item;
  return all;
}
inline Bytes section(uint8_t id, const Bytes& contents) {
  return Bytes{id} + u32_leb(contents.size()) + contents;
}

// Types of values.
inline const Bytes kBool{0x7f}, kS8{0x7e}, kU8{0x7d}, kS16{0x7c}, kU16{0x7b}, kS32{0x7a},
    kU32{0x79}, kS64{0x78}, kU64{0x77}, kF32{0x76}, kF64{0x75}, kChar{0x74}, kString{0x73};

// One index space of types: of a component, or of an instance type in it.
class TypeScope {
 public:
  TypeScope() = default;
  TypeScope(const TypeScope&) = default;
  TypeScope& operator=(const TypeScope&) = default;
  virtual ~TypeScope() = default;

  // An index where a type of values may stand.
  virtual Bytes define(const Bytes& type) {
    defined_.push_back(type);
    return index(count_++);
  }
  Bytes list(const Bytes& element) { return define(Bytes{0x70} + element); }
  Bytes option(const Bytes& payload) { return define(Bytes{0x6b} + payload); }
  Bytes tuple(const std::vector<Bytes>& types) { return define(Bytes{0x6f} + vec(types)); }
  // Of a resource's index.
  Bytes own(const Bytes& resource) { return define(Bytes{0x69} + resource); }
  Bytes borrow(const Bytes& resource) { return define(Bytes{0x68} + resource); }
  // An empty type: none.
  Bytes result(const Bytes& ok, const Bytes& error) {
    return define(Bytes{0x6a} + maybe(ok) + maybe(error));
  }
  Bytes func(const std::vector<std::pair<std::string, Bytes>>& params, const Bytes& result) {
    return define(Bytes{0x40} + fields(params) +
                  (result.empty() ? Bytes{0x01, 0x00} : Bytes{0x00} + result));
  }

  static Bytes maybe(const Bytes& type) { return type.empty() ? Bytes{0x00} : Bytes{0x01} + type; }
  static Bytes fields(const std::vector<std::pair<std::string, Bytes>>& fields) {
    std::vector<Bytes> items;
    for (const auto& [name, type] : fields) items.push_back(text_of(name) + type);
    return vec(items);
  }
  static Bytes index(size_t number) {
    return number < 0x40
               ? Bytes{static_cast<uint8_t>(number)}
               : Bytes{static_cast<uint8_t>(number | 0x80), static_cast<uint8_t>(number >> 7)};
  }

 protected:
  std::vector<Bytes> defined_;
  size_t count_ = 0;
};

}  // namespace mayfly
