// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// to_string(ComponentValue): WAVE, on one line.
#include <charconv>
#include <cmath>
#include <cstdio>

#include "component/wave_cursor.h"
#include "mayfly/component_value.h"
#include "mayfly/transfer.h"

namespace mayfly {
namespace {

using component::append_utf8;

// Control characters, and what turns the direction of text around.
bool moves_the_cursor(char32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x200e && code <= 0x200f) ||
         (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

void print_char(char32_t code, char32_t quote, std::string& out) {
  if (code == U'\\' || code == quote) {
    out += '\\';
    append_utf8(code, out);
  } else if (code == U'\n') {
    out += "\\n";
  } else if (code == U'\r') {
    out += "\\r";
  } else if (code == U'\t') {
    out += "\\t";
  } else if (moves_the_cursor(code)) {
    char text[16];
    std::snprintf(text, sizeof text, "\\u{%x}", static_cast<unsigned>(code));
    out += text;
  } else {
    append_utf8(code, out);
  }
}

void print_string(std::string_view text, std::string& out) {
  out += '"';
  if (!detail::is_utf8(text)) text = "\xef\xbf\xbd";
  while (!text.empty()) print_char(component::take_char(text), U'"', out);
  out += '"';
}

template <typename T>
void print_number(T number, std::string& out) {
  char text[32];
  const auto [end, error] = std::to_chars(text, text + sizeof text, number);
  out.append(text, end);
}

template <typename T>
void print_float(const ComponentValue& value, std::string& out) {
  const T number = value.get<T>().value();
  if (std::isnan(number)) {
    out += "nan";
  } else {
    print_number(number, out);
  }
}

void print_scalar(const ComponentValue& value, std::string& out) {
  switch (value.kind()) {
    case ComponentKind::kBool:
      out += value.bits() != 0 ? "true" : "false";
      break;
    case ComponentKind::kS8:
    case ComponentKind::kS16:
    case ComponentKind::kS32:
    case ComponentKind::kS64:
      print_number(static_cast<int64_t>(value.bits()), out);
      break;
    case ComponentKind::kF32:
      print_float<float>(value, out);
      break;
    case ComponentKind::kF64:
      print_float<double>(value, out);
      break;
    case ComponentKind::kChar: {
      const auto code = detail::to_char(static_cast<uint32_t>(value.bits()));
      out += '\'';
      print_char(code ? *code : char32_t{0xfffd}, U'\'', out);
      out += '\'';
      break;
    }
    default:
      print_number(value.bits(), out);
  }
}

void print(const ComponentValue& value, std::string& out);

void print_items(const ComponentValue& value, char open, char close, std::string& out) {
  out += open;
  const auto items = value.items();
  for (size_t i = 0; i < value.size(); ++i) {
    if (i > 0) out += ", ";
    if (items.empty()) {
      print_scalar(value.item(i), out);
    } else {
      print(items[i], out);
    }
  }
  out += close;
}

void print_record(const ComponentValue& value, std::string& out) {
  out += '{';
  const char* before = "";
  for (const ComponentValue::Field& field : value.fields()) {
    out.append(before).append(field.name).append(": ");
    print(field.value, out);
    before = ", ";
  }
  out += value.fields().empty() ? ":}" : "}";
}

void print_flags(const ComponentValue& value, std::string& out) {
  out += '{';
  const char* before = "";
  for (const std::string& name : value.flag_names()) {
    out.append(before).append(name);
    before = ", ";
  }
  out += '}';
}

void print_case(std::string_view name, const ComponentValue& value, std::string& out) {
  out += name;
  if (value.payload() == nullptr) return;
  out += '(';
  print(*value.payload(), out);
  out += ')';
}

void print(const ComponentValue& value, std::string& out) {
  switch (value.kind()) {
    case ComponentKind::kString:
      return print_string(value.text(), out);
    case ComponentKind::kList:
      return print_items(value, '[', ']', out);
    case ComponentKind::kTuple:
      return print_items(value, '(', ')', out);
    case ComponentKind::kRecord:
      return print_record(value, out);
    case ComponentKind::kFlags:
      return print_flags(value, out);
    case ComponentKind::kVariant:
    case ComponentKind::kEnum:
      if (component::is_wave_keyword(value.text())) out += '%';
      return print_case(value.text(), value, out);
    case ComponentKind::kOption:
      return print_case(value.payload() != nullptr ? "some" : "none", value, out);
    case ComponentKind::kResult:
      return print_case(value.is_ok() ? "ok" : "err", value, out);
    case ComponentKind::kOwn:
    case ComponentKind::kBorrow:
      out.append(to_string(value.kind())).append("(").append(std::to_string(value.handle()));
      out += ')';
      return;
    default:
      return print_scalar(value, out);
  }
}

}  // namespace

std::string to_string(const ComponentValue& value) {
  std::string out;
  print(value, out);
  return out;
}

}  // namespace mayfly
