// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Iso-recursive equality, subtyping and matching across modules.
#include "wasm/type_registry.h"

#include <gtest/gtest.h>

namespace mayfly::wasm {
namespace {

ValType ref_to(uint32_t type_index, bool nullable = true) {
  return ValType::of(RefType{nullable, {HeapKind::kConcrete, type_index}});
}
ValType ref_of(HeapKind kind, bool nullable = true) {
  return ValType::of(RefType{nullable, {kind, kNoIndex}});
}

SubType func(std::vector<ValType> params, std::vector<ValType> results) {
  SubType type;
  type.func = {std::move(params), std::move(results)};
  return type;
}
SubType structure(std::vector<ValType> fields, uint32_t supertype = kNoIndex) {
  SubType type;
  type.kind = CompositeKind::kStruct;
  type.is_final = false;
  type.supertype = supertype;
  for (const ValType& field : fields) type.fields.fields.push_back({field, false});
  return type;
}
// Puts each type in a group of its own.
std::vector<SubType> singles(std::vector<SubType> types) {
  for (uint32_t i = 0; i < types.size(); ++i) types[i].rec_group_first = i;
  return types;
}
std::vector<SubType> one_group(std::vector<SubType> types) {
  for (SubType& type : types) type.rec_group_size = static_cast<uint32_t>(types.size());
  return types;
}

TEST(TypeRegistry, NumbersEqualTypesOfTwoModulesAlike) {
  TypeRegistry registry;
  const auto a = registry.add(singles({func({kI32}, {}), func({}, {kI64})}));
  const auto b = registry.add(singles({func({}, {kI64}), func({kI32}, {}), func({kF32}, {})}));
  EXPECT_EQ(a[0], b[1]);
  EXPECT_EQ(a[1], b[0]);
  EXPECT_NE(b[2], a[0]);
  EXPECT_NE(b[2], a[1]);
}

TEST(TypeRegistry, KeepsParametersAndResultsApart) {
  TypeRegistry registry;
  const auto ids = registry.add(singles({func({kI32, kI64}, {}), func({kI32}, {kI64})}));
  EXPECT_NE(ids[0], ids[1]);
}

TEST(TypeRegistry, ComparesGroupsAsWholes) {
  TypeRegistry registry;
  // (rec (struct (ref 0))) alone, and the same as the first of a group of two.
  const auto alone = registry.add(one_group({structure({ref_to(0)})}));
  const auto pair = registry.add(one_group({structure({ref_to(0)}), structure({})}));
  EXPECT_NE(alone[0], pair[0]);
  const auto again = registry.add(one_group({structure({ref_to(0)}), structure({})}));
  EXPECT_EQ(pair, again);
}

TEST(TypeRegistry, ReadsReferencesInsideAGroupByPosition) {
  TypeRegistry registry;
  const auto at_zero = registry.add(one_group({structure({ref_to(0)})}));
  std::vector<SubType> shifted = {func({}, {}), structure({ref_to(1)})};
  shifted[1].rec_group_first = 1;
  EXPECT_EQ(registry.add(shifted)[1], at_zero[0]);
}

TEST(TypeRegistry, TellsOuterReferencesFromInnerOnes) {
  TypeRegistry registry;
  // The second struct refers to the first in one module, to itself in the other.
  std::vector<SubType> outer = {structure({}), structure({ref_to(0)})};
  std::vector<SubType> inner = {structure({}), structure({ref_to(1)})};
  outer[1].rec_group_first = inner[1].rec_group_first = 1;
  EXPECT_NE(registry.add(outer)[1], registry.add(inner)[1]);
}

TEST(TypeRegistry, FollowsDeclaredSubtypesOfAnyDepth) {
  TypeRegistry registry;
  const auto ids = registry.add(singles(
      {structure({}), structure({kI32}, 0), structure({kI32, kI32}, 1), structure({kI64}, 0)}));
  EXPECT_TRUE(registry.is_subtype(ids[2], ids[0]));
  EXPECT_TRUE(registry.is_subtype(ids[2], ids[2]));
  EXPECT_FALSE(registry.is_subtype(ids[0], ids[2]));
  EXPECT_FALSE(registry.is_subtype(ids[2], ids[3]));
}

TEST(TypeRegistry, FindsEveryAncestorOfALongChain) {
  TypeRegistry registry;
  std::vector<SubType> chain = {structure({})};
  for (uint32_t i = 1; i < 64; ++i) chain.push_back(structure({}, i - 1));
  chain.push_back(structure({kI32}, 10));  // a side branch
  const auto ids = registry.add(singles(chain));
  for (uint32_t a = 0; a < 64; ++a) {
    for (uint32_t b = 0; b < 64; ++b) {
      EXPECT_EQ(registry.is_subtype(ids[a], ids[b]), a >= b) << a << ' ' << b;
    }
    EXPECT_EQ(registry.is_subtype(ids[64], ids[a]), a <= 10) << a;
  }
}

TEST(TypeRegistry, MatchesReferencesOfTwoModules) {
  TypeRegistry registry;
  const auto a = registry.add(singles({structure({}), structure({kI32}, 0)}));
  const auto b = registry.add(singles({func({}, {}), structure({})}));
  const TypeRegistry::Scoped in_a{a};
  const TypeRegistry::Scoped in_b{b};
  EXPECT_TRUE(registry.matches(ref_to(1), in_a, ref_to(1), in_b));
  EXPECT_FALSE(registry.matches(ref_to(1), in_b, ref_to(1), in_a));
  EXPECT_TRUE(registry.matches(ref_to(1, false), in_a, ref_to(1), in_b));
  EXPECT_FALSE(registry.matches(ref_to(1), in_a, ref_to(1, false), in_b));
  EXPECT_TRUE(registry.equal(ref_to(0), in_a, ref_to(1), in_b));
  EXPECT_FALSE(registry.equal(ref_to(0), in_a, ref_to(0), in_b));
}

TEST(TypeRegistry, MatchesAbstractTypesByHierarchy) {
  TypeRegistry registry;
  const auto ids = registry.add(singles({func({}, {}), structure({})}));
  const TypeRegistry::Scoped scope{ids};
  const auto matches = [&](const ValType& a, const ValType& b) {
    return registry.matches(a, scope, b, scope);
  };
  EXPECT_TRUE(matches(ref_of(HeapKind::kI31), ref_of(HeapKind::kEq)));
  EXPECT_TRUE(matches(ref_of(HeapKind::kNone), ref_to(1)));
  EXPECT_FALSE(matches(ref_of(HeapKind::kNone), ref_to(0)));
  EXPECT_TRUE(matches(ref_of(HeapKind::kNoFunc), ref_to(0)));
  EXPECT_TRUE(matches(ref_to(0), ref_of(HeapKind::kFunc)));
  EXPECT_FALSE(matches(ref_to(0), ref_of(HeapKind::kAny)));
  EXPECT_TRUE(matches(ref_to(1), ref_of(HeapKind::kAny)));
  EXPECT_FALSE(matches(ref_of(HeapKind::kExtern), ref_of(HeapKind::kAny)));
  EXPECT_FALSE(matches(ref_of(HeapKind::kEq), ref_of(HeapKind::kI31)));
  EXPECT_TRUE(matches(ref_of(HeapKind::kNoExn), ref_of(HeapKind::kExn)));
}

}  // namespace
}  // namespace mayfly::wasm
