// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Bytes and flat values worked out by hand, and what is said of values that do not fit. The
// oracle's opinion is in tests/component.
#include "component/host_lower.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "component/test_types.h"

namespace mayfly::component {
namespace {

using Values = std::vector<ComponentValue>;

struct Lowered {
  std::vector<uint64_t> flat;
  std::vector<uint8_t> bytes;
};

Lowered lower(const TestTypes& types, std::vector<ValType> wanted, const Values& values,
              ValueRole role = ValueRole::kArgument, uint32_t base = 64) {
  Lowered lowered;
  lowered.bytes.resize(lowered_bytes(types.arena, wanted, values, role).value());
  const FlatValues flat = lower_values(types.arena, wanted, values, role, base, lowered.bytes);
  lowered.flat.assign(flat.values().begin(), flat.values().end());
  return lowered;
}

std::string error_of(const TestTypes& types, std::vector<ValType> wanted, const Values& values) {
  const auto bytes = lowered_bytes(types.arena, wanted, values, ValueRole::kArgument);
  return bytes ? "accepted" : bytes.error().message;
}

TEST(HostLower, ExtendsSignedNumbersTo32BitsOnly) {
  const TestTypes types;
  const auto lowered =
      lower(types, {ValType::of(Prim::kS8), ValType::of(Prim::kS64)}, {int8_t{-1}, int64_t{-1}});
  EXPECT_EQ(lowered.flat, (std::vector<uint64_t>{0xffff'ffff, UINT64_MAX}));
  EXPECT_TRUE(lowered.bytes.empty());
}

TEST(HostLower, PutsStringsAndListsBehindEachOther) {
  TestTypes types;
  const auto lowered = lower(types, {kString, types.list(kU32)},
                             {"abc", ComponentValue::list(std::vector<uint32_t>{1, 2})});
  EXPECT_EQ(lowered.flat, (std::vector<uint64_t>{64, 3, 68, 2}));
  EXPECT_EQ(lowered.bytes, (std::vector<uint8_t>{'a', 'b', 'c', 0, 1, 0, 0, 0, 2, 0, 0, 0}));
}

TEST(HostLower, PassesAResultOfTwoFlatValuesInMemory) {
  const TestTypes types;
  const auto lowered = lower(types, {kString}, {"hi"}, ValueRole::kResult, 8);
  EXPECT_EQ(lowered.flat, (std::vector<uint64_t>{8}));
  EXPECT_EQ(lowered.bytes, (std::vector<uint8_t>{16, 0, 0, 0, 2, 0, 0, 0, 'h', 'i'}));
}

TEST(HostLower, FillsTheFlatValuesThatACaseDoesNotUse) {
  TestTypes types;
  const ValType variant = types.add(
      TypeKind::kVariant, {types.member("a", kString), types.member("b", ValType::of(Prim::kF64))});
  EXPECT_EQ(lower(types, {variant, kU8}, {ComponentValue::variant("b", 1.0), uint8_t{9}}).flat,
            (std::vector<uint64_t>{1, 0x3ff0'0000'0000'0000, 0, 9}));
}

TEST(HostLower, FindsFieldsInAnyOrder) {
  TestTypes types;
  const ValType record =
      types.add(TypeKind::kRecord, {types.member("a", kU8), types.member("b", kU32)});
  EXPECT_EQ(lower(types, {record}, {ComponentValue::record({{"b", 7U}, {"a", uint8_t{1}}})}).flat,
            (std::vector<uint64_t>{1, 7}));
}

TEST(HostLower, DoesNotTrustTheGuessOfAPosition) {
  TestTypes types;
  const ValType type = types.names(TypeKind::kEnum, {"a", "b", "c"});
  auto value = ComponentValue::enumeration("b");
  value.set_position(2);
  EXPECT_EQ(lower(types, {type}, {value}).flat, (std::vector<uint64_t>{1}));
  value.set_position(1000);
  EXPECT_EQ(lower(types, {type}, {value}).flat, (std::vector<uint64_t>{1}));
}

TEST(HostLower, SaysWhereAValueIsNotOfItsType) {
  TestTypes types;
  const ValType record =
      types.add(TypeKind::kRecord, {types.member("a", kU8), types.member("b", kU32)});
  EXPECT_EQ(error_of(types, {kU8, record},
                     {uint8_t{1}, ComponentValue::record({{"a", uint8_t{1}}, {"b", "x"}})}),
            "argument 2: record field \"b\": expected u32, got string");
  EXPECT_EQ(error_of(types, {record}, {ComponentValue::record({{"a", uint8_t{1}}})}),
            "argument 1: record field \"b\" is missing");
  EXPECT_EQ(error_of(types, {types.list(kU32)}, {ComponentValue::list(Values{1U, "x"})}),
            "argument 1: list element 1: expected u32, got string");
  EXPECT_EQ(error_of(types, {types.list(kU32)}, {ComponentValue::list(std::vector<float>{1})}),
            "argument 1: list element 0: expected u32, got f32");
  EXPECT_EQ(error_of(types, {types.option(kU32)}, {ComponentValue::some(1)}),
            "argument 1: option: expected u32, got s32");
  EXPECT_EQ(error_of(types, {types.tuple({kU32})}, {ComponentValue::tuple({})}),
            "argument 1: expected a tuple of 1 elements, got 0");
  EXPECT_EQ(error_of(types, {kU32}, {}), "expected 1 arguments, got 0");
}

TEST(HostLower, SaysWhichCaseOrFlagThereIsNot) {
  TestTypes types;
  const ValType variant =
      types.add(TypeKind::kVariant, {types.member("a", kU8), types.member("b")});
  EXPECT_EQ(error_of(types, {variant}, {ComponentValue::variant("c")}),
            "argument 1: variant has no case \"c\"");
  EXPECT_EQ(error_of(types, {variant}, {ComponentValue::variant("a")}),
            "argument 1: variant case \"a\" needs a value of type u8");
  EXPECT_EQ(error_of(types, {variant}, {ComponentValue::variant("b", 1)}),
            "argument 1: variant case \"b\" takes no value, got s32");
  EXPECT_EQ(error_of(types, {types.names(TypeKind::kFlags, {"x"})}, {ComponentValue::flags({"y"})}),
            "argument 1: there is no flag \"y\"");
  EXPECT_EQ(error_of(types, {types.result({}, kU8)}, {ComponentValue::ok(1)}),
            "argument 1: result ok takes no value, got s32");
}

TEST(HostLower, RefusesStringsThatAreNotUtf8AndCharsThatAreNone) {
  const TestTypes types;
  EXPECT_EQ(error_of(types, {kString}, {"\xff"}), "argument 1: string is not UTF-8");
  EXPECT_EQ(error_of(types, {ValType::of(Prim::kChar)}, {char32_t{0xD800}}),
            "argument 1: 0xd800 is not a char");
}

TEST(HostLower, RefusesAListOfMoreThan28Bits) {
  TestTypes types;
  const ValType half = types.fixed_list(kU8, 1U << 27);
  EXPECT_EQ(error_of(types, {types.list(half)}, {ComponentValue::list(Values(2))}),
            "argument 1: list of 2 elements of 134217728 bytes is longer than 268435455 bytes");
}

TEST(HostLower, HasNoValuesOfStreams) {
  TestTypes types;
  EXPECT_EQ(error_of(types, {types.add(TypeKind::kStream, {{StringId{kNoIndex}, kU8}})}, {1}),
            "argument 1: expected stream, got s32");
  EXPECT_EQ(error_of(types, {ValType::of(Prim::kErrorContext)}, {ComponentValue::list(Values{})}),
            "argument 1: expected error-context, got list");
}

}  // namespace
}  // namespace mayfly::component
