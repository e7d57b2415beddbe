// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// QuickLock keeps threads apart, and none sleeps for ever.
#include "base/quick_lock.h"

#include <gtest/gtest.h>

#include <mutex>
#include <thread>
#include <vector>

namespace mayfly {
namespace {

TEST(QuickLock, LetsOneThreadInAtATime) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 20'000;
  QuickLock mutex;
  int64_t count = 0;
  const auto work = [&] {
    for (int i = 0; i < kRounds; ++i) {
      const std::lock_guard lock(mutex);
      const int64_t before = count;
      if (i % 64 == 0) std::this_thread::yield();  // so that others come to wait
      count = before + 1;
    }
  };
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int i = 0; i < kThreads; ++i) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(count, int64_t{kThreads} * kRounds);
}

}  // namespace
}  // namespace mayfly
