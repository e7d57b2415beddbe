// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Follows the first difference down.
#include "component/type_difference.h"

#include <string>
#include <utility>

namespace mayfly::component {
namespace {

std::string quoted(const TypeArena& arena, StringId label) {
  return "`" + std::string(arena.text(label)) + "`";
}

std::string expected_found(std::string_view expected, std::string_view found) {
  return "expected " + std::string(expected) + ", found " + std::string(found);
}

std::string place(const TypeArena& arena, const Member& member, size_t index) {
  if (member.label != StringId{kNoIndex}) return quoted(arena, member.label);
  return std::to_string(index);
}

}  // namespace

std::string_view describe(const TypeArena& arena, ValType type) {
  const ValType plain = arena.canonical(type);
  if (!plain.exists()) return "none";
  return plain.is_prim() ? to_string(plain.prim()) : to_string(arena.kind(plain.type()));
}

std::string difference(const TypeArena& arena, ValType actual, ValType expected) {
  std::string way;
  while (true) {
    const std::string_view kind = describe(arena, expected);
    actual = arena.canonical(actual);
    expected = arena.canonical(expected);
    if (kind != describe(arena, actual)) {
      return expected_found(kind, describe(arena, actual)) + way;
    }
    const TypeKind node_kind = arena.kind(expected.type());
    if (node_kind == TypeKind::kOwn || node_kind == TypeKind::kBorrow) {
      return "resource types are not the same" + way;
    }
    const auto found = arena.members(actual.type());
    const auto wanted = arena.members(expected.type());
    if (found.size() != wanted.size()) {
      return expected_found(std::to_string(wanted.size()), std::to_string(found.size())) +
             " parts of " + std::string(kind) + way;
    }
    size_t i = 0;
    while (i < wanted.size() && wanted[i].label == found[i].label &&
           arena.equal(wanted[i].type, found[i].type)) {
      ++i;
    }
    if (i == wanted.size()) return "two lists of different lengths" + way;
    if (wanted[i].label != found[i].label) {
      return expected_found(quoted(arena, wanted[i].label), quoted(arena, found[i].label)) +
             " in " + std::string(kind) + way;
    }
    std::string part = " in part ";
    part.append(place(arena, wanted[i], i)).append(" of ").append(kind).append(way);
    way = std::move(part);
    actual = found[i].type;
    expected = wanted[i].type;
  }
}

}  // namespace mayfly::component
