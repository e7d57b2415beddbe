// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sizes, alignments and flat forms, against numbers worked out by hand.
#include "component/abi_layout.h"

#include <gtest/gtest.h>

namespace mayfly::component {
namespace {

Layout prim(Prim kind) { return prim_layout(kind, PtrWidth::k32); }

std::vector<Flat> flat(const Layout& layout) {
  return {layout.flat.values().begin(), layout.flat.values().end()};
}

TEST(Layout, PutsFieldsAtTheirAlignment) {
  const std::vector<Layout> fields = {prim(Prim::kU8), prim(Prim::kU64), prim(Prim::kU16)};
  EXPECT_EQ(record_layout(fields).size, 24U);
  EXPECT_EQ(record_layout(fields).alignment, 8U);
  EXPECT_EQ(field_offsets(fields), (std::vector<uint64_t>{0, 8, 16}));
}

TEST(Layout, TakesTheSmallestDiscriminantThatCountsTheCases) {
  EXPECT_EQ(discriminant_bytes(1), 1U);
  EXPECT_EQ(discriminant_bytes(256), 1U);
  EXPECT_EQ(discriminant_bytes(257), 2U);
  EXPECT_EQ(discriminant_bytes(65536), 2U);
  EXPECT_EQ(discriminant_bytes(65537), 4U);
}

TEST(Layout, PutsAPayloadBehindTheDiscriminantAtTheLargestAlignment) {
  const std::vector<Layout> cases = {Layout(), prim(Prim::kU32), prim(Prim::kF64)};
  EXPECT_EQ(payload_offset(cases), 8U);
  EXPECT_EQ(variant_layout(cases).size, 16U);
}

TEST(Layout, JoinsPayloadsToTheWiderCoreType) {
  EXPECT_EQ(flat(variant_layout(std::vector<Layout>{prim(Prim::kF32), prim(Prim::kU32)})),
            (std::vector<Flat>{Flat::kI32, Flat::kI32}));
  EXPECT_EQ(flat(variant_layout(std::vector<Layout>{prim(Prim::kF32), prim(Prim::kF64)})),
            (std::vector<Flat>{Flat::kI32, Flat::kI64}));
  EXPECT_EQ(flat(variant_layout(std::vector<Layout>{prim(Prim::kF32), Layout()})),
            (std::vector<Flat>{Flat::kI32, Flat::kF32}));
}

TEST(Layout, HasMoreThanSixteenFlatValuesAsMore) {
  const std::vector<Layout> sixteen(16, prim(Prim::kU8));
  const std::vector<Layout> seventeen(17, prim(Prim::kU8));
  EXPECT_EQ(record_layout(sixteen).flat.size(), 16U);
  EXPECT_FALSE(record_layout(sixteen).flat.is_more());
  EXPECT_TRUE(record_layout(seventeen).flat.is_more());
  EXPECT_TRUE(variant_layout(std::vector<Layout>{record_layout(sixteen)}).flat.is_more());
}

TEST(Layout, HasFlagsInOneTwoOrFourBytes) {
  EXPECT_EQ(flags_layout(8).size, 1U);
  EXPECT_EQ(flags_layout(9).size, 2U);
  EXPECT_EQ(flags_layout(17).size, 4U);
}

TEST(Layout, DoublesPointersWith64BitAddresses) {
  EXPECT_EQ(prim_layout(Prim::kString, PtrWidth::k32).size, 8U);
  EXPECT_EQ(prim_layout(Prim::kString, PtrWidth::k64).size, 16U);
  EXPECT_EQ(flat(list_layout(PtrWidth::k64)), (std::vector<Flat>{Flat::kI64, Flat::kI64}));
}

TEST(Layout, MultipliesWithoutWrapping) {
  EXPECT_EQ(fixed_list_layout(prim(Prim::kU64), 536870912).size, uint64_t{1} << 32);
  EXPECT_EQ(fixed_list_layout(prim(Prim::kU16), 3).flat.size(), 3U);
}

}  // namespace
}  // namespace mayfly::component
