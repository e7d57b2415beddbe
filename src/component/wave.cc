// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A parser by types: what a label means depends on what is expected.
#include "component/wave.h"

#include <charconv>
#include <optional>
#include <type_traits>

#include "component/value_parts.h"
#include "component/wave_cursor.h"
#include "mayfly/transfer.h"

namespace mayfly::component {
namespace {

using Values = std::vector<ComponentValue>;
using Value = Result<ComponentValue>;

class WaveParser {
 public:
  WaveParser(const TypeArena& types, WaveCursor cursor) : types_(types), cursor_(cursor) {}

  WaveCursor& cursor() { return cursor_; }
  Value parse(ValType type);

 private:
  Value parse_prim(Prim prim);
  template <typename T>
  Value parse_number();
  Value parse_bool();
  Value parse_list(TypeId type);
  Value parse_map(TypeId type);
  Value parse_entry(TypeId map, char separator);
  Value parse_tuple(TypeId type);
  Value parse_record(TypeId type);
  Value parse_variant(TypeId type);
  Value parse_flags(TypeId type);
  Value parse_option(TypeId type);
  Value parse_result(TypeId type);
  Result<void> omit(size_t count);
  // The payload in parentheses.
  Value parse_payload(ValType type);
  // "some", "none" ... if that is next, and no other label; does not consume it.
  std::optional<std::string_view> peek_word();
  // A value without its some() or ok(): of a type that is neither option nor result.
  bool may_be_flat(ValType type) const;

  const TypeArena& types_;
  WaveCursor cursor_;
  uint32_t omitted_ = 0;
};

Value WaveParser::parse(ValType type) {
  type = types_.canonical(type);
  if (type.is_prim()) return parse_prim(type.prim());
  const TypeId node = type.type();
  switch (types_.kind(node)) {
    case TypeKind::kList:
    case TypeKind::kFixedList:
      return parse_list(node);
    case TypeKind::kMap:
      return parse_map(node);
    case TypeKind::kTuple:
      return parse_tuple(node);
    case TypeKind::kRecord:
      return parse_record(node);
    case TypeKind::kVariant:
    case TypeKind::kEnum:
      return parse_variant(node);
    case TypeKind::kFlags:
      return parse_flags(node);
    case TypeKind::kOption:
      return parse_option(node);
    case TypeKind::kResult:
      return parse_result(node);
    default:
      return cursor_.expected("a value that has text, not one of type " +
                              std::string(to_string(types_.kind(node))));
  }
}

template <typename T>
Value WaveParser::parse_number() {
  cursor_.skip_blanks();
  const size_t start = cursor_.position();
  const std::string_view text = MAYFLY_TRY(cursor_.number());
  T number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string name(to_string(component_kind<T>()));
  if (error == std::errc::result_out_of_range) {
    return cursor_.error_at(start,
                            std::string(text.substr(0, 40)) + " is out of range for " + name);
  }
  if (error != std::errc{} || end != text.data() + text.size()) {
    return cursor_.error_at(start, "expected a number of type " + name);
  }
  return ComponentValue(number);
}

Value WaveParser::parse_bool() {
  const WaveCursor before = cursor_;
  const auto label = cursor_.label();
  if (label && label->is("true")) return ComponentValue(true);
  if (label && label->is("false")) return ComponentValue(false);
  cursor_ = before;
  return cursor_.expected("true or false");
}

Value WaveParser::parse_prim(Prim prim) {
  switch (prim) {
    case Prim::kBool:
      return parse_bool();
    case Prim::kS8:
      return parse_number<int8_t>();
    case Prim::kU8:
      return parse_number<uint8_t>();
    case Prim::kS16:
      return parse_number<int16_t>();
    case Prim::kU16:
      return parse_number<uint16_t>();
    case Prim::kS32:
      return parse_number<int32_t>();
    case Prim::kU32:
      return parse_number<uint32_t>();
    case Prim::kS64:
      return parse_number<int64_t>();
    case Prim::kU64:
      return parse_number<uint64_t>();
    case Prim::kF32:
      return parse_number<float>();
    case Prim::kF64:
      return parse_number<double>();
    case Prim::kChar:
      return ComponentValue(MAYFLY_TRY(cursor_.quoted_char()));
    case Prim::kString:
      return ComponentValue(MAYFLY_TRY(cursor_.string()));
    case Prim::kErrorContext:
      break;
  }
  return cursor_.expected("a value that has text, not one of type error-context");
}

Value WaveParser::parse_list(TypeId type) {
  const ValType element = types_.members(type)[0].type;
  MAYFLY_TRY(cursor_.expect('['));
  Values items;
  while (!cursor_.take(']')) {
    items.push_back(MAYFLY_TRY(parse(element)));
    if (cursor_.take(',')) continue;
    if (!cursor_.next_is(']')) return cursor_.expected("',' or ']'");
  }
  return ComponentValue::list(std::move(items));
}

Value WaveParser::parse_entry(TypeId map, char separator) {
  const auto members = types_.members(map);
  Values entry;
  entry.push_back(MAYFLY_TRY(parse(members[0].type)));
  MAYFLY_TRY(cursor_.expect(separator));
  entry.push_back(MAYFLY_TRY(parse(members[1].type)));
  return ComponentValue::tuple(std::move(entry));
}

Value WaveParser::parse_map(TypeId type) {
  const bool is_list = cursor_.next_is('[');
  const char end = is_list ? ']' : '}';
  MAYFLY_TRY(cursor_.expect(is_list ? '[' : '{'));
  Values items;
  if (!is_list && cursor_.take(':')) {
    MAYFLY_TRY(cursor_.expect('}'));
    return ComponentValue::list(std::move(items));
  }
  while (!cursor_.take(end)) {
    if (is_list) MAYFLY_TRY(cursor_.expect('('));
    items.push_back(MAYFLY_TRY(parse_entry(type, is_list ? ',' : ':')));
    if (is_list) {
      cursor_.take(',');
      MAYFLY_TRY(cursor_.expect(')'));
    }
    if (cursor_.take(',')) continue;
    if (!cursor_.next_is(end)) return cursor_.expected("',' or '" + std::string(1, end) + "'");
  }
  return ComponentValue::list(std::move(items));
}

Value WaveParser::parse_tuple(TypeId type) {
  const auto members = types_.members(type);
  MAYFLY_TRY(cursor_.expect('('));
  Values items;
  items.reserve(members.size());
  for (const Member& member : members) {
    if (!items.empty()) MAYFLY_TRY(cursor_.expect(','));
    items.push_back(MAYFLY_TRY(parse(member.type)));
  }
  cursor_.take(',');
  MAYFLY_TRY(cursor_.expect(')'));
  return ComponentValue::tuple(std::move(items));
}

Result<void> WaveParser::omit(size_t count) {
  if (count > kWaveOmittedFieldsMax - omitted_) {
    return limit("records leave out more than " + std::to_string(kWaveOmittedFieldsMax) +
                 " optional fields");
  }
  omitted_ += static_cast<uint32_t>(count);
  return {};
}

// Fields in any order; those that are optional may be left out.
Value WaveParser::parse_record(TypeId type) {
  const auto members = types_.members(type);
  std::vector<std::optional<ComponentValue>> found;
  MAYFLY_TRY(cursor_.expect('{'));
  const bool is_empty = cursor_.take(':');
  uint32_t next = 0;  // fields in the order of the type are found at once
  while (!is_empty && !cursor_.next_is('}')) {
    cursor_.skip_blanks();
    const size_t start = cursor_.position();
    const std::string_view name = MAYFLY_TRY(cursor_.label()).name;
    const bool is_next = next < members.size() && types_.text(members[next].label) == name;
    const uint32_t index = is_next ? next : find_label(types_, members, name);
    if (index == kNoIndex) {
      return cursor_.error_at(start, "there is no field \"" + std::string(name) + '"');
    }
    if (found.size() <= index) found.resize(index + 1);
    if (found[index]) {
      return cursor_.error_at(start, "the field \"" + std::string(name) + "\" a second time");
    }
    MAYFLY_TRY(cursor_.expect(':'));
    found[index] = MAYFLY_TRY(parse(members[index].type));
    next = index + 1;
    if (!cursor_.take(',') && !cursor_.next_is('}')) return cursor_.expected("',' or '}'");
  }
  const size_t end = cursor_.position();
  MAYFLY_TRY(cursor_.expect('}'));
  MAYFLY_TRY(omit(members.size() - found.size()));
  found.resize(members.size());
  std::vector<ComponentValue::Field> fields;
  fields.reserve(members.size());
  for (size_t i = 0; i < members.size(); ++i) {
    const ValType member = types_.canonical(members[i].type);
    const std::string label(types_.text(members[i].label));
    const bool is_optional = member.is_node() && types_.kind(member.type()) == TypeKind::kOption;
    if (!found[i] && !is_optional) {
      return cursor_.error_at(end, "the field \"" + label + "\" is missing");
    }
    fields.push_back({label, found[i] ? *std::move(found[i]) : ComponentValue::none()});
  }
  return ComponentValue::record(std::move(fields));
}

Value WaveParser::parse_payload(ValType type) {
  MAYFLY_TRY(cursor_.expect('('));
  ComponentValue payload = MAYFLY_TRY(parse(type));
  MAYFLY_TRY(cursor_.expect(')'));
  return payload;
}

Value WaveParser::parse_variant(TypeId type) {
  const auto members = types_.members(type);
  cursor_.skip_blanks();
  const size_t start = cursor_.position();
  const WaveCursor::Label label = MAYFLY_TRY(cursor_.label());
  std::string name(label.name);
  const uint32_t index = find_label(types_, members, label.name);
  if (index == kNoIndex) return cursor_.error_at(start, "there is no case \"" + name + '"');
  if (!label.is_escaped && is_wave_keyword(label.name)) {
    return cursor_.error_at(start, "the case " + name + " is written %" + name + ',');
  }
  ComponentValue value;
  if (types_.kind(type) == TypeKind::kEnum) {
    value = ComponentValue::enumeration(std::move(name));
  } else if (members[index].type.exists()) {
    value =
        ComponentValue::variant(std::move(name), MAYFLY_TRY(parse_payload(members[index].type)));
  } else {
    value = ComponentValue::variant(std::move(name));
  }
  value.set_position(index);
  return value;
}

Value WaveParser::parse_flags(TypeId type) {
  const auto members = types_.members(type);
  MAYFLY_TRY(cursor_.expect('{'));
  uint64_t seen = 0;  // at most 32 labels
  std::vector<std::string> names;
  while (!cursor_.take('}')) {
    cursor_.skip_blanks();
    const size_t start = cursor_.position();
    const std::string_view name = MAYFLY_TRY(cursor_.label()).name;
    const uint32_t bit = find_label(types_, members, name);
    if (bit == kNoIndex || (seen >> bit & 1) != 0) {
      return cursor_.error_at(start,
                              (bit == kNoIndex ? "there is no flag \"" : "twice the flag \"") +
                                  std::string(name) + '"');
    }
    seen |= uint64_t{1} << bit;
    names.emplace_back(name);
    if (!cursor_.take(',') && !cursor_.next_is('}')) return cursor_.expected("',' or '}'");
  }
  return ComponentValue::flags(std::move(names));
}

std::optional<std::string_view> WaveParser::peek_word() {
  WaveCursor ahead = cursor_;
  const auto label = ahead.label();
  if (!label || label->is_escaped) return std::nullopt;
  for (const std::string_view word : {"some", "none", "ok", "err"}) {
    if (label->name == word) return word;
  }
  return std::nullopt;
}

bool WaveParser::may_be_flat(ValType type) const {
  if (!type.exists()) return false;
  type = types_.canonical(type);
  return !type.is_node() || (types_.kind(type.type()) != TypeKind::kOption &&
                             types_.kind(type.type()) != TypeKind::kResult);
}

Value WaveParser::parse_option(TypeId type) {
  const ValType inner = types_.members(type)[0].type;
  const auto word = peek_word();
  if (word == "none") {
    MAYFLY_TRY(cursor_.label());
    return ComponentValue::none();
  }
  if (word == "some") {
    MAYFLY_TRY(cursor_.label());
    return ComponentValue::some(MAYFLY_TRY(parse_payload(inner)));
  }
  if (!may_be_flat(inner)) return cursor_.expected("some(...) or none");
  return ComponentValue::some(MAYFLY_TRY(parse(inner)));
}

Value WaveParser::parse_result(TypeId type) {
  const auto members = types_.members(type);
  const auto word = peek_word();
  if (word != "ok" && word != "err") {
    if (!may_be_flat(members[0].type)) return cursor_.expected("ok or err");
    return ComponentValue::ok(MAYFLY_TRY(parse(members[0].type)));
  }
  MAYFLY_TRY(cursor_.label());
  const bool is_ok = word == "ok";
  const ValType inner = members[is_ok ? 0 : 1].type;
  if (!inner.exists()) return is_ok ? ComponentValue::ok() : ComponentValue::error();
  ComponentValue payload = MAYFLY_TRY(parse_payload(inner));
  return is_ok ? ComponentValue::ok(std::move(payload)) : ComponentValue::error(std::move(payload));
}

}  // namespace

Result<ComponentValue> parse_wave(const TypeArena& types, ValType type, std::string_view text) {
  if (!detail::is_utf8(text)) return invalid("the text is not UTF-8");
  WaveParser parser(types, WaveCursor(text));
  ComponentValue value = MAYFLY_TRY(parser.parse(type));
  MAYFLY_TRY(parser.cursor().expect_end());
  return value;
}

Result<WaveCall> parse_wave_call(std::string_view text) {
  WaveCall call;
  const size_t open = text.find('(');
  std::string_view name = text.substr(0, open);
  while (name.ends_with(' ')) name.remove_suffix(1);
  if (open != std::string_view::npos) {
    const size_t last = text.find_last_not_of(" \t\r\n");
    if (text[last] != ')') return invalid("expected ')' at byte " + std::to_string(text.size()));
    call.arguments_first = open + 1;
    call.arguments = text.substr(open + 1, last - open - 1);
  }
  // [method]resource.name and the like have a dot of their own.
  const size_t bracket = name.find('[');
  const size_t dot = bracket == std::string_view::npos
                         ? name.rfind('.')
                         : (bracket == 0 ? std::string_view::npos : bracket - 1);
  if (dot == std::string_view::npos) {
    call.function = name;
  } else {
    if (name[dot] != '.') return invalid("expected '.' at byte " + std::to_string(dot + 1));
    call.interface = name.substr(0, dot);
    call.function = name.substr(dot + 1);
    if (call.interface.empty()) return invalid("expected the name of an interface at byte 0");
  }
  if (call.function.empty()) {
    return invalid("expected the name of a function at byte " + std::to_string(name.size()));
  }
  return call;
}

Result<std::vector<ComponentValue>> parse_wave_arguments(const TypeArena& types,
                                                         std::span<const Member> params,
                                                         const WaveCall& call) {
  if (!detail::is_utf8(call.arguments)) return invalid("the text is not UTF-8");
  WaveParser parser(types, WaveCursor(call.arguments, call.arguments_first));
  Values values;
  for (const Member& param : params) {
    if (parser.cursor().at_end()) {
      const ValType type = types.canonical(param.type);
      if (!type.is_node() || types.kind(type.type()) != TypeKind::kOption) {
        return parser.cursor().expected("argument " + std::to_string(values.size() + 1) + " of " +
                                        std::to_string(params.size()));
      }
      values.push_back(ComponentValue::none());
      continue;
    }
    values.push_back(MAYFLY_TRY(parser.parse(param.type)));
    if (!parser.cursor().take(',') && !parser.cursor().at_end()) {
      return parser.cursor().expected("',' or ')'");
    }
  }
  if (!parser.cursor().at_end()) {
    return parser.cursor().expected("no more than " + std::to_string(params.size()) + " arguments");
  }
  return values;
}

}  // namespace mayfly::component
