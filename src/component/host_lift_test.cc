// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Guests that say wrong things. The values that right ones mean are compared with the oracle's in
// tests/component.
#include "component/host_lift.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "component/test_types.h"

namespace mayfly::component {
namespace {

// Words from address 0 on, as a page of the transfer memory.
struct Page {
  alignas(8) std::array<uint8_t, 64> bytes{};
  Page(std::initializer_list<uint32_t> words) {
    size_t at = 0;
    for (const uint32_t word : words) {
      for (int shift = 0; shift < 32; shift += 8) bytes[at++] = static_cast<uint8_t>(word >> shift);
    }
  }
};

std::string error_of(const TestTypes& types, ValType type, std::vector<uint64_t> slots,
                     const Page& page, uint64_t lifted_bytes_max = detail::kLiftedBytesMax) {
  const std::array<ValType, 1> given = {type};
  const auto values =
      lift_values(types.arena, given, ValueRole::kArgument, slots, page.bytes, lifted_bytes_max);
  return values ? "accepted" : values.error().message;
}

TEST(HostLift, TakesOnlyTheLowBitsOfNarrowTypes) {
  const TestTypes types;
  const std::array<ValType, 3> given = {kU8, ValType::of(Prim::kS16), ValType::of(Prim::kBool)};
  const std::vector<uint64_t> slots = {0x1ff, 0xffff'ffff'0001'8000, 0xffff'ffff'0000'0000};
  const auto values =
      lift_values(types.arena, given, ValueRole::kArgument, slots, std::span<const uint8_t>());
  ASSERT_TRUE(values);
  EXPECT_EQ((*values)[0], ComponentValue(uint8_t{0xff}));
  EXPECT_EQ((*values)[1], ComponentValue(int16_t{-0x8000}));
  EXPECT_EQ((*values)[2], ComponentValue(false));
}

TEST(HostLift, RefusesRangesOutsideTheMemory) {
  TestTypes types;
  EXPECT_EQ(error_of(types, kString, {60, 5}, {}),
            "string of 5 bytes at 0x3c is out of bounds: the memory ends at 0x40");
  EXPECT_EQ(error_of(types, kString, {0xffff'ffff, 1}, {}),
            "string of 1 bytes at 0xffffffff is out of bounds: the memory ends at 0x40");
  EXPECT_EQ(error_of(types, types.list(kU32), {64, 1}, {}),
            "list of 4 bytes at 0x40 is out of bounds: the memory ends at 0x40");
  EXPECT_EQ(error_of(types, types.list(kU32), {64, 0}, {}), "accepted");
  EXPECT_EQ(error_of(types, types.list(kU32), {68, 0}, {}),
            "list of 0 bytes at 0x44 is out of bounds: the memory ends at 0x40");
}

TEST(HostLift, RefusesAPointerToParametersThatIsWrong) {
  TestTypes types;
  const ValType seventeen = types.tuple(std::vector<ValType>(17, kU32));
  EXPECT_EQ(error_of(types, seventeen, {2}, {}), "parameters at 0x2 is not aligned to 4");
  EXPECT_EQ(error_of(types, seventeen, {0}, {}),
            "parameters of 68 bytes at 0x0 is out of bounds: the memory ends at 0x40");
}

TEST(HostLift, RefusesAListThatIsNotAlignedOrTooLong) {
  TestTypes types;
  EXPECT_EQ(error_of(types, types.list(kU32), {2, 1}, {}), "list at 0x2 is not aligned to 4");
  EXPECT_EQ(error_of(types, types.list(kU32), {0, 0x4000'0000}, {}),
            "list of 4294967296 bytes is longer than 268435455");
  EXPECT_EQ(error_of(types, kString, {0, 0x1000'0000}, {}),
            "string of 268435456 bytes is longer than 268435455");
}

TEST(HostLift, RefusesADiscriminantThatIsNoCase) {
  TestTypes types;
  EXPECT_EQ(error_of(types, types.option(kU8), {2, 0}, {}),
            "discriminant 2 of a type with 2 cases");
  EXPECT_EQ(error_of(types, types.list(types.names(TypeKind::kEnum, {"a"})), {0, 1}, {1}),
            "discriminant 1 of a type with 1 cases");
}

TEST(HostLift, RefusesStringsThatAreNotUtf8AndCharsThatAreNone) {
  const TestTypes types;
  EXPECT_EQ(error_of(types, kString, {0, 1}, {0xff}), "string at 0x0 is not UTF-8");
  EXPECT_EQ(error_of(types, ValType::of(Prim::kChar), {0x110000}, {}), "0x110000 is not a char");
}

TEST(HostLift, StopsListsThatSayTheSameManyTimes) {
  TestTypes types;
  // Each of the lists points to the whole memory; the innermost are strings of 64 bytes.
  const ValType deep = types.list(types.list(types.list(types.list(types.list(kString)))));
  const Page page = {0, 8, 0, 8, 0, 8, 0, 8, 0, 8, 0, 8, 0, 8, 0, 8};
  EXPECT_EQ(error_of(types, deep, {0, 8}, page, 1 << 20).substr(0, 11), "values take");
}

TEST(HostLift, HasNoValuesOfStreams) {
  TestTypes types;
  EXPECT_EQ(error_of(types, types.add(TypeKind::kStream, {{StringId{kNoIndex}, kU8}}), {1}, {}),
            "values of type stream are not supported");
}

}  // namespace
}  // namespace mayfly::component
