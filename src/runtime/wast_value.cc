// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// wasm-3.0 #aux-canonical-nan, #aux-arithmetic-nan: a canonical NaN has only the top bit of its
// payload set, an arithmetic one at least that bit; the sign is free.
#include "runtime/wast_value.h"

#include <charconv>
#include <cstdio>
#include <optional>

namespace mayfly::runtime {
namespace {

uint32_t width_of(std::string_view type) {
  if (type == "i8") return 8;
  if (type == "i16") return 16;
  if (type == "i32" || type == "f32") return 32;
  if (type == "i64" || type == "f64") return 64;
  return 0;
}

uint64_t mask_of(uint32_t width) { return width >= 64 ? UINT64_MAX : (uint64_t{1} << width) - 1; }

std::optional<uint64_t> parse_decimal(std::string_view text, uint32_t width) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  uint64_t magnitude = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), magnitude);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return (negative ? uint64_t{0} - magnitude : magnitude) & mask_of(width);
}

Error bad_value(const ScriptValue& value) {
  std::string text = "not a value of type " + value.type + ":";
  for (const std::string& part : value.texts) text += " " + part;
  return invalid(std::move(text));
}

std::optional<ExpectedLane> parse_lane(std::string_view type, std::string_view text) {
  ExpectedLane lane;
  lane.width = width_of(type);
  if (text == "nan:canonical") {
    lane.kind = ExpectedLane::Kind::kCanonicalNan;
  } else if (text == "nan:arithmetic") {
    lane.kind = ExpectedLane::Kind::kArithmeticNan;
  } else {
    const auto bits = parse_decimal(text, lane.width);
    if (!bits) return std::nullopt;
    lane.bits = *bits;
  }
  return lane;
}

bool lane_matches(const ExpectedLane& lane, uint64_t bits) {
  const bool is_single = lane.width == 32;
  const uint64_t sign = is_single ? 0x8000'0000 : 0x8000'0000'0000'0000;
  const uint64_t quiet = is_single ? 0x7fc0'0000 : 0x7ff8'0000'0000'0000;
  switch (lane.kind) {
    case ExpectedLane::Kind::kBits:
      return bits == lane.bits;
    case ExpectedLane::Kind::kCanonicalNan:
      return (bits & ~sign) == quiet;
    case ExpectedLane::Kind::kArithmeticNan:
      return (bits & quiet) == quiet;
  }
  return false;
}

uint64_t lane_bits(const guest_abi::Slot& slot, size_t index, uint32_t width) {
  const size_t position = index * width;
  const uint64_t word = position < 64 ? slot.low : slot.high;
  return (word >> (position % 64)) & mask_of(width);
}

bool lanes_match(const ExpectedValue& expected, const guest_abi::Slot& slot) {
  for (size_t i = 0; i < expected.lanes.size(); ++i) {
    const ExpectedLane& lane = expected.lanes[i];
    if (!lane_matches(lane, lane_bits(slot, i, lane.width))) return false;
  }
  return true;
}

bool is_number(std::string_view type) {
  return type == "i32" || type == "i64" || type == "f32" || type == "f64";
}

bool number_type_matches(std::string_view type, wasm::ValType actual) {
  return wasm::to_string(actual) == type;
}

Result<ExpectedValue> parse_reference(const ScriptValue& value) {
  ExpectedValue expected;
  expected.type = value.type;
  const bool names_null = value.type.starts_with("null") || value.type == "refnull";
  if (value.has_value && value.texts.size() != 1) return bad_value(value);
  if (names_null || (value.has_value && value.texts.front() == "null")) {
    expected.kind = ExpectedValue::Kind::kNull;
  } else if (!value.has_value) {
    expected.kind = ExpectedValue::Kind::kNotNull;
  } else {
    const auto number = parse_decimal(value.texts.front(), 64);
    if (!number) return bad_value(value);
    expected.kind = ExpectedValue::Kind::kHostNumber;
    expected.host_number = *number;
  }
  return expected;
}

Result<wasm::ValType> reference_type(const ScriptValue& value) {
  using wasm::HeapKind;
  struct Named {
    std::string_view name;
    HeapKind kind;
  };
  static constexpr Named kTypes[] = {{"externref", HeapKind::kExtern},
                                     {"funcref", HeapKind::kFunc},
                                     {"anyref", HeapKind::kAny},
                                     {"exnref", HeapKind::kExn}};
  for (const Named& named : kTypes) {
    if (value.type == named.name) {
      return wasm::ValType::of(wasm::RefType{true, {named.kind, wasm::kNoIndex}});
    }
  }
  return bad_value(value);
}

std::string lane_to_string(const ExpectedLane& lane) {
  if (lane.kind == ExpectedLane::Kind::kCanonicalNan) return "nan:canonical";
  if (lane.kind == ExpectedLane::Kind::kArithmeticNan) return "nan:arithmetic";
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(lane.bits));
  return text;
}

}  // namespace

Result<ExpectedValue> parse_expected(const ScriptValue& value) {
  const bool is_vector = value.type == "v128";
  if (!is_vector && !is_number(value.type)) return parse_reference(value);
  ExpectedValue expected;
  expected.kind = is_vector ? ExpectedValue::Kind::kVector : ExpectedValue::Kind::kNumber;
  expected.type = is_vector ? "v128 " + value.lane_type : value.type;
  const std::string& lane_type = is_vector ? value.lane_type : value.type;
  const uint32_t width = width_of(lane_type);
  const size_t count = is_vector && width != 0 ? 128 / width : 1;
  if (width == 0 || value.texts.size() != count) return bad_value(value);
  for (const std::string& text : value.texts) {
    const auto lane = parse_lane(lane_type, text);
    if (!lane) return bad_value(value);
    expected.lanes.push_back(*lane);
  }
  return expected;
}

Result<Value> parse_argument(const ScriptValue& value) {
  ExpectedValue parsed = MAYFLY_TRY(parse_expected(value));
  if (parsed.kind == ExpectedValue::Kind::kNull) {
    return Value::null(MAYFLY_TRY(reference_type(value)));
  }
  if (parsed.kind == ExpectedValue::Kind::kHostNumber) {
    return Value{MAYFLY_TRY(reference_type(value)), {parsed.host_number + 1, 0}};
  }
  if (parsed.lanes.empty()) return bad_value(value);
  Value result;
  for (size_t i = 0; i < parsed.lanes.size(); ++i) {
    const ExpectedLane& lane = parsed.lanes[i];
    if (lane.kind != ExpectedLane::Kind::kBits) return bad_value(value);
    const size_t position = i * lane.width;
    (position < 64 ? result.bits.low : result.bits.high) |= lane.bits << (position % 64);
  }
  if (value.type == "i32") result.type = wasm::kI32;
  if (value.type == "i64") result.type = wasm::kI64;
  if (value.type == "f32") result.type = wasm::kF32;
  if (value.type == "f64") result.type = wasm::kF64;
  if (value.type == "v128") result.type = wasm::kV128;
  return result;
}

bool matches(const ExpectedValue& expected, const Value& actual) {
  switch (expected.kind) {
    case ExpectedValue::Kind::kNumber:
      return number_type_matches(expected.type, actual.type) && lanes_match(expected, actual.bits);
    case ExpectedValue::Kind::kVector:
      return actual.type == wasm::kV128 && lanes_match(expected, actual.bits);
    case ExpectedValue::Kind::kNull:
      return actual.type.is_ref() && actual.is_null();
    case ExpectedValue::Kind::kNotNull:
      return actual.type.is_ref() && !actual.is_null();
    case ExpectedValue::Kind::kHostNumber:
      return actual.type.is_ref() && actual.bits.low == expected.host_number + 1;
    case ExpectedValue::Kind::kEither:
      break;
  }
  for (const ExpectedValue& alternative : expected.alternatives) {
    if (matches(alternative, actual)) return true;
  }
  return false;
}

std::string to_string(const ExpectedValue& expected) {
  switch (expected.kind) {
    case ExpectedValue::Kind::kNull:
      return expected.type + " null";
    case ExpectedValue::Kind::kNotNull:
      return expected.type + " not null";
    case ExpectedValue::Kind::kHostNumber:
      return expected.type + " " + std::to_string(expected.host_number);
    default:
      break;
  }
  std::string text = expected.type;
  for (const ExpectedLane& lane : expected.lanes) text += " " + lane_to_string(lane);
  for (const ExpectedValue& alternative : expected.alternatives) {
    text += (text.empty() ? "" : " or ") + to_string(alternative);
  }
  return text;
}

}  // namespace mayfly::runtime
