// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Who owns an object when, and which numbers are refused.
#include "runtime/resource_table.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>

namespace mayfly::runtime {
namespace {

using detail::BorrowedEntry;
using detail::kResourceKind;

struct Counted {
  explicit Counted(int& destroyed) : destroyed(destroyed) {}
  ~Counted() { ++destroyed; }
  int& destroyed;
};
struct Other {};
Counted* counted(int& destroyed) { return std::make_unique<Counted>(destroyed).release(); }

TEST(ResourceTable, DestroysEachObjectOnce) {
  int destroyed = 0;
  {
    ResourceTable table;
    const uint32_t first = table.give(kResourceKind<Counted>, counted(destroyed));
    table.give(kResourceKind<Counted>, counted(destroyed));
    ASSERT_TRUE(table.drop(kResourceKind<Counted>, first));
    EXPECT_EQ(destroyed, 1);
    EXPECT_FALSE(table.drop(kResourceKind<Counted>, first));
    EXPECT_EQ(table.size(), 1U);
  }
  EXPECT_EQ(destroyed, 2);
}

TEST(ResourceTable, GivesUpWhatIsTaken) {
  int destroyed = 0;
  ResourceTable table;
  const uint32_t number = table.give(kResourceKind<Counted>, counted(destroyed));
  const auto taken = table.take(kResourceKind<Counted>, number);
  ASSERT_TRUE(taken);
  table.clear();
  EXPECT_EQ(destroyed, 0);
  EXPECT_FALSE(table.find(kResourceKind<Counted>, number));
  const std::unique_ptr<Counted> last(static_cast<Counted*>(*taken));
}

TEST(ResourceTable, RefusesAnotherType) {
  int destroyed = 0;
  ResourceTable table;
  const uint32_t number = table.give(kResourceKind<Counted>, counted(destroyed));
  EXPECT_FALSE(table.find(kResourceKind<Other>, number));
  EXPECT_FALSE(table.take(kResourceKind<Other>, number));
  EXPECT_FALSE(table.drop(kResourceKind<Other>, number));
  EXPECT_EQ(destroyed, 0);
}

TEST(ResourceTable, KeepsWhatIsBorrowed) {
  int destroyed = 0;
  ResourceTable table;
  const uint32_t number = table.give(kResourceKind<Counted>, counted(destroyed));
  {
    const BorrowedEntry borrowed(table.find(kResourceKind<Counted>, number).value());
    EXPECT_FALSE(table.take(kResourceKind<Counted>, number));
    EXPECT_FALSE(table.drop(kResourceKind<Counted>, number));
  }
  EXPECT_TRUE(table.drop(kResourceKind<Counted>, number));
  EXPECT_EQ(destroyed, 1);
}

TEST(ResourceTable, TellsWhoKeptABorrowThatItIsGone) {
  int destroyed = 0;
  ResourceTable table;
  const uint32_t number = table.give(kResourceKind<Counted>, counted(destroyed));
  const BorrowedEntry borrowed(table.find(kResourceKind<Counted>, number).value());
  table.clear();
  EXPECT_EQ(destroyed, 1);
  EXPECT_EQ(borrowed.get()->object, nullptr);
}

TEST(ResourceTable, ForgetsLoansAndLeavesTheirObjects) {
  int destroyed = 0;
  Counted lent(destroyed);
  ResourceTable table;
  const size_t before = table.loans();
  const uint32_t number = table.lend(kResourceKind<Counted>, &lent);
  EXPECT_TRUE(table.find(kResourceKind<Counted>, number));
  EXPECT_FALSE(table.take(kResourceKind<Counted>, number));
  table.end_loans(before);
  EXPECT_FALSE(table.find(kResourceKind<Counted>, number));
  EXPECT_EQ(table.size(), 0U);
  EXPECT_EQ(destroyed, 0);
}

TEST(ResourceTable, GoesBackToAMomentOfItsOwn) {
  int destroyed = 0;
  ResourceTable table;
  const uint32_t old = table.give(kResourceKind<Counted>, counted(destroyed));
  const auto mark = table.mark();
  const uint32_t later = table.give(kResourceKind<Counted>, counted(destroyed));
  table.restore(mark);
  EXPECT_EQ(destroyed, 1);
  EXPECT_TRUE(table.find(kResourceKind<Counted>, old));
  EXPECT_FALSE(table.find(kResourceKind<Counted>, later));
  table.restore(ResourceTable().mark());
  EXPECT_EQ(destroyed, 2);
  EXPECT_EQ(table.size(), 0U);
}

TEST(ResourceTable, GivesNoNumberAgainSoon) {
  ResourceTable table;
  std::set<uint32_t> numbers;
  for (int i = 0; i < 1000; ++i) {
    const uint32_t number = table.give(kResourceKind<Other>, std::make_unique<Other>().release());
    EXPECT_TRUE(numbers.insert(number).second);
    ASSERT_TRUE(table.drop(kResourceKind<Other>, number));
  }
}

}  // namespace
}  // namespace mayfly::runtime
