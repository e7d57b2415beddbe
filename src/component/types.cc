// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Words for types, and lookup of declarations.
#include "component/types.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace mayfly::component {

std::string_view to_string(Prim prim) {
  static constexpr std::array<std::string_view, kPrimCount> kNames = {
      "bool", "s8",  "u8",  "s16", "u16",  "s32",    "u32",
      "s64",  "u64", "f32", "f64", "char", "string", "error-context"};
  return kNames[static_cast<size_t>(prim)];
}

std::string_view to_string(TypeKind kind) {
  static constexpr std::array<std::string_view, 20> kNames = {
      "primitive", "record", "variant",   "list",     "list",     "map",    "tuple",
      "flags",     "enum",   "option",    "result",   "own",      "borrow", "stream",
      "future",    "func",   "component", "instance", "resource", "type"};
  return kNames[static_cast<size_t>(kind)];
}

std::string_view to_string(Sort sort) {
  static constexpr std::array<std::string_view, 6> kNames = {
      "core module", "func", "value", "type", "component", "instance"};
  return kNames[static_cast<size_t>(sort)];
}

DeclarationList::DeclarationList(std::vector<Declaration> items) : items_(std::move(items)) {
  by_name_.resize(items_.size());
  std::iota(by_name_.begin(), by_name_.end(), 0u);
  std::ranges::sort(by_name_, {}, [&](uint32_t index) { return items_[index].name; });
}

const EntityType* DeclarationList::find(StringId name) const {
  const auto found = std::ranges::lower_bound(by_name_, name, {},
                                              [&](uint32_t index) { return items_[index].name; });
  if (found == by_name_.end() || items_[*found].name != name) return nullptr;
  return &items_[*found].type;
}

}  // namespace mayfly::component
