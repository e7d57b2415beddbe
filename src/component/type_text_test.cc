// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Texts of types, and how long they may be.
#include "component/type_text.h"

#include <gtest/gtest.h>

#include "component/test_types.h"

namespace mayfly::component {
namespace {

TEST(TypeText, WritesWhatWitWrites) {
  TestTypes types;
  EXPECT_EQ(to_text(types.arena, types.list(types.option(kU8))), "list<option<u8>>");
  EXPECT_EQ(to_text(types.arena, types.result({}, kString)), "result<_, string>");
  EXPECT_EQ(to_text(types.arena, types.result(kU32, {})), "result<u32>");
  EXPECT_EQ(to_text(types.arena, types.result({}, {})), "result");
  EXPECT_EQ(to_text(types.arena, types.fixed_list(kU8, 4)), "list<u8, 4>");
}

TEST(TypeText, WritesOutWhatHasNoNameHere) {
  TestTypes types;
  const ValType record =
      types.add(TypeKind::kRecord, {types.member("x", kU32), types.member("y", kString)});
  const ValType variant =
      types.add(TypeKind::kVariant, {types.member("none"), types.member("some", record)});
  EXPECT_EQ(to_text(types.arena, variant), "variant { none, some(record { x: u32, y: string }) }");
  EXPECT_EQ(to_text(types.arena, types.names(TypeKind::kEnum, {"a", "b"})), "enum { a, b }");
}

TEST(TypeText, EndsTextsThatWouldBeEndless) {
  TestTypes types;
  ValType type = kU8;
  for (int i = 0; i < 30; ++i) type = types.tuple({types.list(type), types.list(type)});
  const std::string text = to_text(types.arena, type);
  EXPECT_LT(text.size(), kTypeTextMax + 100);
  EXPECT_TRUE(text.ends_with("..."));
}

}  // namespace
}  // namespace mayfly::component
