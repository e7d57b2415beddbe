// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Types by their parts, for tests of what is done with values.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "component/type_arena.h"

namespace mayfly::component {

struct TestTypes {
  TypeArena arena{Limits{}, 1 << 20};

  ValType add(TypeKind kind, std::vector<Member> members, uint32_t extra = 0) {
    return ValType::of(arena.add(kind, std::move(members), extra, 0).value());
  }
  Member member(std::string_view label, ValType type = {}) { return {arena.intern(label), type}; }
  ValType list(ValType element) { return add(TypeKind::kList, {{StringId{kNoIndex}, element}}); }
  ValType fixed_list(ValType element, uint32_t length) {
    return add(TypeKind::kFixedList, {{StringId{kNoIndex}, element}}, length);
  }
  ValType map(ValType key, ValType value) {
    return add(TypeKind::kMap, {{StringId{kNoIndex}, key}, {StringId{kNoIndex}, value}});
  }
  ValType option(ValType type) { return add(TypeKind::kOption, {{StringId{kNoIndex}, type}}); }
  ValType result(ValType ok, ValType error) {
    return add(TypeKind::kResult, {{StringId{kNoIndex}, ok}, {StringId{kNoIndex}, error}});
  }
  ValType tuple(const std::vector<ValType>& types) {
    std::vector<Member> members;
    members.reserve(types.size());
    for (const ValType type : types) members.push_back({StringId{kNoIndex}, type});
    return add(TypeKind::kTuple, std::move(members));
  }
  ValType names(TypeKind kind, const std::vector<std::string_view>& labels) {
    std::vector<Member> members;
    members.reserve(labels.size());
    for (const std::string_view label : labels) members.push_back(member(label));
    return add(kind, std::move(members));
  }
};

inline const ValType kU8 = ValType::of(Prim::kU8);
inline const ValType kU32 = ValType::of(Prim::kU32);
inline const ValType kString = ValType::of(Prim::kString);

}  // namespace mayfly::component
