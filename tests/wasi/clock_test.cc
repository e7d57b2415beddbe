// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Clocks from the processor's counter: right, never back, and almost without leaving the VM.
#include <chrono>
#include <thread>

#include "program.h"

namespace mayfly {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr auto kRealtime = static_cast<uint32_t>(p1::ClockId::kRealtime);
constexpr auto kMonotonic = static_cast<uint32_t>(p1::ClockId::kMonotonic);

class Clock : public Program {
 protected:
  void start_with_ticks(uint64_t generation) {
    start();
    guest_->page().ticks_are_steady = 1;
    guest_->page().seed_generation = generation;
  }
  uint64_t read(uint32_t clock) {
    EXPECT_EQ(mayfly_wasi_p1_clock_time_get(memory(), clock, 1, kResult), 0U);
    return guest_->load<uint64_t>(kResult);
  }
  // Until what a tick is worth is known.
  void warm_up() {
    read(kMonotonic);
    std::this_thread::sleep_for(milliseconds(60));
    read(kMonotonic);
  }
  static uint64_t host_monotonic() {
    return static_cast<uint64_t>(
        nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count());
  }
};

TEST_F(Clock, IsReadWithoutAnExit) {
  start_with_ticks(1);
  warm_up();
  const uint64_t before = guest_->exit_count();
  for (int i = 0; i < 10'000; ++i) read(i % 2 == 0 ? kMonotonic : kRealtime);
  EXPECT_LE(guest_->exit_count() - before, 2U);
}

TEST_F(Clock, AgreesWithTheHosts) {
  start_with_ticks(1);
  warm_up();
  for (int i = 0; i < 50; ++i) {
    const uint64_t before = host_monotonic();
    const uint64_t guest = read(kMonotonic);
    const uint64_t after = host_monotonic();
    EXPECT_GE(guest + 200'000, before);
    EXPECT_LE(guest, after + 200'000);
    std::this_thread::sleep_for(milliseconds(1));
  }
  const auto real = std::chrono::system_clock::now().time_since_epoch();
  const int64_t difference = static_cast<int64_t>(read(kRealtime)) - nanoseconds(real).count();
  EXPECT_LT(std::abs(difference), 5'000'000);
}

TEST_F(Clock, NeverStepsBackAcrossNewReadings) {
  start_with_ticks(1);
  uint64_t last = 0;
  const auto end = std::chrono::steady_clock::now() + milliseconds(1500);
  while (std::chrono::steady_clock::now() < end) {
    const uint64_t now = read(kMonotonic);
    ASSERT_GE(now, last);
    last = now;
  }
}

TEST_F(Clock, TakesNewReadingsAfterARestore) {
  start_with_ticks(1);
  warm_up();
  guest_->page().seed_generation = 2;
  const uint64_t before = guest_->exit_count();
  const uint64_t guest = read(kMonotonic);
  EXPECT_GT(guest_->exit_count(), before);
  // A clock that never goes back may be ahead by what its rate was wrong until now.
  constexpr uint64_t kAheadMax = 10'000;
  EXPECT_LE(guest, host_monotonic() + kAheadMax);
}

// A state that was saved to a file starts on a host that has run for half as long.
TEST_F(Clock, GoesOnWhereItWasOnAnotherHost) {
  for (const uint64_t steady : {0U, 1U}) {
    start_with_ticks(1);
    guest_->page().ticks_are_steady = steady;
    const uint64_t before = read(kMonotonic);
    guest_->monotonic_behind_ns = host_monotonic() / 2;
    guest_->page().seed_generation = 2;
    const uint64_t after = read(kMonotonic);
    EXPECT_GE(after, before);
    EXPECT_LT(after - before, 10'000'000'000U);
    std::this_thread::sleep_for(milliseconds(20));
    EXPECT_GE(read(kMonotonic) - after, 15'000'000U);
  }
}

constexpr int64_t kHour = 3'600'000'000'000;

TEST_F(Clock, FollowsTheRealClockWhenItIsSetAndLeavesTheOtherAlone) {
  for (const int64_t jump : {kHour, -kHour}) {
    start_with_ticks(1);
    warm_up();
    const uint64_t real = read(kRealtime);
    const uint64_t monotonic = read(kMonotonic);
    guest_->realtime_ahead_ns = jump;
    // A reading of the host's clocks serves for 2 s at most.
    const auto has_jumped = [&] {
      const auto moved = static_cast<int64_t>(read(kRealtime) - real);
      return std::abs(moved - jump) < kHour / 100;
    };
    const auto end = std::chrono::steady_clock::now() + milliseconds(5000);
    bool jumped = false;
    while (!jumped && std::chrono::steady_clock::now() < end) jumped = has_jumped();
    EXPECT_TRUE(jumped) << jump;
    EXPECT_LT(read(kMonotonic) - monotonic, 60'000'000'000U);
  }
}

TEST_F(Clock, SeesTheRealClockSetAtOnceWhereItAsksTheHost) {
  start();
  const uint64_t real = read(kRealtime);
  const uint64_t monotonic = read(kMonotonic);
  guest_->realtime_ahead_ns = -kHour;
  EXPECT_LT(read(kRealtime), real);
  EXPECT_GE(read(kMonotonic), monotonic);
}

TEST_F(Clock, AsksTheHostWhereTicksAreNotSteady) {
  start();
  const uint64_t before = guest_->exit_count();
  read(kMonotonic);
  read(kRealtime);
  EXPECT_EQ(guest_->exit_count() - before, 2U);
}

TEST_F(Clock, IsNoFinerThanThePolicySays) {
  for (const uint64_t steady : {0U, 1U}) {
    start();
    guest_->page().ticks_are_steady = steady;
    guest_->page().clock_resolution_ns = 1'000'000;
    EXPECT_EQ(read(kMonotonic) % 1'000'000, 0U);
    EXPECT_EQ(mayfly_wasi_p1_clock_res_get(memory(), kMonotonic, kResult), 0U);
    EXPECT_EQ(guest_->load<uint64_t>(kResult), 1'000'000U);
  }
}

TEST_F(Clock, RefusesAClockThatThereIsNot) {
  start_with_ticks(1);
  EXPECT_EQ(errno_of(mayfly_wasi_p1_clock_time_get(memory(), 7, 1, kResult)), Errno::kInval);
  EXPECT_EQ(errno_of(mayfly_wasi_p1_clock_res_get(memory(), 7, kResult)), Errno::kInval);
}

}  // namespace
}  // namespace mayfly
