// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Counts, names, sorts and indices, as all sections have them.
#include <array>

#include "component/decoder.h"

namespace mayfly::component {

std::string_view to_string(Space space) {
  static constexpr std::array<std::string_view, kSpaceCount> kNames = {
      "core function", "core table", "core memory",   "core global", "core tag",
      "core type",     "module",     "core instance", "function",    "value",
      "type",          "component",  "instance"};
  return kNames[static_cast<size_t>(space)];
}

Result<uint32_t> Decoder::count(ByteCursor& cursor, std::string_view what, uint32_t maximum) {
  const uint64_t start = cursor.position();
  const uint32_t value = cursor.u32();
  if (cursor.failed()) return cursor.error();
  if (value > cursor.remaining()) {
    return invalid_at("unexpected end: " + std::to_string(value) + " " + std::string(what) +
                          " in " + std::to_string(cursor.remaining()) + " bytes",
                      start);
  }
  if (value > maximum) return limit_at("too many " + std::string(what), value, maximum, start);
  return value;
}

Result<StringId> Decoder::name(ByteCursor& cursor) {
  const uint64_t start = cursor.position();
  const std::string_view text = cursor.name();
  if (cursor.failed()) return cursor.error();
  if (text.size() > limits().string_bytes_max) {
    return limit_at("name too long", text.size(), limits().string_bytes_max, start);
  }
  return types().intern(text);
}

Result<void> Decoder::add_entry(Space space, const Entry& entry, uint64_t offset) {
  auto& entries = scope().def.space(space);
  if (entries.size() >= limits().entries_max) {
    return limit_at("index space of " + std::string(to_string(space)) + "s is full",
                    entries.size() + 1, limits().entries_max, offset);
  }
  entries.push_back(entry);
  return {};
}

Result<Entry> Decoder::entry_at(const Scope& in, Space space, uint32_t index,
                                uint64_t offset) const {
  const auto& entries = in.def.space(space);
  if (index < entries.size()) return entries[index];
  return invalid_at("unknown " + std::string(to_string(space)) + " " + std::to_string(index) +
                        ": index out of bounds, there are " + std::to_string(entries.size()),
                    offset);
}

Result<Entry> Decoder::entry(Space space, ByteCursor& cursor) {
  const uint64_t start = cursor.position();
  const uint32_t index = cursor.u32();
  if (cursor.failed()) return cursor.error();
  return entry_at(scope(), space, index, start);
}

Result<uint32_t> Decoder::index(Space space, ByteCursor& cursor) {
  const uint64_t start = cursor.position();
  const uint32_t value = cursor.u32();
  if (cursor.failed()) return cursor.error();
  MAYFLY_TRY(entry_at(scope(), space, value, start));
  return value;
}

Result<Space> Decoder::core_sort(ByteCursor& cursor) {
  const uint64_t start = cursor.position();
  const uint8_t byte = cursor.u8();
  if (cursor.failed()) return cursor.error();
  switch (byte) {
    case 0x00:
      return Space::kCoreFunc;
    case 0x01:
      return Space::kCoreTable;
    case 0x02:
      return Space::kCoreMemory;
    case 0x03:
      return Space::kCoreGlobal;
    case 0x04:
      return Space::kCoreTag;
    case 0x10:
      return Space::kCoreType;
    case 0x11:
      return Space::kCoreModule;
    case 0x12:
      return Space::kCoreInstance;
    default:
      return invalid_at("malformed core sort " + std::to_string(byte), start);
  }
}

Result<Space> Decoder::sort(ByteCursor& cursor) {
  const uint64_t start = cursor.position();
  const uint8_t byte = cursor.u8();
  if (cursor.failed()) return cursor.error();
  switch (byte) {
    case 0x00:
      return core_sort(cursor);
    case 0x01:
      return Space::kFunc;
    case 0x02:
      if (features().values) return Space::kValue;
      break;
    case 0x03:
      return Space::kType;
    case 0x04:
      return Space::kComponent;
    case 0x05:
      return Space::kInstance;
    default:
      break;
  }
  return invalid_at("malformed sort " + std::to_string(byte), start);
}

Result<SpaceIndex> Decoder::sort_index(ByteCursor& cursor) {
  const Space space = MAYFLY_TRY(sort(cursor));
  return SpaceIndex{space, MAYFLY_TRY(index(space, cursor))};
}

Result<EntityType> Decoder::entity(SpaceIndex item, uint64_t offset) {
  const Entry found = MAYFLY_TRY(entry_at(scope(), item.space, item.index, offset));
  switch (item.space) {
    case Space::kCoreModule:
      return EntityType{Sort::kCoreModule, found.type};
    case Space::kFunc:
      return EntityType{Sort::kFunc, found.type};
    case Space::kValue:
      MAYFLY_TRY(use_value(item.index, offset));
      return EntityType{Sort::kValue, found.type};
    case Space::kType:
      return EntityType{Sort::kType, found.type};
    case Space::kComponent:
      return EntityType{Sort::kComponent, found.type};
    case Space::kInstance:
      return EntityType{Sort::kInstance, found.type};
    default:
      return invalid_at("a " + std::string(to_string(item.space)) +
                            " cannot be imported or exported by a component",
                        offset);
  }
}

Result<TypeId> Decoder::type_of_kind(TypeKind kind, ByteCursor& cursor) {
  const uint64_t start = cursor.position();
  const TypeId type{MAYFLY_TRY(entry(Space::kType, cursor)).type};
  if (types().kind(type) == kind) return type;
  return invalid_at("type is not " + std::string(kind == TypeKind::kInstance ? "an " : "a ") +
                        std::string(to_string(kind)) + " type but " +
                        std::string(to_string(types().kind(type))),
                    start);
}

}  // namespace mayfly::component
