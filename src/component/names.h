// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Names of imports, exports and labels (Explainer.md #import-and-export-definitions): their
// grammar, and when two of them are too much alike (#name-uniqueness).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace mayfly::component {

// `label`: words and acronyms with hyphens between them, the first of them with a letter first.
bool is_label(std::string_view text);
// `words`: a label without acronyms, as namespaces and packages have it.
bool is_words(std::string_view text);

// Semantic Versioning 2.0.0. Views of the text that was parsed.
struct SemVer {
  std::string_view major;
  std::string_view minor;
  std::string_view patch;
  std::string_view prerelease;  // without the hyphen
  std::string_view build;       // without the plus sign
};
// Errors: kInvalid; the message says what is wrong where.
Result<SemVer> parse_semver(std::string_view text);

// Whether two versions are compatible: the part that must be the same is "1", "0.2" or "0.0.3"
// (Explainer.md #canonical-interface-name). A prerelease is compatible only with itself.
bool is_compatible(const SemVer& a, const SemVer& b);
// Orders by precedence: negative, zero or positive. Build metadata does not count.
int compare(const SemVer& a, const SemVer& b);

// An externname, taken apart. Views of the text that was parsed.
struct ExternName {
  enum class Kind : uint8_t { kLabel, kConstructor, kMethod, kStatic, kInterface, kDependency };
  Kind kind = Kind::kLabel;
  std::string_view label;    // kLabel; otherwise the resource, or the interface
  std::string_view member;   // kMethod, kStatic: the name within the resource
  std::string_view package;  // kInterface: "ns:pkg"
  std::string_view version;  // kInterface: without '@', may be empty
};

struct NameRules {
  bool nested = false;     // several namespaces and projections
  bool canonical = false;  // "@0.2" is a version too
  // What to look for elsewhere: unlocked-dep=<...>, locked-dep=<...>, url=<...>, integrity=<...>.
  // Tools that compose write them for what they have not put in.
  bool dependencies = false;
};

// Errors: kInvalid; the message names the part that is wrong.
Result<ExternName> parse_extern_name(std::string_view text, const NameRules& rules = {});
Result<ExternName> parse_interface_name(std::string_view text, const NameRules& rules = {});

// Names with the same key are not strongly unique.
std::string uniqueness_key(std::string_view extern_name);
// The same for labels of fields, cases, flags and parameters.
std::string label_key(std::string_view label);

}  // namespace mayfly::component
