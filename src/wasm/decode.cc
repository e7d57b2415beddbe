// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The module's frame: header, order and sizes of sections, custom sections, and what must agree
// between sections (wasm-3.0 #binary-module).
#include <array>
#include <cstring>
#include <string>

#include "wasm/decoder.h"

namespace mayfly::wasm {
namespace {

constexpr uint8_t kCustom = 0;
constexpr uint8_t kLastSection = 13;

// The place of each section id in the order of sections: tag (13) follows memory, and data
// count (12) precedes code.
constexpr std::array<uint8_t, kLastSection + 1> kRanks = {0, 1, 2,  3,  4,  5,  7,
                                                          8, 9, 10, 12, 13, 11, 6};

}  // namespace

Result<uint32_t> Decoder::count(ByteCursor& cursor, std::string_view what, size_t existing,
                                uint32_t maximum) {
  const uint64_t start = cursor.position();
  const uint32_t value = cursor.u32();
  if (cursor.failed()) return cursor.error();
  if (value > cursor.remaining()) {
    return invalid_at("unexpected end of section or function: " + std::to_string(value) + " " +
                          std::string(what) + " in " + std::to_string(cursor.remaining()) +
                          " bytes",
                      start);
  }
  if (existing + uint64_t{value} > maximum) {
    return limit_at("too many " + std::string(what), existing + value, maximum, start);
  }
  return value;
}

Result<void> Decoder::header(ByteCursor& cursor) {
  constexpr std::array<uint8_t, 4> kMagic = {0x00, 'a', 's', 'm'};
  constexpr std::array<uint8_t, 4> kVersion = {1, 0, 0, 0};
  if (cursor.remaining() < kMagic.size()) return invalid_at("unexpected end", cursor.end());
  if (std::memcmp(cursor.bytes(kMagic.size()).data(), kMagic.data(), kMagic.size()) != 0) {
    return invalid_at("magic header not detected", 0);
  }
  if (cursor.remaining() < kVersion.size()) return invalid_at("unexpected end", cursor.end());
  if (std::memcmp(cursor.bytes(kVersion.size()).data(), kVersion.data(), kVersion.size()) != 0) {
    return invalid_at("unknown binary version", kMagic.size());
  }
  return {};
}

Result<void> Decoder::custom_section(ByteCursor& contents) {
  const uint64_t start = contents.position();
  const std::string_view name = contents.name();
  if (contents.failed()) return contents.error();
  if (module().customs.size() >= limits().custom_sections_max) {
    return limit_at("too many custom sections", module().customs.size() + 1,
                    limits().custom_sections_max, start);
  }
  if (name.size() > limits().string_bytes_max) {
    return limit_at("name too long", name.size(), limits().string_bytes_max, start);
  }
  CustomSection custom{std::string(name), {contents.position(), contents.remaining()}};
  if (name == "name") name_sections_.push_back(custom.contents);
  module().customs.push_back(std::move(custom));
  contents.bytes(contents.remaining());
  return {};
}

Result<void> Decoder::section_contents(uint8_t id, ByteCursor& contents) {
  switch (id) {
    case kCustom:
      return custom_section(contents);
    case 1:
      return type_section(contents);
    case 2:
      return import_section(contents);
    case 3:
      return function_section(contents);
    case 4:
      return table_section(contents);
    case 5:
      return memory_section(contents);
    case 6:
      return global_section(contents);
    case 7:
      return export_section(contents);
    case 8:
      return start_section(contents);
    case 9:
      return element_section(contents);
    case 10:
      return code_section(contents);
    case 11:
      return data_section(contents);
    case 12:
      return data_count_section(contents);
    case 13:
      return tag_section(contents);
    default:
      return {};
  }
}

Result<void> Decoder::section(ByteCursor& cursor) {
  const uint64_t start = cursor.position();
  const uint8_t id = cursor.u8();
  if (id > kLastSection) return invalid_at("malformed section id " + std::to_string(id), start);
  const uint32_t size = cursor.u32();
  if (cursor.failed()) return cursor.error();
  const std::string label = "section " + std::to_string(id);
  const uint64_t first = cursor.position();
  if (id != kCustom) {
    if (kRanks[id] <= last_section_rank_) {
      return invalid_at("unexpected content after last section: " + label + " is out of order",
                        start);
    }
    last_section_rank_ = kRanks[id];
  }
  if (size > cursor.remaining()) {
    return invalid_at("length out of bounds: unexpected end, " + label + " has " +
                          std::to_string(size) + " bytes, " + std::to_string(cursor.remaining()) +
                          " are left",
                      first);
  }
  ByteCursor contents(context_.bytes, first, first + size);
  MAYFLY_TRY(section_contents(id, contents));
  if (contents.failed()) return contents.error();
  if (!contents.at_end()) {
    return invalid_at("section size mismatch: " + label + " has " +
                          std::to_string(contents.remaining()) + " bytes past its contents",
                      contents.position());
  }
  cursor.bytes(size);
  return {};
}

Result<void> Decoder::check_end(uint64_t offset) {
  if (declared_functions_ != 0 && !has_code_section_) {
    return invalid_at("function and code section have inconsistent lengths: " +
                          std::to_string(declared_functions_) + " functions, 0 bodies",
                      offset);
  }
  if (context_.data_count.value_or(0) != 0 && !has_data_section_) {
    return invalid_at("data count and data section have inconsistent lengths: " +
                          std::to_string(*context_.data_count) + " and 0 segments",
                      offset);
  }
  return {};
}

Result<Module> Decoder::run() {
  const uint64_t size = context_.bytes.size();
  if (size > limits().module_bytes_max) {
    return limit_at("module too large", size, limits().module_bytes_max, 0);
  }
  ByteCursor cursor(context_.bytes, 0, size);
  MAYFLY_TRY(header(cursor));
  while (!cursor.at_end()) MAYFLY_TRY(section(cursor));
  MAYFLY_TRY(check_end(size));
  if (name_sections_.size() == 1) {
    module().names = decode_names(context_.bytes, name_sections_[0],
                                  static_cast<uint32_t>(module().functions.size()));
  }
  return std::move(context_.module);
}

Result<Module> decode(std::span<const uint8_t> bytes, const DecodeOptions& options) {
  Decoder decoder(bytes, options);
  return decoder.run();
}

}  // namespace mayfly::wasm
