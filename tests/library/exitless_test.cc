// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Policy::spin(): everything means what it means without it. What takes an exit less is measured by
// bench/sandbox_exitless_bench.cc.
#include <sched.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <optional>
#include <thread>
#include <vector>

#include "library_test.h"

namespace mayfly {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::HasSubstr;

class ExitlessTest : public LibraryTest {
 protected:
  static Policy spinning() { return Policy().spin(); }
};
MAYFLY_ON_EACH_DRIVER(ExitlessTest);

constexpr const char* kGuest = R"((module
  (import "env" "host" (func $host (param i32) (result i32)))
  (memory (export "memory") 1 4)
  (global $calls (mut i32) (i32.const 0))
  (func (export "count") (result i32)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (global.get $calls))
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "run") (param i32) (result i32)
    (i32.add (i32.mul (local.get 0) (i32.const 1000)) (call $host (local.get 0))))
  (func (export "grow") (result i32)
    (drop (memory.grow (i32.const 1)))
    (i32.store (i32.const 65536) (i32.const 7))
    (memory.size))
  (func (export "trap") unreachable)
  (func (export "forever") (loop br 0))))";

Linker linker_for(const Engine& engine) {
  Linker linker(engine);
  linker.define("env", "host", [](int32_t value) { return value + 1; });
  return linker;
}

bool has_two_processors() {
  cpu_set_t allowed;
  return ::sched_getaffinity(0, sizeof allowed, &allowed) == 0 && CPU_COUNT(&allowed) > 1;
}

TEST_P(ExitlessTest, AnswersCallsAndHostFunctions) {
  Sandbox guest = sandbox(linker_for(engine()), kGuest, spinning());
  const auto add = guest.function<int32_t(int32_t, int32_t)>("add").value();
  const auto run = guest.function<int32_t(int32_t)>("run").value();
  for (int32_t i = 0; i < 300; ++i) {
    ASSERT_EQ(add(i, 2 * i).value(), 3 * i);
    ASSERT_EQ(run(i).value(), 1001 * i + 1);
  }
  const Usage usage = guest.usage();
  EXPECT_EQ(usage.calls, 601U);  // the start is one
  EXPECT_EQ(usage.host_calls, 300U);
}

// Within a time in which also a busy machine comes to it.
TEST_P(ExitlessTest, TellsOfTurnsWithoutAnExit) {
  if (!has_two_processors()) GTEST_SKIP() << "ONE PROCESSOR";
  Sandbox guest = sandbox(linker_for(engine()), kGuest, Policy().spin(milliseconds(10)));
  for (int i = 0; i < 300 && guest.usage().exitless == 0; ++i) {
    ASSERT_TRUE(guest.call<int32_t>("count"));
  }
  EXPECT_GT(guest.usage().exitless, 0U);
}

// The guest polls for less than entering it takes, where that is slow: the caller waits for both.
TEST_P(ExitlessTest, PollsWhileTheGuestIsEntered) {
  if (!has_two_processors()) GTEST_SKIP() << "ONE PROCESSOR";
  Sandbox guest = sandbox(linker_for(engine()), kGuest, Policy().spin(microseconds(15)));
  const auto count = guest.function<int32_t()>("count").value();
  const auto end = steady_clock::now() + std::chrono::seconds(20);
  while (guest.usage().exitless == 0 && steady_clock::now() < end) {
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(count());
  }
  EXPECT_GT(guest.usage().exitless, 0U);
}

TEST_P(ExitlessTest, IsOffWithoutASecondProcessor) {
  std::thread([&] {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(::sched_getcpu(), &one);
    ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
    Sandbox guest = sandbox(linker_for(engine()), kGuest, spinning());
    for (int32_t i = 1; i < 50; ++i) ASSERT_EQ(guest.call<int32_t>("count").value(), i);
    EXPECT_EQ(guest.usage().exitless, 0U);
  }).join();
}

TEST_P(ExitlessTest, RefusesATimeOutOfItsRange) {
  const Program program = this->program(kGuest);
  const Linker linker = linker_for(engine());
  for (const std::chrono::nanoseconds time : {std::chrono::nanoseconds(-1), {milliseconds(11)}}) {
    const auto made = linker.instantiate(program, Policy().spin(time));
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().kind, ErrorKind::kInvalid);
    EXPECT_THAT(made.error().message, HasSubstr("takes from 0 to 10000000"));
  }
}

TEST_P(ExitlessTest, RunsHostFunctionsOnTheCallersThread) {
  std::thread::id thread;
  Linker linker(engine());
  linker.define("env", "host", [&](int32_t value) {
    thread = std::this_thread::get_id();
    return value;
  });
  Sandbox guest = sandbox(linker, kGuest, spinning());
  for (int i = 0; i < 20; ++i) {
    thread = {};
    ASSERT_TRUE(guest.call<int32_t>("run", i));
    ASSERT_EQ(thread, std::this_thread::get_id());
  }
}

// Also after a pause in which the guest stops polling.
TEST_P(ExitlessTest, LetsAHostFunctionCallBackReadAndGrow) {
  Linker linker(engine());
  linker.define("env", "host", [](Caller& caller, int32_t value) -> int32_t {
    Memory memory = caller.memory().value();
    if (value % 3 == 0) std::this_thread::sleep_for(microseconds(200));
    EXPECT_TRUE(memory.store(16, value));
    if (memory.size_bytes() == 65536) EXPECT_TRUE(memory.grow(1));
    const int32_t sum = caller.call<int32_t>("add", value, 5).value();
    return caller.call<int32_t>("add", sum, memory.load<int32_t>(16).value()).value();
  });
  Sandbox guest = sandbox(linker, kGuest, spinning());
  for (int32_t i = 0; i < 30; ++i) {
    ASSERT_EQ(guest.call<int32_t>("run", i).value(), 1000 * i + 2 * i + 5);
    ASSERT_EQ(guest.call<int32_t>("add", i, i).value(), 2 * i);
  }
  EXPECT_EQ(guest.memory()->size_bytes(), 2 * 65536U);
}

TEST_P(ExitlessTest, IsPoisonedByATrapAndComesBack) {
  Sandbox guest = sandbox(linker_for(engine()), kGuest, spinning());
  for (int round = 0; round < 10; ++round) {
    ASSERT_EQ(guest.call<int32_t>("count").value(), 1);
    ASSERT_EQ(guest.call<int32_t>("grow").value(), 2);
    const auto outcome = guest.call("trap");
    ASSERT_EQ(outcome.kind(), CallOutcome::Kind::kTrapped);
    EXPECT_FALSE(outcome.end().backtrace.empty());
    ASSERT_TRUE(guest.poisoned());
    ASSERT_TRUE(guest.reset());
    ASSERT_EQ(guest.memory()->size_bytes(), 65536U);
  }
}

TEST_P(ExitlessTest, SavesForksAndGoesBack) {
  const Program program = this->program(kGuest);
  const Linker linker = linker_for(engine());
  Sandbox guest = linker.instantiate(program, spinning()).value();
  ASSERT_EQ(guest.call<int32_t>("count").value(), 1);
  const Snapshot one = guest.snapshot().value();
  ASSERT_EQ(guest.call<int32_t>("count").value(), 2);
  const Snapshot two = guest.snapshot().value();
  std::vector<Sandbox> forks;
  for (int i = 0; i < 6; ++i) {
    auto made = linker.instantiate(i % 2 == 0 ? one : two, spinning());
    ASSERT_TRUE(made) << made.error().message;
    forks.push_back(std::move(*made));
  }
  for (size_t i = 0; i < forks.size(); ++i) {
    EXPECT_EQ(forks[i].call<int32_t>("count").value(), i % 2 == 0 ? 2 : 3);
  }
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(guest.restore(i % 2 == 0 ? one : two));
    ASSERT_EQ(guest.call<int32_t>("count").value(), i % 2 == 0 ? 2 : 3);
    ASSERT_EQ(guest.call<int32_t>("count").value(), i % 2 == 0 ? 3 : 4);
  }
}

TEST_P(ExitlessTest, EndsALoopAtItsDeadline) {
  Sandbox guest = sandbox(linker_for(engine()), kGuest, spinning());
  for (const auto deadline : {microseconds(200), microseconds(5000)}) {
    ASSERT_EQ(guest.call<int32_t>("count").value(), 1);
    ASSERT_TRUE(guest.set_deadline(deadline));
    EXPECT_EQ(guest.call("forever").kind(), CallOutcome::Kind::kDeadline);
    ASSERT_TRUE(guest.set_deadline(std::nullopt));
    ASSERT_TRUE(guest.reset());
  }
}

TEST_P(ExitlessTest, EndsAHostFunctionThatAsksForItsStopToken) {
  Linker linker(engine());
  linker.define("env", "host", [](Caller& caller, int32_t value) {
    const auto token = caller.stop_token();
    while (!token.stop_requested()) std::this_thread::yield();
    return value;
  });
  Sandbox guest = sandbox(linker, kGuest, spinning());
  ASSERT_TRUE(guest.set_deadline(milliseconds(10)));
  EXPECT_EQ(guest.call<int32_t>("run", 1).kind(), CallOutcome::Kind::kDeadline);
  ASSERT_TRUE(guest.set_deadline(std::nullopt));
  ASSERT_TRUE(guest.reset());
  EXPECT_EQ(guest.call<int32_t>("count").value(), 1);
}

TEST_P(ExitlessTest, IsInterruptedInItsCallOnly) {
  Sandbox guest = sandbox(linker_for(engine()), kGuest, spinning());
  guest.interrupt();
  for (int round = 0; round < 3; ++round) {
    ASSERT_EQ(guest.call<int32_t>("count").value(), 1);
    std::thread other([&guest] {
      std::this_thread::sleep_for(milliseconds(3));
      guest.interrupt();
    });
    EXPECT_EQ(guest.call("forever").kind(), CallOutcome::Kind::kCancelled);
    other.join();
    ASSERT_TRUE(guest.reset());
  }
}

// A guest's time is measured on its own thread.
TEST_P(ExitlessTest, EndsALoopThatTakesTooMuchOfTheProcessor) {
  Policy policy = spinning();
  policy.limits({.cpu_time_max = milliseconds(20)});
  Sandbox guest = sandbox(linker_for(engine()), kGuest, policy);
  ASSERT_TRUE(guest.call<int32_t>("count"));
  EXPECT_EQ(guest.call("forever").kind(), CallOutcome::Kind::kLimit);
  EXPECT_GE(guest.usage().cpu_time, milliseconds(20));
}

size_t thread_count() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return static_cast<size_t>(std::distance(begin(tasks), end(tasks)));
}

TEST_P(ExitlessTest, ServesManySandboxesOfAPool) {
  const Program program = this->program(kGuest);
  const Linker linker = linker_for(engine());
  {
    Sandbox first = linker.instantiate(program, spinning()).value();  // the engine's threads exist
    ASSERT_TRUE(first.call<int32_t>("count"));
    ASSERT_TRUE(first.set_deadline(milliseconds(500)));
    ASSERT_TRUE(first.call<int32_t>("count"));
  }
  const size_t threads = thread_count();
  {
    const Policy policy = spinning().deadline(std::chrono::seconds(10));
    const Pool pool = Pool::create(linker, program, policy, {.size_max = 8}).value();
    std::atomic<int> good = 0;
    std::vector<std::thread> callers;
    for (int i = 0; i < 4; ++i) {
      callers.emplace_back([&] {
        for (int round = 0; round < 25; ++round) {
          auto guest = pool.acquire();
          if (!guest) continue;
          const auto first = (*guest)->call<int32_t>("count");
          const auto second = (*guest)->call<int32_t>("run", 2);
          if (round % 5 == 0) static_cast<void>((*guest)->call("trap"));
          if (first && *first == 1 && second && *second == 2003) ++good;
        }
      });
    }
    for (std::thread& caller : callers) caller.join();
    EXPECT_EQ(good, 100);
  }
  for (int i = 0; i < 100 && thread_count() > threads; ++i) {
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_LE(thread_count(), threads + 1);  // the timer of calls
}

// Who does not call does not take the processor.
TEST_P(ExitlessTest, SleepsWhenNobodyCalls) {
  std::vector<Sandbox> guests;
  const Program program = this->program(kGuest);
  for (int i = 0; i < 6; ++i) {
    guests.push_back(linker_for(engine()).instantiate(program, spinning()).value());
    ASSERT_TRUE(guests.back().call<int32_t>("count"));
  }
  std::this_thread::sleep_for(milliseconds(5));
  timespec before{};
  timespec after{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
  std::this_thread::sleep_for(milliseconds(60));
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
  const auto took = std::chrono::seconds(after.tv_sec - before.tv_sec) +
                    std::chrono::nanoseconds(after.tv_nsec - before.tv_nsec);
  EXPECT_LT(took, milliseconds(20));
}

}  // namespace
}  // namespace mayfly
