// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sequences of turns, and for how many calls they make it poll.
#include "vmm/spin_choice.h"

#include <gtest/gtest.h>

namespace mayfly::vmm {
namespace {

// Of so many calls whose turns all are misses: how many are polled for.
uint32_t polled_of(SpinChoice& choice, uint32_t calls) {
  uint32_t polled = 0;
  for (uint32_t i = 0; i < calls; ++i) {
    if (choice.next_call()) ++polled;
    choice.miss();
  }
  return polled;
}

TEST(SpinChoice, PollsAsLongAsItHelps) {
  SpinChoice choice;
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_TRUE(choice.next_call());
    i % 5 == 0 ? choice.miss() : choice.hit();
  }
}

TEST(SpinChoice, GivesUpAfterAFewMisses) {
  SpinChoice choice;
  EXPECT_LE(polled_of(choice, SpinChoice::kRestMin), 10U);
}

TEST(SpinChoice, TriesLessAndLessOften) {
  SpinChoice choice;
  EXPECT_LE(polled_of(choice, 20'000), 40U);
  for (uint32_t i = 0; i < 2 * SpinChoice::kRestMax; ++i) {
    if (choice.next_call()) return;
  }
  FAIL() << "it does not come back";
}

TEST(SpinChoice, ComesBackWhenItHelpsAgain) {
  SpinChoice choice;
  polled_of(choice, 20'000);
  while (!choice.next_call()) {
  }
  choice.miss();  // the first finds the guest outside
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(choice.next_call());
    choice.hit();
  }
  // And is as patient as at first.
  EXPECT_GT(polled_of(choice, 400), 8U);
}

TEST(SpinChoice, LearnsNothingFromCallsThatAreNotPolledFor) {
  SpinChoice choice;
  while (choice.next_call()) choice.miss();
  for (uint32_t i = 0; i < 10; ++i) choice.miss();
  uint32_t rest = 1;
  while (!choice.next_call()) ++rest;
  EXPECT_EQ(rest, SpinChoice::kRestMin);
}

}  // namespace
}  // namespace mayfly::vmm
