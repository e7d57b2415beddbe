// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// C++20 [lex.key], and lower-case macros of the C library and of compilers in their default modes.
#include "component/cpp_names.h"

#include <algorithm>
#include <array>

namespace mayfly::component::wit {
namespace {

constexpr std::array<std::string_view, 110> kReserved = {"alignas",
                                                         "alignof",
                                                         "and",
                                                         "and_eq",
                                                         "asm",
                                                         "assert",
                                                         "auto",
                                                         "bitand",
                                                         "bitor",
                                                         "bool",
                                                         "break",
                                                         "case",
                                                         "catch",
                                                         "char",
                                                         "char16_t",
                                                         "char32_t",
                                                         "char8_t",
                                                         "class",
                                                         "co_await",
                                                         "co_return",
                                                         "co_yield",
                                                         "compl",
                                                         "concept",
                                                         "const",
                                                         "const_cast",
                                                         "consteval",
                                                         "constexpr",
                                                         "constinit",
                                                         "continue",
                                                         "decltype",
                                                         "default",
                                                         "delete",
                                                         "do",
                                                         "double",
                                                         "dynamic_cast",
                                                         "else",
                                                         "enum",
                                                         "errno",
                                                         "explicit",
                                                         "export",
                                                         "extern",
                                                         "false",
                                                         "final",
                                                         "float",
                                                         "for",
                                                         "friend",
                                                         "goto",
                                                         "i386",
                                                         "if",
                                                         "import",
                                                         "inline",
                                                         "int",
                                                         "linux",
                                                         "long",
                                                         "major",
                                                         "makedev",
                                                         "minor",
                                                         "module",
                                                         "mutable",
                                                         "namespace",
                                                         "new",
                                                         "noexcept",
                                                         "not",
                                                         "not_eq",
                                                         "nullptr",
                                                         "operator",
                                                         "or",
                                                         "or_eq",
                                                         "override",
                                                         "private",
                                                         "protected",
                                                         "public",
                                                         "reflexpr",
                                                         "register",
                                                         "reinterpret_cast",
                                                         "requires",
                                                         "return",
                                                         "short",
                                                         "signed",
                                                         "sizeof",
                                                         "static",
                                                         "static_assert",
                                                         "static_cast",
                                                         "stderr",
                                                         "stdin",
                                                         "stdout",
                                                         "struct",
                                                         "switch",
                                                         "synchronized",
                                                         "template",
                                                         "this",
                                                         "thread_local",
                                                         "throw",
                                                         "true",
                                                         "try",
                                                         "typedef",
                                                         "typeid",
                                                         "typename",
                                                         "typeof",
                                                         "union",
                                                         "unix",
                                                         "unsigned",
                                                         "using",
                                                         "virtual",
                                                         "void",
                                                         "volatile",
                                                         "wchar_t",
                                                         "while",
                                                         "xor",
                                                         "xor_eq"};
static_assert(std::ranges::is_sorted(kReserved));

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

}  // namespace

std::string snake_case(std::string_view name) {
  std::string made;
  for (const char c : name) made += is_letter_or_digit(c) ? lower(c) : '_';
  if (std::ranges::binary_search(kReserved, std::string_view(made))) made += '_';
  return made;
}

std::string camel_case(std::string_view name) {
  std::string made;
  bool is_first = true;
  for (const char c : name) {
    if (is_letter_or_digit(c)) made += is_first ? upper(c) : lower(c);
    is_first = !is_letter_or_digit(c);
  }
  return made;
}

std::string version_name(std::string_view version) {
  std::string made;
  for (const char c : version) made += is_letter_or_digit(c) ? lower(c) : '_';
  return made;
}

std::string NameScope::add(std::string name) {
  while (!taken_.insert(name).second) name += '_';
  return name;
}

}  // namespace mayfly::component::wit
