// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Values to text and back. Floats are printed so that reading the text gives the same bits.
#include "runtime/value.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <optional>

namespace mayfly::runtime {
namespace {

std::string hex(uint64_t value, int digits) {
  char text[32];
  std::snprintf(text, sizeof text, "%0*llx", digits, static_cast<unsigned long long>(value));
  return text;
}

template <typename Float, typename Bits>
std::string float_to_string(Bits bits) {
  const Float value = std::bit_cast<Float>(bits);
  if (std::isnan(value)) return "nan:0x" + hex(bits, sizeof(Bits) * 2);
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  return std::string(text, end);
}

std::string reference_to_string(const Value& value) {
  if (value.is_null()) return "null";
  if (value.type == wasm::kExternref) return "externref " + std::to_string(value.bits.low - 1);
  return wasm::to_string(value.type);
}

std::string_view trim(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// A magnitude with an optional sign, decimal or hexadecimal, within `width` bits.
std::optional<uint64_t> parse_integer(std::string_view text, int width) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const int base = text.starts_with("0x") ? 16 : 10;
  if (base == 16) text.remove_prefix(2);
  uint64_t magnitude = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), magnitude, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  const uint64_t all_ones = width == 64 ? UINT64_MAX : (uint64_t{1} << width) - 1;
  const uint64_t limit = negative ? (all_ones >> 1) + 1 : all_ones;
  if (magnitude > limit) return std::nullopt;
  return (negative ? uint64_t{0} - magnitude : magnitude) & all_ones;
}

template <typename Float, typename Bits>
std::optional<uint64_t> parse_float(std::string_view text) {
  if (text.starts_with("nan:")) return parse_integer(text.substr(4), sizeof(Bits) * 8);
  if (text.starts_with('+')) text.remove_prefix(1);
  Float value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return uint64_t{std::bit_cast<Bits>(value)};
}

std::optional<guest_abi::Slot> parse_vector(std::string_view text) {
  if (!text.starts_with("0x") || text.size() != 34) return std::nullopt;
  const auto high = parse_integer("0x" + std::string(text.substr(2, 16)), 64);
  const auto low = parse_integer("0x" + std::string(text.substr(18)), 64);
  if (!high || !low) return std::nullopt;
  return guest_abi::Slot{*low, *high};
}

std::optional<guest_abi::Slot> parse_bits(std::string_view text, wasm::ValType type) {
  std::optional<uint64_t> low;
  switch (type.kind) {
    case wasm::ValKind::kI32:
      low = parse_integer(text, 32);
      break;
    case wasm::ValKind::kI64:
      low = parse_integer(text, 64);
      break;
    case wasm::ValKind::kF32:
      low = parse_float<float, uint32_t>(text);
      break;
    case wasm::ValKind::kF64:
      low = parse_float<double, uint64_t>(text);
      break;
    case wasm::ValKind::kV128:
      return parse_vector(text);
    case wasm::ValKind::kRef:
      if (text == "null" && type.ref.nullable) low = 0;
      break;
    default:
      break;
  }
  if (!low) return std::nullopt;
  return guest_abi::Slot{*low, 0};
}

}  // namespace

guest_abi::Slot significant_bits(wasm::ValType type, guest_abi::Slot slot) {
  switch (type.kind) {
    case wasm::ValKind::kI32:
    case wasm::ValKind::kF32:
      return {slot.low & UINT32_MAX, 0};
    case wasm::ValKind::kV128:
      return slot;
    default:
      return {slot.low, 0};
  }
}

std::string to_string(const Value& value) {
  switch (value.type.kind) {
    case wasm::ValKind::kI32:
      return std::to_string(static_cast<int32_t>(static_cast<uint32_t>(value.bits.low)));
    case wasm::ValKind::kI64:
      return std::to_string(static_cast<int64_t>(value.bits.low));
    case wasm::ValKind::kF32:
      return float_to_string<float>(static_cast<uint32_t>(value.bits.low));
    case wasm::ValKind::kF64:
      return float_to_string<double>(value.bits.low);
    case wasm::ValKind::kV128:
      return "0x" + hex(value.bits.high, 16) + hex(value.bits.low, 16);
    default:
      return reference_to_string(value);
  }
}

Result<Value> parse_value(std::string_view text, wasm::ValType type) {
  const auto bits = parse_bits(trim(text), type);
  if (!bits) {
    return invalid("'" + std::string(text) + "' is not a value of type " + wasm::to_string(type));
  }
  return Value{type, *bits};
}

Result<Invocation> parse_invocation(std::string_view text) {
  Invocation invocation;
  const size_t open = text.rfind('(');
  if (open == std::string_view::npos || !trim(text).ends_with(')')) {
    invocation.name = std::string(trim(text));
    if (invocation.name.empty()) return invalid("'" + std::string(text) + "' names no function");
    return invocation;
  }
  invocation.name = std::string(trim(text.substr(0, open)));
  if (invocation.name.empty()) return invalid("'" + std::string(text) + "' names no function");
  std::string_view rest = trim(text);
  rest = rest.substr(rest.rfind('(') + 1);
  rest.remove_suffix(1);
  rest = trim(rest);
  while (!rest.empty()) {
    const size_t comma = rest.find(',');
    invocation.arguments.emplace_back(trim(rest.substr(0, comma)));
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
    if (trim(rest).empty()) return invalid("'" + std::string(text) + "' ends with a comma");
  }
  return invocation;
}

Result<std::vector<Value>> parse_arguments(const Invocation& invocation,
                                           const wasm::FuncType& type) {
  if (invocation.arguments.size() != type.params.size()) {
    return invalid(invocation.name + " takes " + std::to_string(type.params.size()) +
                   " arguments, not " + std::to_string(invocation.arguments.size()) + ": it is " +
                   wasm::to_string(type));
  }
  std::vector<Value> values;
  values.reserve(type.params.size());
  for (size_t i = 0; i < type.params.size(); ++i) {
    values.push_back(MAYFLY_TRY(parse_value(invocation.arguments[i], type.params[i])));
  }
  return values;
}

}  // namespace mayfly::runtime
