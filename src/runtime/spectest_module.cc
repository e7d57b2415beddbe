// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// wasm-3.0 #binary-module, section by section. Every count and size here is below 128 or written
// by section(), so a LEB128 number is mostly one byte.
#include "runtime/spectest_module.h"

#include <bit>
#include <initializer_list>
#include <string_view>

namespace mayfly::runtime {
namespace {

using Bytes = std::vector<uint8_t>;

constexpr uint8_t kI32 = 0x7f;
constexpr uint8_t kI64 = 0x7e;
constexpr uint8_t kF32 = 0x7d;
constexpr uint8_t kF64 = 0x7c;
constexpr uint8_t kFuncref = 0x70;
constexpr uint8_t kEnd = 0x0b;

void append(Bytes& to, const Bytes& from) { to.insert(to.end(), from.begin(), from.end()); }

void section(Bytes& module, uint8_t id, uint8_t count, const Bytes& contents) {
  module.push_back(id);
  size_t size = contents.size() + 1;
  while (size >= 0x80) {
    module.push_back(static_cast<uint8_t>(size | 0x80));
    size >>= 7;
  }
  module.push_back(static_cast<uint8_t>(size));
  module.push_back(count);
  append(module, contents);
}

template <typename Bits>
void append_bits(Bytes& to, Bits bits) {
  for (size_t i = 0; i < sizeof bits; ++i) to.push_back(static_cast<uint8_t>(bits >> (8 * i)));
}

// One immutable global of each number type.
Bytes globals() {
  Bytes contents = {kI32, 0, 0x41, 0x9a, 0x05, kEnd, kI64, 0, 0x42, 0x9a, 0x05, kEnd};
  append(contents, {kF32, 0, 0x43});
  append_bits(contents, std::bit_cast<uint32_t>(666.6F));
  append(contents, {kEnd, kF64, 0, 0x44});
  append_bits(contents, std::bit_cast<uint64_t>(666.6));
  contents.push_back(kEnd);
  return contents;
}

struct ExportName {
  std::string_view name;
  uint8_t kind;
  uint8_t index;
};

Bytes exports(std::initializer_list<ExportName> names) {
  Bytes contents;
  for (const ExportName& item : names) {
    contents.push_back(static_cast<uint8_t>(item.name.size()));
    contents.insert(contents.end(), item.name.begin(), item.name.end());
    append(contents, {item.kind, item.index});
  }
  return contents;
}

}  // namespace

std::vector<uint8_t> spectest_module(const wasm::Features& features) {
  constexpr uint8_t kFunctions = 7;
  Bytes module = {0, 'a', 's', 'm', 1, 0, 0, 0};
  section(module, 1, kFunctions, {0x60, 0, 0,                // print
                                  0x60, 1, kI32, 0,          // print_i32
                                  0x60, 1, kI64, 0,          // print_i64
                                  0x60, 1, kF32, 0,          // print_f32
                                  0x60, 1, kF64, 0,          // print_f64
                                  0x60, 2, kI32, kF32, 0,    // print_i32_f32
                                  0x60, 2, kF64, kF64, 0});  // print_f64_f64
  section(module, 3, kFunctions, {0, 1, 2, 3, 4, 5, 6});
  section(module, 4, 2, {kFuncref, 0x01, 10, 20, kFuncref, 0x05, 10, 20});
  if (features.threads) {
    section(module, 5, 2, {0x01, 1, 2, 0x03, 1, 2});
  } else {
    section(module, 5, 1, {0x01, 1, 2});
  }
  section(module, 6, 4, globals());
  Bytes names = exports({{"print", 0, 0},
                         {"print_i32", 0, 1},
                         {"print_i64", 0, 2},
                         {"print_f32", 0, 3},
                         {"print_f64", 0, 4},
                         {"print_i32_f32", 0, 5},
                         {"print_f64_f64", 0, 6},
                         {"table", 1, 0},
                         {"table64", 1, 1},
                         {"memory", 2, 0},
                         {"global_i32", 3, 0},
                         {"global_i64", 3, 1},
                         {"global_f32", 3, 2},
                         {"global_f64", 3, 3}});
  if (features.threads) append(names, exports({{"shared_memory", 2, 1}}));
  section(module, 7, features.threads ? 15 : 14, names);
  Bytes bodies;
  for (uint8_t i = 0; i < kFunctions; ++i) append(bodies, {2, 0, kEnd});
  section(module, 10, kFunctions, bodies);
  return module;
}

}  // namespace mayfly::runtime
