// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Deadlines come in time, in order, once, and never after forget().
#include "vmm/deadline_timer.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>

namespace mayfly::vmm {
namespace {

using std::chrono::milliseconds;
using Clock = DeadlineTimer::Clock;

class Target : public DeadlineTarget {
 public:
  void deadline_passed(uint64_t generation) override {
    when = Clock::now();
    seen = generation;
    ++times;
  }
  bool wants_again(uint64_t /*generation*/) const override { return times < times_wanted; }
  bool wait(uint64_t generation) {
    for (int i = 0; i < 2000 && seen != generation; ++i) ::usleep(1000);
    return seen == generation;
  }
  std::atomic<uint64_t> seen = 0;
  std::atomic<int> times = 0;
  int times_wanted = 1;
  std::atomic<Clock::time_point> when = Clock::time_point();
};

TEST(DeadlineTimer, CallsNoTargetBeforeItsTime) {
  Target target;
  DeadlineTimer timer;
  const auto when = Clock::now() + milliseconds(15);
  ASSERT_TRUE(timer.arm(target, 7, when));
  ASSERT_TRUE(target.wait(7));
  EXPECT_GE(target.when.load(), when);
  timer.forget(target);
}

TEST(DeadlineTimer, WakesForAnEarlierDeadlineThanTheOneItSleepsFor) {
  Target late;
  Target early;
  DeadlineTimer timer;
  ASSERT_TRUE(timer.arm(late, 1, Clock::now() + std::chrono::hours(1)));
  ::usleep(5000);
  ASSERT_TRUE(timer.arm(early, 2, Clock::now() + milliseconds(5)));
  EXPECT_TRUE(early.wait(2));
  EXPECT_EQ(late.seen, 0u);
  timer.forget(late);
  timer.forget(early);
}

TEST(DeadlineTimer, KeepsOnlyTheLastDeadlineOfATarget) {
  Target target;
  DeadlineTimer timer;
  ASSERT_TRUE(timer.arm(target, 1, Clock::now() + milliseconds(20)));
  ASSERT_TRUE(timer.arm(target, 2, Clock::now() + milliseconds(40)));
  ASSERT_TRUE(target.wait(2));
  timer.forget(target);
}

TEST(DeadlineTimer, CallsATargetAgainUntilItHasEnough) {
  Target target;
  target.times_wanted = 5;
  DeadlineTimer timer;
  ASSERT_TRUE(timer.arm(target, 1, Clock::now()));
  for (int i = 0; i < 2000 && target.times < 5; ++i) ::usleep(1000);
  EXPECT_EQ(target.times, 5);
  ASSERT_TRUE(timer.arm(target, 2, Clock::now()));
  ASSERT_TRUE(target.wait(2));
  timer.forget(target);
  EXPECT_EQ(target.times, 6);
}

// As a cancellation may that comes when its call has ended and another one has begun.
TEST(DeadlineTimer, KeepsTheDeadlineOfALaterGeneration) {
  Target target;
  DeadlineTimer timer;
  ASSERT_TRUE(timer.arm(target, 2, Clock::now() + std::chrono::hours(1)));
  ASSERT_TRUE(timer.arm(target, 1, Clock::now()));
  ::usleep(5000);
  EXPECT_EQ(target.times, 0);
  timer.forget(target);
}

TEST(DeadlineTimer, NeverCallsAForgottenTarget) {
  DeadlineTimer timer;
  for (int i = 0; i < 200; ++i) {
    Target target;
    ASSERT_TRUE(timer.arm(target, 1, Clock::now() + std::chrono::microseconds(i * 3)));
    timer.forget(target);
    const uint64_t seen = target.seen;
    ::usleep(20);
    EXPECT_EQ(target.seen, seen);
  }
}

TEST(DeadlineTimer, RefusesAForkedProcess) {
  Target target;
  DeadlineTimer timer;
  ASSERT_TRUE(timer.arm(target, 1, Clock::now() + std::chrono::hours(1)));
  const pid_t child = ::fork();
  if (child == 0) ::_exit(timer.arm(target, 2, Clock::now()).has_value() ? 1 : 0);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  timer.forget(target);
}

}  // namespace
}  // namespace mayfly::vmm
