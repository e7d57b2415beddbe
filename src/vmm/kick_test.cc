// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kicks with signal 0, which pthread_kill checks and nobody receives: all of them are lost.
#include "vmm/kick.h"

#include <gtest/gtest.h>

namespace mayfly::vmm {
namespace {

constexpr int kNoSignal = 0;

TEST(Kick, IsRepeatedUntilTheThreadHasLeftTheGuest) {
  uint8_t immediate_exit = 0;
  Kick kick(kNoSignal);
  kick.attach(&immediate_exit);
  const uint64_t call = kick.begin_call();
  kick.enter_guest();
  kick.deadline_passed(call);
  EXPECT_EQ(immediate_exit, 1);
  EXPECT_TRUE(kick.wants_again(call));
  EXPECT_TRUE(kick.wants_again(call));
  EXPECT_EQ(kick.leave_guest(), Kick::Reason::kDeadline);
  EXPECT_FALSE(kick.wants_again(call));
}

TEST(Kick, IsNotRepeatedForALaterCall) {
  uint8_t immediate_exit = 0;
  Kick kick(kNoSignal);
  kick.attach(&immediate_exit);
  const uint64_t first = kick.begin_call();
  kick.enter_guest();
  EXPECT_EQ(kick.cancel(), first);
  EXPECT_EQ(kick.leave_guest(), Kick::Reason::kCancelled);
  kick.end_call();
  EXPECT_FALSE(kick.cancel());
  kick.begin_call();
  kick.enter_guest();
  EXPECT_FALSE(kick.wants_again(first));
  kick.deadline_passed(first);
  EXPECT_EQ(immediate_exit, 0);
}

// The timer asks again when it saw the thread in the guest, and by then the look may be over.
TEST(Kick, BringsOneLookForEachThatIsWanted) {
  uint8_t immediate_exit = 0;
  Kick kick(kNoSignal);
  kick.attach(&immediate_exit);
  const uint64_t call = kick.begin_call();
  for (int i = 0; i < 2; ++i) {
    kick.want_look();
    kick.enter_guest();
    kick.ask_to_look(call);
    EXPECT_TRUE(kick.waits_for_look(call));
    EXPECT_EQ(kick.leave_guest(), Kick::Reason::kNone);
    EXPECT_TRUE(kick.take_look());
    kick.enter_guest();
    kick.ask_to_look(call);
    EXPECT_EQ(immediate_exit, 0);
    EXPECT_FALSE(kick.waits_for_look(call));
    EXPECT_EQ(kick.leave_guest(), Kick::Reason::kNone);
    EXPECT_FALSE(kick.take_look());
  }
}

}  // namespace
}  // namespace mayfly::vmm
