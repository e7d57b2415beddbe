// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Builds modules byte by byte for the tests of this folder: sizes and counts are filled in.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "wasm/module.h"

namespace mayfly::wasm {

using Bytes = std::vector<uint8_t>;

inline Bytes leb(uint64_t value) {
  Bytes bytes;
  while (value >= 0x80) {
    bytes.push_back(static_cast<uint8_t>(value | 0x80));
    value >>= 7;
  }
  bytes.push_back(static_cast<uint8_t>(value));
  return bytes;
}

inline Bytes join(std::initializer_list<Bytes> parts) {
  Bytes bytes;
  for (const Bytes& part : parts) bytes.insert(bytes.end(), part.begin(), part.end());
  return bytes;
}

inline Bytes repeat(size_t times, const Bytes& part) {
  Bytes bytes;
  bytes.reserve(times * part.size());
  for (size_t i = 0; i < times; ++i) bytes.insert(bytes.end(), part.begin(), part.end());
  return bytes;
}

inline Bytes sized(const Bytes& contents) { return join({leb(contents.size()), contents}); }

inline Bytes name(const std::string& text) { return sized(Bytes(text.begin(), text.end())); }

inline Bytes section(uint8_t id, const Bytes& contents) { return join({{id}, sized(contents)}); }

inline Bytes vec(std::initializer_list<Bytes> items) {
  return join({leb(items.size()), join(items)});
}

inline Bytes module_of(std::initializer_list<Bytes> sections) {
  return join({{0, 'a', 's', 'm', 1, 0, 0, 0}, join(sections)});
}

// A body: the bytes of the locals' declarations and of the code, with the final `end` added.
inline Bytes body(const Bytes& locals, const Bytes& code) {
  return sized(join({locals, code, {0x0B}}));
}

// One function () -> () with this code, and one memory.
inline Bytes module_with_code(const Bytes& code, const Bytes& locals = {0}) {
  return module_of({section(1, {1, 0x60, 0, 0}), section(3, {1, 0}), section(5, {1, 0, 1}),
                    section(10, join({{1}, body(locals, code)}))});
}

inline std::string message_of(const Bytes& bytes, const DecodeOptions& options = {}) {
  const auto module = decode(bytes, options);
  return module ? "valid" : module.error().message;
}

}  // namespace mayfly::wasm
