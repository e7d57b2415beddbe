// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The frame of a component: preamble, sections, what is left to check at its end
// (Binary.md #component-definitions).
#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/check.h"
#include "component/decoder.h"
#include "component/resource_use.h"

namespace mayfly::component {
namespace {

constexpr std::array<uint8_t, 8> kPreamble = {0x00, 'a', 's', 'm', 0x0d, 0x00, 0x01, 0x00};

enum SectionId : uint8_t {
  kCustom = 0,
  kCoreModule = 1,
  kCoreInstance = 2,
  kCoreType = 3,
  kComponent = 4,
  kInstance = 5,
  kAlias = 6,
  kType = 7,
  kCanon = 8,
  kStart = 9,
  kImport = 10,
  kExport = 11,
  kValue = 12,
};

// An error of a core module, whose offsets count from the module's first byte.
Error rebase(const Error& error, uint64_t base) {
  constexpr std::string_view kAt = " at offset 0x";
  const size_t position = error.message.rfind(kAt);
  CHECK(position != std::string::npos, error.message);
  const uint64_t offset = std::strtoull(error.message.c_str() + position + kAt.size(), nullptr, 16);
  Error moved = invalid_at(error.message.substr(0, position), base + offset);
  moved.kind = error.kind;
  return moved;
}

// Names are the input's: they may be long, and hold what moves a terminal's cursor.
std::string one_line(std::string_view message) {
  constexpr size_t kHeadBytes = 500;
  constexpr size_t kTailBytes = 200;
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string line;
  for (size_t i = 0; i < message.size(); ++i) {
    if (i == kHeadBytes && message.size() > kHeadBytes + kTailBytes) {
      line += "...";
      i = message.size() - kTailBytes;
    }
    const auto byte = static_cast<uint8_t>(message[i]);
    if (byte >= 0x20 && byte != 0x7f) {
      line.push_back(message[i]);
    } else {
      line += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return line;
}

}  // namespace

Decoder::Decoder(std::span<const uint8_t> bytes, const DecodeOptions& options)
    : bytes_(bytes), options_(options), subtypes_(component_.types, component_.core_types) {
  component_.types = TypeArena(options.limits, bytes.size());
}

bool is_component(std::span<const uint8_t> bytes) {
  return bytes.size() >= kPreamble.size() &&
         std::equal(kPreamble.begin(), kPreamble.end(), bytes.begin());
}

Result<void> Decoder::header(ByteCursor& cursor) {
  const uint64_t start = cursor.position();
  const auto found = cursor.bytes(std::min<uint64_t>(kPreamble.size(), cursor.remaining()));
  if (found.size() >= 4 && !std::equal(kPreamble.begin(), kPreamble.begin() + 4, found.begin())) {
    return invalid_at("magic header not detected", start);
  }
  if (found.size() < kPreamble.size()) return invalid_at("unexpected end", cursor.end());
  if (!std::equal(kPreamble.begin(), kPreamble.end(), found.begin())) {
    return invalid_at("unknown binary version, or not a component", start + 4);
  }
  return {};
}

Result<void> Decoder::push_scope(Scope::Kind kind, uint64_t offset) {
  if (scopes_.size() >= limits().nesting_max) {
    return limit_at("nesting is too deep", scopes_.size() + 1, limits().nesting_max, offset);
  }
  const uint32_t outer = scopes_.empty() ? kNoIndex : scopes_.back().number;
  Scope& added = scopes_.emplace_back();
  added.kind = kind;
  added.offset = offset;
  added.number = outer;
  if (kind == Scope::Kind::kComponent) {
    added.number = static_cast<uint32_t>(component_.components.size());
    added.def.parent = outer;
    component_.components.emplace_back();
  }
  return {};
}

Result<void> Decoder::push_component(uint64_t begin, uint64_t end) {
  ByteCursor cursor(bytes_, begin, end);
  MAYFLY_TRY(header(cursor));
  MAYFLY_TRY(push_scope(Scope::Kind::kComponent, begin));
  scope().def.bytes = {begin, end - begin};
  frames_.push_back({Frame::Kind::kComponent, cursor, 0, frames_.size()});
  return {};
}

Result<void> Decoder::custom_section(ByteCursor& contents) {
  const uint64_t start = contents.position();
  const std::string_view name = contents.name();
  if (contents.failed()) return contents.error();
  if (component_.customs.size() >= limits().core.custom_sections_max) {
    return limit_at("too many custom sections", component_.customs.size() + 1,
                    limits().core.custom_sections_max, start);
  }
  if (name.size() > limits().string_bytes_max) {
    return limit_at("name too long", name.size(), limits().string_bytes_max, start);
  }
  component_.customs.push_back(
      {std::string(name), {contents.position(), contents.remaining()}, scope().number});
  contents.bytes(contents.remaining());
  return {};
}

Result<void> Decoder::core_module(ByteCursor& contents) {
  const uint64_t start = contents.position();
  const auto bytes = contents.bytes(contents.remaining());
  auto module = wasm::decode(bytes, {limits().core, features().core});
  if (!module) return rebase(std::move(module).error(), start);
  component_.modules.push_back({{start, bytes.size()}, std::move(*module), {}});
  CoreModuleDef& added = component_.modules.back();
  const auto type = core().add_module(added.module, types());
  if (!type) return invalid_at(type.error().message, start);
  added.type = *type;
  Entry entry;
  entry.a = static_cast<uint32_t>(component_.modules.size() - 1);
  entry.type = static_cast<uint32_t>(*type);
  return add_entry(Space::kCoreModule, entry, start);
}

Result<void> Decoder::section_contents(uint8_t id, ByteCursor& contents) {
  if (id == kCustom) return custom_section(contents);
  if (id == kCoreModule) return core_module(contents);
  if (id == kStart) return start_function(contents);
  uint32_t left = MAYFLY_TRY(count(contents, "items of a section", UINT32_MAX));
  for (; left > 0; --left) {
    switch (id) {
      case kCoreInstance:
        MAYFLY_TRY(core_instance(contents));
        break;
      case kCoreType:
        MAYFLY_TRY(core_type_definition(contents));
        break;
      case kInstance:
        MAYFLY_TRY(instance(contents));
        break;
      case kAlias:
        MAYFLY_TRY(alias(contents));
        break;
      case kCanon:
        MAYFLY_TRY(canon(contents));
        break;
      case kImport:
        MAYFLY_TRY(import_entry(contents));
        break;
      case kExport:
        MAYFLY_TRY(export_entry(contents));
        break;
      default:
        MAYFLY_TRY(value(contents));
        break;
    }
    if (contents.failed()) return contents.error();
  }
  return {};
}

Result<void> Decoder::section(ByteCursor& cursor) {
  const uint64_t start = cursor.position();
  const uint8_t id = cursor.u8();
  const uint8_t last = features().values ? kValue : kExport;
  if (id > last || (id == kStart && !features().values)) {
    return invalid_at("malformed section id " + std::to_string(id), start);
  }
  const uint32_t size = cursor.u32();
  if (cursor.failed()) return cursor.error();
  const uint64_t first = cursor.position();
  if (size > cursor.remaining()) {
    return invalid_at("unexpected end: section " + std::to_string(id) + " has " +
                          std::to_string(size) + " bytes, " + std::to_string(cursor.remaining()) +
                          " are left",
                      first);
  }
  cursor.bytes(size);
  if (id == kComponent) return push_component(first, first + size);
  ByteCursor contents(bytes_, first, first + size);
  if (id == kType) {
    const uint32_t left = MAYFLY_TRY(count(contents, "types", UINT32_MAX));
    frames_.push_back({Frame::Kind::kTypes, contents, left, frames_.size()});
    return {};
  }
  MAYFLY_TRY(section_contents(id, contents));
  if (contents.failed()) return contents.error();
  if (contents.at_end()) return {};
  return invalid_at("section size mismatch: section " + std::to_string(id) + " has " +
                        std::to_string(contents.remaining()) + " bytes past its contents",
                    contents.position());
}

Result<void> Decoder::step() {
  Frame& top = frames_.back();
  if (top.kind == Frame::Kind::kComponent) {
    return top.cursor.at_end() ? finish_component() : section(top.cursor);
  }
  ByteCursor& cursor = frames_[top.cursor_frame].cursor;
  if (top.left > 0) {
    --top.left;
    // Copied back: what is read may push a frame, which moves this one.
    const size_t at = top.cursor_frame;
    ByteCursor copy = cursor;
    auto done = top.kind == Frame::Kind::kTypes ? type_definition(copy) : declaration(copy);
    if (!done) return done;
    if (copy.failed()) return copy.error();
    frames_[at].cursor = copy;
    return {};
  }
  if (top.kind == Frame::Kind::kDeclarations) return finish_declarations();
  if (!cursor.at_end()) {
    return invalid_at("section size mismatch: the type section has " +
                          std::to_string(cursor.remaining()) + " bytes past its contents",
                      cursor.position());
  }
  frames_.pop_back();
  return {};
}

// The type of the component, or component type, that the top scope is.
Result<TypeId> Decoder::finish_component_type(uint64_t offset) {
  Scope& done = scope();
  ComponentType type;
  type.imports = DeclarationList(std::move(done.imports.declarations));
  type.exports = DeclarationList(std::move(done.exports.declarations));
  std::ranges::sort(done.imported_resources);
  std::ranges::sort(done.own_resources);
  const auto in_imports =
      MAYFLY_TRY(resources_in(types(), type.imports, done.own_resources, offset));
  if (!in_imports.empty()) return invalid_at("local resource type found in imports", offset);
  const auto in_exports =
      MAYFLY_TRY(resources_in(types(), type.exports, done.own_resources, offset));
  const auto exported =
      MAYFLY_TRY(exported_resources(types(), type.exports, done.own_resources, offset));
  for (const TypeId resource : in_exports) {
    if (!exported.contains(resource)) {
      return invalid_at("local resource type found in an export but not exported itself", offset);
    }
  }
  type.bound_imports = std::move(done.imported_resources);
  type.bound_exports.assign(in_exports.begin(), in_exports.end());
  return types().add_component(std::move(type), offset);
}

Result<void> Decoder::finish_component() {
  const uint64_t end = frames_.back().cursor.position();
  MAYFLY_TRY(check_values_used(end));
  const TypeId type = MAYFLY_TRY(finish_component_type(end));
  const uint32_t number = scope().number;
  scope().def.type = type;
  component_.components[number] = std::move(scope().def);
  scopes_.pop_back();
  frames_.pop_back();
  if (scopes_.empty()) return {};
  Entry entry;
  entry.a = number;
  entry.type = static_cast<uint32_t>(type);
  return add_entry(Space::kComponent, entry, end);
}

Result<void> Decoder::finish_declarations() {
  const uint64_t end = frames_[frames_.back().cursor_frame].cursor.position();
  TypeId type{};
  if (scope().kind == Scope::Kind::kComponentType) {
    type = MAYFLY_TRY(finish_component_type(end));
  } else {
    InstanceType instance;
    instance.exports = DeclarationList(std::move(scope().exports.declarations));
    instance.bound = std::move(scope().own_resources);
    std::ranges::sort(instance.bound);
    type = MAYFLY_TRY(types().add_instance(std::move(instance), end));
  }
  scopes_.pop_back();
  frames_.pop_back();
  return add_type(type, end);
}

Result<Component> Decoder::run() {
  if (bytes_.size() > limits().component_bytes_max) {
    return limit_at("component too large", bytes_.size(), limits().component_bytes_max, 0);
  }
  MAYFLY_TRY(push_component(0, bytes_.size()));
  while (!frames_.empty()) MAYFLY_TRY(step());
  return std::move(component_);
}

Result<Component> decode(std::span<const uint8_t> bytes, const DecodeOptions& options) {
  Decoder decoder(bytes, options);
  auto component = decoder.run();
  if (!component) {
    Error error = std::move(component).error();
    error.message = one_line(error.message);
    return error;
  }
  return component;
}

}  // namespace mayfly::component
