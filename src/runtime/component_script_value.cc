// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The JSON says of each value what it is; the type decides where both could be meant.
#include "runtime/component_script_value.h"

#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "component/value_parts.h"

namespace mayfly::runtime {
namespace {

using component::TypeArena;
using component::TypeKind;
using component::ValType;
using nlohmann::json;

Result<std::string> text_of(const json& value) {
  if (!value.is_string()) return invalid("a string is wanted");
  return value.get<std::string>();
}

Result<std::vector<std::string>> texts_of(const json& value) {
  if (!value.is_array()) return invalid("a list of names is wanted");
  std::vector<std::string> texts;
  for (const json& item : value) texts.push_back(MAYFLY_TRY(text_of(item)));
  return texts;
}

Result<uint64_t> number(const json& value, bool is_signed) {
  if (!value.is_string()) return invalid("a number is no string");
  const auto& text = value.get_ref<const std::string&>();
  uint64_t bits = 0;
  int64_t signed_bits = 0;
  const char* end = text.data() + text.size();
  const auto parsed = is_signed ? std::from_chars(text.data(), end, signed_bits)
                                : std::from_chars(text.data(), end, bits);
  if (parsed.ec != std::errc() || parsed.ptr != end) return invalid("no number: " + text);
  return is_signed ? static_cast<uint64_t>(signed_bits) : bits;
}

Result<char32_t> only_char(const std::string& text) {
  const auto first = static_cast<uint8_t>(text.empty() ? '\0' : text[0]);
  const size_t size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (text.size() != size) return invalid("no character: " + text);
  char32_t value = size == 1 ? first : first & (0xffu >> (size + 1));
  for (size_t i = 1; i < size; ++i) {
    value = value << 6 | (static_cast<uint8_t>(text[i]) & 0x3fu);
  }
  return value;
}

class ValueParser {
 public:
  explicit ValueParser(const TypeArena& types) : types_(types) {}

  Result<ComponentValue> parse(const json& object, ValType type) {
    if (!object.is_object() || !object.contains("type")) return invalid("no value");
    const json null;
    const json& value = object.contains("value") ? object["value"] : null;
    const auto kind = component::kind_of(types_, type);
    if (!kind) return invalid("values of this type are not known");
    if (object["type"] != std::string(to_string(*kind)) && object["type"] != "map") {
      return invalid("the type is " + std::string(to_string(*kind)));
    }
    switch (*kind) {
      case ComponentKind::kBool:
        return ComponentValue(value == true);
      case ComponentKind::kChar: {
        const std::string text = MAYFLY_TRY(text_of(value));
        return ComponentValue(MAYFLY_TRY(only_char(text)));
      }
      case ComponentKind::kString:
        return ComponentValue(MAYFLY_TRY(text_of(value)));
      case ComponentKind::kEnum:
        return ComponentValue::enumeration(MAYFLY_TRY(text_of(value)));
      case ComponentKind::kFlags:
        return ComponentValue::flags(MAYFLY_TRY(texts_of(value)));
      case ComponentKind::kS8:
      case ComponentKind::kS16:
      case ComponentKind::kS32:
      case ComponentKind::kS64:
        return ComponentValue::of_bits(*kind, MAYFLY_TRY(number(value, true)));
      case ComponentKind::kU8:
      case ComponentKind::kU16:
      case ComponentKind::kU32:
      case ComponentKind::kU64:
      case ComponentKind::kF32:
      case ComponentKind::kF64:
        return ComponentValue::of_bits(*kind, MAYFLY_TRY(number(value, false)));
      default:
        return parse_composite(value, type.type(), *kind);
    }
  }

 private:
  Result<ComponentValue> parse_composite(const json& value, component::TypeId type,
                                         ComponentKind kind) {
    const auto members = types_.members(type);
    switch (kind) {
      case ComponentKind::kList:
        return ComponentValue::list(MAYFLY_TRY(parse_list(value, type)));
      case ComponentKind::kTuple:
        return ComponentValue::tuple(MAYFLY_TRY(parse_tuple(value, members)));
      case ComponentKind::kRecord:
        return parse_record(value, members);
      case ComponentKind::kVariant:
        return parse_variant(value, members);
      case ComponentKind::kOption:
        if (value.is_null()) return ComponentValue::none();
        return ComponentValue::some(MAYFLY_TRY(parse(value, members[0].type)));
      case ComponentKind::kResult:
        return parse_result(value, members);
      default:
        return invalid("handles cannot be written");
    }
  }

  Result<std::vector<ComponentValue>> parse_list(const json& value, component::TypeId type) {
    const auto members = types_.members(type);
    if (!value.is_array()) return invalid("a list is wanted");
    std::vector<ComponentValue> items;
    for (const json& item : value) {
      if (types_.kind(type) == TypeKind::kMap) {
        items.push_back(ComponentValue::tuple(MAYFLY_TRY(parse_tuple(item, members))));
      } else {
        items.push_back(MAYFLY_TRY(parse(item, members[0].type)));
      }
    }
    return items;
  }

  Result<std::vector<ComponentValue>> parse_tuple(const json& value,
                                                  std::span<const component::Member> members) {
    if (!value.is_array() || value.size() != members.size()) return invalid("no such tuple");
    std::vector<ComponentValue> items;
    items.reserve(members.size());
    for (size_t i = 0; i < members.size(); ++i) {
      items.push_back(MAYFLY_TRY(parse(value[i], members[i].type)));
    }
    return items;
  }

  Result<ComponentValue> parse_record(const json& value,
                                      std::span<const component::Member> members) {
    if (!value.is_array() || value.size() != members.size()) return invalid("no such record");
    std::vector<ComponentValue::Field> fields;
    for (size_t i = 0; i < members.size(); ++i) {
      if (!value[i].is_array() || value[i].size() != 2) return invalid("no field");
      std::string name = MAYFLY_TRY(text_of(value[i][0]));
      fields.push_back({std::move(name), MAYFLY_TRY(parse(value[i][1], members[i].type))});
    }
    return ComponentValue::record(std::move(fields));
  }

  Result<ComponentValue> parse_variant(const json& value,
                                       std::span<const component::Member> members) {
    if (!value.is_object() || !value.contains("case")) return invalid("no case");
    const std::string name = MAYFLY_TRY(text_of(value["case"]));
    const uint32_t which = component::find_label(types_, members, name);
    if (which == component::kNoIndex) return invalid("there is no case " + name);
    if (!value.contains("payload") || value["payload"].is_null()) {
      return ComponentValue::variant(name);
    }
    return ComponentValue::variant(name, MAYFLY_TRY(parse(value["payload"], members[which].type)));
  }

  Result<ComponentValue> parse_result(const json& value,
                                      std::span<const component::Member> members) {
    if (!value.contains("Ok") && !value.contains("Err")) return invalid("neither Ok nor Err");
    const bool is_ok = value.contains("Ok");
    const json& payload = is_ok ? value["Ok"] : value["Err"];
    if (payload.is_null()) return is_ok ? ComponentValue::ok() : ComponentValue::error();
    ComponentValue inner = MAYFLY_TRY(parse(payload, members[is_ok ? 0 : 1].type));
    return is_ok ? ComponentValue::ok(std::move(inner)) : ComponentValue::error(std::move(inner));
  }

  const TypeArena& types_;
};

}  // namespace

Result<std::vector<ComponentValue>> parse_script_values(const std::string& text,
                                                        const TypeArena& types,
                                                        std::span<const component::Member> wanted) {
  const json values = json::parse(text.empty() ? "[]" : text, nullptr, false);
  if (!values.is_array() || values.size() != wanted.size()) {
    return invalid("another number of values");
  }
  std::vector<ComponentValue> parsed;
  parsed.reserve(wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i) {
    parsed.push_back(MAYFLY_TRY(ValueParser(types).parse(values[i], wanted[i].type)));
  }
  return parsed;
}

}  // namespace mayfly::runtime
