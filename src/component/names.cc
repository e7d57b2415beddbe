// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Recognizers of names, one pass each.
#include "component/names.h"

#include <algorithm>

namespace mayfly::component {
namespace {

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
char to_lower(char c) { return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c; }

std::string quoted(std::string_view text) { return "`" + std::string(text) + "`"; }

bool is_fragment(std::string_view text, bool is_first, bool acronyms) {
  if (text.empty() || (is_first && is_digit(text[0]))) return false;
  const bool word = std::ranges::all_of(text, [](char c) { return is_lower(c) || is_digit(c); });
  if (word || !acronyms) return word;
  return std::ranges::all_of(text, [](char c) { return is_upper(c) || is_digit(c); });
}

bool is_hyphenated(std::string_view text, bool acronyms) {
  for (bool is_first = true;; is_first = false) {
    const size_t hyphen = text.find('-');
    if (!is_fragment(text.substr(0, hyphen), is_first, acronyms)) return false;
    if (hyphen == std::string_view::npos) return true;
    text.remove_prefix(hyphen + 1);
  }
}

Error not_kebab(std::string_view part) { return invalid(quoted(part) + " is not in kebab case"); }

Result<std::string_view> label(std::string_view text) {
  if (!is_label(text)) return not_kebab(text);
  return text;
}

bool is_version_identifier(std::string_view text, bool is_prerelease) {
  if (text.empty()) return false;
  const bool known = std::ranges::all_of(
      text, [](char c) { return is_digit(c) || is_lower(c) || is_upper(c) || c == '-'; });
  const bool numeric = std::ranges::all_of(text, is_digit);
  return known && !(is_prerelease && numeric && text.size() > 1 && text[0] == '0');
}

Result<std::string_view> version_identifiers(std::string_view text, bool is_prerelease) {
  std::string_view rest = text;
  while (true) {
    const size_t dot = rest.find('.');
    if (!is_version_identifier(rest.substr(0, dot), is_prerelease)) {
      return invalid("bad identifier " + quoted(rest.substr(0, dot)));
    }
    if (dot == std::string_view::npos) return text;
    rest.remove_prefix(dot + 1);
  }
}

bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_digit) &&
         (text.size() == 1 || text[0] != '0');
}

// Takes a number off the front.
Result<std::string_view> version_number(std::string_view& rest, std::string_view which) {
  size_t size = 0;
  while (size < rest.size() && is_digit(rest[size])) ++size;
  const std::string_view number = rest.substr(0, size);
  if (!is_number(number) || size > 20) {
    return invalid("bad " + std::string(which) + " version number " + quoted(number));
  }
  rest.remove_prefix(size);
  return number;
}

Result<void> take_dot(std::string_view& rest) {
  if (rest.empty()) return invalid("unexpected end of version");
  if (rest[0] != '.') return invalid("unexpected character in version: " + quoted(rest));
  rest.remove_prefix(1);
  return {};
}

// Explainer.md, canonversion: "1", "0.2", "0.0.3" or "0.0.0".
bool is_canonical_version(std::string_view text) {
  if (is_number(text) && text != "0") return true;
  if (!text.starts_with("0.")) return false;
  text.remove_prefix(2);
  if (is_number(text) && text != "0") return true;
  return text.starts_with("0.") && is_number(text.substr(2));
}

Result<void> check_version(std::string_view text, const NameRules& rules) {
  if (rules.canonical && is_canonical_version(text)) return {};
  const auto version = parse_semver(text);
  if (!version) return invalid(quoted(text) + " is not a version: " + version.error().message);
  return {};
}

int compare_numbers(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  return a.compare(b);
}

int compare_identifiers(std::string_view a, std::string_view b) {
  const bool a_number = is_number(a);
  const bool b_number = is_number(b);
  if (a_number && b_number) return compare_numbers(a, b);
  if (a_number != b_number) return a_number ? -1 : 1;
  return a.compare(b);
}

std::string_view take_identifier(std::string_view& rest) {
  const size_t dot = rest.find('.');
  const std::string_view first = rest.substr(0, dot);
  rest = dot == std::string_view::npos ? std::string_view() : rest.substr(dot + 1);
  return first;
}

int compare_prereleases(std::string_view a, std::string_view b) {
  if (a.empty() || b.empty()) return static_cast<int>(a.empty()) - static_cast<int>(b.empty());
  while (!a.empty() && !b.empty()) {
    const int order = compare_identifiers(take_identifier(a), take_identifier(b));
    if (order != 0) return order;
  }
  return static_cast<int>(!a.empty()) - static_cast<int>(!b.empty());
}

bool is_dependency_name(std::string_view text) {
  for (const std::string_view form : {"unlocked-dep=<", "locked-dep=<", "url=<", "integrity=<"}) {
    if (!text.starts_with(form) || !text.ends_with('>')) continue;
    return text.substr(form.size()).find_first_of("<>") == text.size() - form.size() - 1;
  }
  return false;
}

}  // namespace

bool is_label(std::string_view text) { return is_hyphenated(text, true); }
bool is_words(std::string_view text) { return is_hyphenated(text, false); }

Result<SemVer> parse_semver(std::string_view text) {
  SemVer version;
  std::string_view rest = text;
  version.major = MAYFLY_TRY(version_number(rest, "major"));
  MAYFLY_TRY(take_dot(rest));
  version.minor = MAYFLY_TRY(version_number(rest, "minor"));
  MAYFLY_TRY(take_dot(rest));
  version.patch = MAYFLY_TRY(version_number(rest, "patch"));
  if (rest.empty()) return version;
  const size_t plus = rest.find('+');
  const std::string_view before = rest.substr(0, plus);
  if (!before.empty()) {
    if (before[0] != '-') return invalid("unexpected character in version: " + quoted(rest));
    version.prerelease = MAYFLY_TRY(version_identifiers(before.substr(1), true));
  }
  if (plus != std::string_view::npos) {
    version.build = MAYFLY_TRY(version_identifiers(rest.substr(plus + 1), false));
  }
  return version;
}

bool is_compatible(const SemVer& a, const SemVer& b) {
  if (!a.prerelease.empty() || !b.prerelease.empty()) return compare(a, b) == 0;
  if (a.major != b.major) return false;
  if (a.major != "0") return true;
  return a.minor == b.minor && (a.minor != "0" || a.patch == b.patch);
}

int compare(const SemVer& a, const SemVer& b) {
  if (const int order = compare_numbers(a.major, b.major); order != 0) return order;
  if (const int order = compare_numbers(a.minor, b.minor); order != 0) return order;
  if (const int order = compare_numbers(a.patch, b.patch); order != 0) return order;
  return compare_prereleases(a.prerelease, b.prerelease);
}

Result<ExternName> parse_interface_name(std::string_view text, const NameRules& rules) {
  ExternName name;
  name.kind = ExternName::Kind::kInterface;
  const size_t at = text.find('@');
  const std::string_view path = text.substr(0, at);
  if (at != std::string_view::npos) {
    name.version = text.substr(at + 1);
    MAYFLY_TRY(check_version(name.version, rules));
  }
  const size_t slash = path.find('/');
  name.package = path.substr(0, slash);
  std::string_view rest = name.package;
  size_t colon = rest.find(':');
  if (colon == std::string_view::npos) return invalid(quoted(text) + " has no namespace");
  for (bool is_first = true; colon != std::string_view::npos; is_first = false) {
    if (!is_first && !rules.nested) return invalid("expected `/` after package name");
    if (!is_words(rest.substr(0, colon))) return not_kebab(rest.substr(0, colon));
    rest.remove_prefix(colon + 1);
    colon = rest.find(':');
  }
  if (!is_words(rest)) return not_kebab(rest);
  if (slash == std::string_view::npos) return invalid("expected `/` after package name");
  name.label = path.substr(slash + 1);
  rest = name.label;
  for (size_t next = rest.find('/'); next != std::string_view::npos; next = rest.find('/')) {
    if (!rules.nested) return invalid("trailing characters found: " + quoted(rest.substr(next)));
    if (!is_label(rest.substr(0, next))) return not_kebab(rest.substr(0, next));
    rest.remove_prefix(next + 1);
  }
  if (!is_label(rest)) return not_kebab(rest);
  return name;
}

Result<ExternName> parse_extern_name(std::string_view text, const NameRules& rules) {
  using Kind = ExternName::Kind;
  constexpr std::string_view kConstructor = "[constructor]";
  constexpr std::string_view kMethod = "[method]";
  constexpr std::string_view kStatic = "[static]";
  ExternName name;
  if (rules.dependencies && is_dependency_name(text)) {
    name.kind = Kind::kDependency;
    return name;
  }
  if (text.starts_with(kConstructor)) {
    name.kind = Kind::kConstructor;
    name.label = MAYFLY_TRY(label(text.substr(kConstructor.size())));
    return name;
  }
  if (text.starts_with(kMethod) || text.starts_with(kStatic)) {
    name.kind = text.starts_with(kMethod) ? Kind::kMethod : Kind::kStatic;
    const std::string_view rest = text.substr(text.find(']') + 1);
    const size_t dot = rest.find('.');
    if (dot == std::string_view::npos) return invalid("no `.` in " + quoted(text));
    name.label = MAYFLY_TRY(label(rest.substr(0, dot)));
    name.member = MAYFLY_TRY(label(rest.substr(dot + 1)));
    return name;
  }
  if (text.find(':') != std::string_view::npos) return parse_interface_name(text, rules);
  name.label = MAYFLY_TRY(label(text));
  return name;
}

std::string label_key(std::string_view label) {
  std::string key(label);
  std::ranges::transform(key, key.begin(), to_lower);
  return key;
}

std::string uniqueness_key(std::string_view extern_name) {
  const size_t at = extern_name.find('@');  // versions have no words and acronyms
  std::string key = label_key(extern_name.substr(0, at));
  if (at != std::string_view::npos) key += extern_name.substr(at);
  if (!key.starts_with("[method]") && !key.starts_with("[static]")) return key;
  key.erase(0, key.find(']') + 1);
  const size_t dot = key.find('.');
  if (dot != std::string::npos && key.substr(0, dot) == key.substr(dot + 1)) key.resize(dot);
  return key;
}

}  // namespace mayfly::component
