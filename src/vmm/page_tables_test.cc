// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Page tables over pages of the test's own: what an entry says, and how tables come and go.
#include "vmm/page_tables.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <vector>

namespace mayfly::vmm {
namespace {

constexpr uint64_t kPage = 4096;
constexpr uint64_t kLarge = uint64_t{2} << 20;
constexpr uint64_t kLeafAddress = 0x000f'ffff'ffff'f000;
constexpr uint64_t kWritable = 2;
constexpr uint64_t kUser = 4;
constexpr uint64_t kAccessedAndDirty = 0x60;
constexpr uint64_t kLargeBit = 0x80;
constexpr uint64_t kNoExecute = uint64_t{1} << 63;

class Pages : public TablePageSource {
 public:
  explicit Pages(size_t count_max = 1000) : count_max_(count_max) {}
  Result<TablePage> allocate_table_page() override {
    if (pages_.size() == count_max_) return limit("full");
    pages_.push_back(std::make_unique<std::array<uint64_t, 512>>());
    pages_.back()->fill(0);
    return TablePage{pages_.back()->data(), 0x10'0000 + pages_.size() * kPage};
  }
  size_t count() const { return pages_.size(); }

 private:
  size_t count_max_;
  std::vector<std::unique_ptr<std::array<uint64_t, 512>>> pages_;
};

TEST(PageTables, MapsNothingAtFirst) {
  Pages pages;
  const auto tables = PageTables::create(pages);
  EXPECT_EQ(tables->leaf(0), 0u);
  EXPECT_EQ(tables->leaf(0x4000'0000), 0u);
}

TEST(PageTables, UsesLargeLeavesInsideAndSmallOnesAtTheTail) {
  Pages pages;
  auto tables = PageTables::create(pages);
  ASSERT_TRUE(tables->map(0x4000'0000, 0x60'0000, 2 * kLarge + kPage, PageAccess::kUserReadWrite));
  EXPECT_NE(tables->leaf(0x4000'0000) & kLargeBit, 0u);
  EXPECT_EQ(tables->leaf(0x4000'0000 + kLarge) & kLeafAddress, 0x80'0000u);
  const uint64_t tail = tables->leaf(0x4000'0000 + 2 * kLarge);
  EXPECT_EQ(tail & kLargeBit, 0u);
  EXPECT_EQ(tail & kLeafAddress, 0xa0'0000u);
  EXPECT_EQ(tables->leaf(0x4000'0000 + 2 * kLarge + kPage), 0u);
  EXPECT_EQ(pages.count(), 4u);  // root, two directories, the tail's table
}

TEST(PageTables, NeverMakesAPageBothWritableAndExecutable) {
  Pages pages;
  auto tables = PageTables::create(pages);
  uint64_t address = 0;
  for (const PageAccess access :
       {PageAccess::kUserRead, PageAccess::kUserReadExecute, PageAccess::kUserReadWrite,
        PageAccess::kSystemRead, PageAccess::kSystemReadExecute, PageAccess::kSystemReadWrite}) {
    ASSERT_TRUE(tables->map(address, address, kPage, access));
    const uint64_t leaf = tables->leaf(address);
    EXPECT_TRUE((leaf & kWritable) == 0 || (leaf & kNoExecute) != 0);
    EXPECT_EQ(leaf & kAccessedAndDirty, kAccessedAndDirty);
    address += kPage;
  }
  EXPECT_EQ(tables->leaf(5 * kPage) & kUser, 0u);
  EXPECT_NE(tables->leaf(2 * kPage) & kUser, 0u);
}

TEST(PageTables, FillsATableThatExistsRatherThanReplacingIt) {
  Pages pages;
  auto tables = PageTables::create(pages);
  ASSERT_TRUE(tables->map(kLarge, kLarge, kPage, PageAccess::kUserRead));
  ASSERT_TRUE(tables->map(kLarge, kLarge, kLarge, PageAccess::kUserRead));
  EXPECT_EQ(tables->leaf(kLarge) & kLargeBit, 0u);
  EXPECT_EQ(tables->leaf(2 * kLarge - kPage) & kLeafAddress, 2 * kLarge - kPage);
}

TEST(PageTables, SplitsALeafOfWhichAPartGoes) {
  Pages pages;
  auto tables = PageTables::create(pages);
  ASSERT_TRUE(tables->map(0, 0, 2 * kLarge, PageAccess::kUserReadWrite));
  const auto split = tables->take_away(kLarge + kPage, kLarge - kPage);
  ASSERT_TRUE(split);
  EXPECT_EQ(*split, PageTables::Split::kLeaf);
  EXPECT_NE(tables->leaf(0) & kLargeBit, 0u);
  EXPECT_EQ(tables->leaf(kLarge) & kLeafAddress, kLarge);
  EXPECT_EQ(tables->leaf(kLarge) & kLargeBit, 0u);
  EXPECT_EQ(tables->leaf(kLarge + kPage), 0u);
  EXPECT_EQ(tables->leaf(2 * kLarge - kPage), 0u);
}

TEST(PageTables, TakesWholeLeavesAwayWithoutASplit) {
  Pages pages;
  auto tables = PageTables::create(pages);
  ASSERT_TRUE(tables->map(0, 0, 3 * kLarge, PageAccess::kUserReadWrite));
  const auto split = tables->take_away(kLarge, uint64_t{1} << 32);
  ASSERT_TRUE(split);
  EXPECT_EQ(*split, PageTables::Split::kNone);
  EXPECT_NE(tables->leaf(0), 0u);
  EXPECT_EQ(tables->leaf(kLarge), 0u);
  EXPECT_EQ(tables->leaf(2 * kLarge), 0u);
}

TEST(PageTables, HasTheSameContentUnderAnotherRoot) {
  Pages pages;
  auto tables = PageTables::create(pages);
  ASSERT_TRUE(tables->map(0, kPage, kPage, PageAccess::kUserRead));
  const uint64_t first = tables->root_gpa();
  const uint64_t leaf = tables->leaf(0);
  ASSERT_TRUE(tables->switch_root());
  EXPECT_NE(tables->root_gpa(), first);
  EXPECT_EQ(tables->leaf(0), leaf);
  ASSERT_TRUE(tables->switch_root());
  EXPECT_EQ(tables->root_gpa(), first);
}

TEST(PageTables, SaysWhenThereAreNoPagesLeft) {
  Pages pages(3);
  auto tables = PageTables::create(pages);
  EXPECT_FALSE(tables->map(0, 0, kPage, PageAccess::kUserRead));
}

}  // namespace
}  // namespace mayfly::vmm
