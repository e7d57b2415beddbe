// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Deadlines, interruptions, and host functions that hang or call back.
#include <atomic>
#include <thread>

#include "library_test.h"

namespace mayfly {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::HasSubstr;

class TimeTest : public LibraryTest {};
MAYFLY_ON_EACH_DRIVER(TimeTest);

constexpr const char* kCaller = R"((module
  (import "env" "host" (func $host (param i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "run") (param i32) (result i32)
    (local $kept i64)
    (local.set $kept (i64.extend_i32_s (i32.mul (local.get 0) (i32.const 1000))))
    (i32.add (call $host (local.get 0)) (i32.wrap_i64 (local.get $kept))))
  (func (export "plain") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
  (func (export "trap") (param i32) (result i32) unreachable)
  (func (export "forever") (param i32) (result i32) (loop br 0) (i32.const 0))))";

TEST_P(TimeTest, LetsAHostFunctionCallBack) {
  Linker linker(engine());
  linker.define("env", "host", [](Caller& caller, int32_t value) -> int32_t {
    return caller.call<int32_t>("plain", value).value() * 2;
  });
  Sandbox guest = sandbox(linker, kCaller);
  EXPECT_EQ(guest.call<int32_t>("run", 3).value(), 3008);
  EXPECT_EQ(guest.call<int32_t>("run", 4).value(), 4010);
}

TEST_P(TimeTest, CallsInsideCallsKeepWhatTheOuterOnesHold) {
  Linker linker(engine());
  linker.define("env", "host", [](Caller& caller, int32_t value) -> int32_t {
    return value == 0 ? 0 : caller.call<int32_t>("run", value - 1).value();
  });
  Sandbox guest = sandbox(linker, kCaller);
  EXPECT_EQ(guest.call<int32_t>("run", 5).value(), 15'000);
}

TEST_P(TimeTest, BoundsTheDepthOfCallsInsideCalls) {
  Linker linker(engine());
  std::string message;
  int depth = 0;
  linker.define("env", "host", [&](Caller& caller, int32_t value) -> int32_t {
    ++depth;
    const auto inner = caller.call<int32_t>("run", value);
    if (!inner) message = inner.message();
    return inner ? *inner : 7;
  });
  Sandbox guest = sandbox(linker, kCaller, Policy().limits({.call_depth_max = 3}));
  EXPECT_EQ(guest.call<int32_t>("run", 0).value(), 7);
  EXPECT_EQ(message, "the call would be 4 calls deep, past the limit of 3");
  EXPECT_EQ(depth, 3);
}

TEST_P(TimeTest, EndsTheOuterCallAsTheInnerOneEnded) {
  Linker linker(engine());
  linker.define("env", "host", [](Caller& caller, int32_t value) -> int32_t {
    EXPECT_FALSE(caller.call<int32_t>("trap", value));
    EXPECT_EQ(caller.call<int32_t>("plain", value).kind(), CallOutcome::Kind::kHostError);
    return 1;
  });
  Sandbox guest = sandbox(linker, kCaller);
  EXPECT_EQ(guest.call<int32_t>("run", 3).message(), "trap: unreachable");
  EXPECT_TRUE(guest.poisoned());
}

TEST_P(TimeTest, EndsACallInsideACallAtTheDeadline) {
  Linker linker(engine());
  linker.define("env", "host", [](Caller& caller, int32_t value) -> int32_t {
    return caller.call<int32_t>("forever", value) ? 1 : 2;
  });
  Sandbox guest = sandbox(linker, kCaller, Policy().deadline(milliseconds(20)));
  EXPECT_EQ(guest.call<int32_t>("run", 3).kind(), CallOutcome::Kind::kDeadline);
}

TEST_P(TimeTest, AsksAHostFunctionToStopAtTheDeadline) {
  Linker linker(engine());
  linker.define("env", "host", [](Caller& caller, int32_t value) {
    EXPECT_TRUE(caller.deadline());
    const std::stop_token stop = caller.stop_token();
    while (!stop.stop_requested()) std::this_thread::sleep_for(milliseconds(1));
    return value;
  });
  Sandbox guest = sandbox(linker, kCaller, Policy().deadline(milliseconds(20)));
  EXPECT_EQ(guest.call<int32_t>("run", 3).kind(), CallOutcome::Kind::kDeadline);
}

TEST_P(TimeTest, LeavesABlockingFunctionBehindAtTheDeadline) {
  std::atomic<bool> may_end = false;
  std::atomic<bool> has_ended = false;
  Linker linker(engine());
  linker.define_blocking("env", "host", [&](int32_t value) {
    while (!may_end) std::this_thread::sleep_for(milliseconds(1));
    has_ended = true;
    return value;
  });
  Sandbox guest = sandbox(linker, kCaller, Policy().deadline(milliseconds(20)));
  EXPECT_EQ(guest.call<int32_t>("run", 3).kind(), CallOutcome::Kind::kDeadline);
  EXPECT_FALSE(has_ended);
  may_end = true;
  while (!has_ended) std::this_thread::sleep_for(milliseconds(1));
}

TEST_P(TimeTest, AnswersWhatABlockingFunctionReturns) {
  Linker linker(engine());
  linker.define_blocking("env", "host", [](int32_t value) -> Result<int32_t> {
    if (value == 9) return Error{ErrorKind::kInvalid, "not nine", 0};
    return value + 1;
  });
  Sandbox guest = sandbox(linker, kCaller);
  EXPECT_EQ(guest.call<int32_t>("run", 1).value(), 1002);
  EXPECT_EQ(guest.call<int32_t>("run", 9).message(), "trap: host error: not nine");
}

TEST_P(TimeTest, IsInterruptedByAnotherThread) {
  Linker linker(engine());
  linker.define("env", "host", [](int32_t value) { return value; });
  Sandbox guest = sandbox(linker, kCaller);
  guest.interrupt();
  EXPECT_EQ(guest.call<int32_t>("run", 1).value(), 1001);
  std::atomic<bool> is_done = false;
  std::thread other([&] {
    while (!is_done) {
      guest.interrupt();
      std::this_thread::sleep_for(milliseconds(1));
    }
  });
  EXPECT_EQ(guest.call<int32_t>("forever", 1).kind(), CallOutcome::Kind::kCancelled);
  is_done = true;
  other.join();
}

TEST_P(TimeTest, StopsAHostFunctionThatIsInterrupted) {
  std::atomic<bool> is_inside = false;
  Linker linker(engine());
  linker.define("env", "host", [&](Caller& caller, int32_t value) {
    const std::stop_token stop = caller.stop_token();
    is_inside = true;
    while (!stop.stop_requested()) std::this_thread::sleep_for(milliseconds(1));
    return value;
  });
  Sandbox guest = sandbox(linker, kCaller);
  std::thread other([&] {
    while (!is_inside) std::this_thread::sleep_for(milliseconds(1));
    guest.interrupt();
  });
  EXPECT_EQ(guest.call<int32_t>("run", 1).kind(), CallOutcome::Kind::kCancelled);
  other.join();
}

TEST_P(TimeTest, RefusesASecondThreadDuringACall) {
  std::string message;
  Linker linker(engine());
  Sandbox* running = nullptr;
  linker.define("env", "host", [&](int32_t value) {
    std::thread([&] { message = running->call<int32_t>("plain", 1).message(); }).join();
    return value;
  });
  Sandbox guest = sandbox(linker, kCaller);
  running = &guest;
  EXPECT_EQ(guest.call<int32_t>("run", 1).value(), 1001);
  EXPECT_EQ(message, "the sandbox is in a call on another thread");
}

TEST_P(TimeTest, BoundsTheHostCallsOfOneCall) {
  Linker linker(engine());
  linker.define("env", "host", [](int32_t value) { return value; });
  Sandbox guest = sandbox(linker, kCaller, Policy().limits({.host_calls_max = 1}));
  EXPECT_TRUE(guest.call<int32_t>("run", 1));
  EXPECT_TRUE(guest.call<int32_t>("run", 1));
  Sandbox none = sandbox(linker, kCaller, Policy().limits({.host_calls_max = 0}));
  EXPECT_THAT(none.call<int32_t>("run", 1).message(), HasSubstr("more than 0 host calls"));
}

TEST_P(TimeTest, CountsWhatHappened) {
  const auto count = [&](std::string_view name) {
    for (const Counter& counter : engine().counters()) {
      if (counter.name == name) return counter.value;
    }
    return UINT64_MAX;
  };
  const uint64_t before = count("traps.unreachable");
  Linker linker(engine());
  linker.define("env", "host", [](int32_t value) { return value; });
  Sandbox guest = sandbox(linker, kCaller, Policy().measure_cpu_time(true));
  EXPECT_TRUE(guest.call<int32_t>("run", 1));
  EXPECT_FALSE(guest.call<int32_t>("trap", 1));
  EXPECT_EQ(count("traps.unreachable"), before + 1);
  EXPECT_GT(guest.usage().cpu_time.count(), 0);
  EXPECT_EQ(guest.usage().memory_bytes, 65536U);
  EXPECT_GT(guest.usage().exits, 2U);
}

}  // namespace
}  // namespace mayfly
