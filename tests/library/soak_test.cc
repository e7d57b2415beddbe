// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Many acquire-call-reset cycles in which calls end in every way. Nothing may leak, no sandbox may
// come back as its last owner left it, and no owner may see what another wrote.
// MAYFLY_SOAK_CYCLES says how many (`./dev soak 1000000`).
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <random>
#include <thread>

#include "held.h"
#include "library_test.h"

namespace mayfly {
namespace {

using namespace std::chrono_literals;
using Kind = CallOutcome::Kind;

class SoakTest : public LibraryTest {};
MAYFLY_ON_EACH_DRIVER(SoakTest);

constexpr int kThreads = 2;
constexpr size_t kSandboxes = 3;

constexpr char kGuest[] = R"((module
  (import "env" "host" (func $host (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 4 64)
  (table $t 4 2000 externref)
  (global $token (mut i64) (i64.const 0))
  (func (export "write") (param i64)
    (global.set $token (local.get 0))
    (i64.store (i32.const 16) (local.get 0))
    (i64.store (i32.const 70000) (local.get 0))
    (i64.store (i32.const 262136) (local.get 0)))
  (func (export "read") (result i64 i64 i64 i64)
    (global.get $token) (i64.load (i32.const 16)) (i64.load (i32.const 70000))
    (i64.load (i32.const 262136)))
  (func (export "sizes") (result i32 i32) (memory.size) (table.size $t))
  (func (export "trap") unreachable)
  (func (export "outside") (drop (i32.load (i32.const -4))))
  (func (export "forever") (loop br 0))
  (func (export "exit") (call $exit (i32.const 3)))
  (func (export "grow") (param i64)
    (drop (table.grow $t (ref.null extern) (i32.const 1000)))
    (drop (memory.grow (i32.const 3)))
    (i64.store (i32.const 262144) (local.get 0))
    (i64.store (i32.const 458744) (local.get 0)))
  (func (export "past") (result i64 i64)
    (drop (memory.grow (i32.const 3)))
    (i64.load (i32.const 262144)) (i64.load (i32.const 458744)))
  (func (export "host") (param i32) (result i32) (call $host (local.get 0)))))";

enum class Step : int {
  kPlain,
  kTrap,
  kOutside,
  kDeadline,
  kInterrupt,
  kExit,
  kGrow,
  kHost,
  kHostError,
  kCallBack
};
constexpr int kSteps = 10;

// Interrupts whatever its sandboxes are doing, all the time.
class Interrupter {
 public:
  Interrupter() : thread_([this] { work(); }) {}
  ~Interrupter() {
    stopping_ = true;
    thread_.join();
  }
  void set(size_t place, const Sandbox* sandbox) {
    const std::lock_guard lock(mutex_);
    sandboxes_[place] = sandbox;
  }

 private:
  void work() {
    while (!stopping_) {
      {
        const std::lock_guard lock(mutex_);
        for (const Sandbox* sandbox : sandboxes_) {
          if (sandbox != nullptr) sandbox->interrupt();
        }
      }
      std::this_thread::sleep_for(100us);
    }
  }
  std::mutex mutex_;
  std::array<const Sandbox*, kThreads> sandboxes_{};
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

void expect_fresh(Sandbox& guest) {
  using Sizes = std::tuple<int32_t, int32_t>;
  using Tokens = std::tuple<int64_t, int64_t, int64_t, int64_t>;
  ASSERT_FALSE(guest.poisoned());
  ASSERT_EQ(guest.call<Sizes>("sizes").value(), Sizes(4, 4));
  ASSERT_EQ(guest.call<Tokens>("read").value(), Tokens(0, 0, 0, 0));
}

void expect_token(Sandbox& guest, int64_t token) {
  using Tokens = std::tuple<int64_t, int64_t, int64_t, int64_t>;
  ASSERT_EQ(guest.call<Tokens>("read").value(), Tokens(token, token, token, token));
  ASSERT_EQ(guest.memory().value().load<uint64_t>(70000).value(), static_cast<uint64_t>(token));
}

Kind run_step(Step step, Sandbox& guest, int64_t token) {
  switch (step) {
    case Step::kTrap:
      return guest.call("trap").kind();
    case Step::kOutside:
      return guest.call("outside").kind();
    case Step::kDeadline:
      EXPECT_TRUE(guest.set_deadline(300us));
      return guest.call("forever").kind();
    case Step::kExit:
      return guest.call("exit").kind();
    case Step::kGrow:
      return guest.call("grow", token).kind();
    case Step::kHost:
      return guest.call<int32_t>("host", 1).kind();
    case Step::kHostError:
      return guest.call<int32_t>("host", 2).kind();
    case Step::kCallBack:
      return guest.call<int32_t>("host", 3).kind();
    case Step::kInterrupt:
      return guest.call("forever").kind();
    case Step::kPlain:
      break;
  }
  return Kind::kReturned;
}

Kind end_of(Step step) {
  switch (step) {
    case Step::kTrap:
    case Step::kOutside:
    case Step::kHostError:
      return Kind::kTrapped;
    case Step::kDeadline:
      return Kind::kDeadline;
    case Step::kInterrupt:
      return Kind::kCancelled;
    case Step::kExit:
      return Kind::kExited;
    default:
      return Kind::kReturned;
  }
}

void cycle(const Pool& pool, Step step, int64_t token, size_t place, Interrupter& interrupter) {
  auto held = pool.acquire(60s);
  ASSERT_TRUE(held) << held.error().message;
  Sandbox& guest = **held;
  expect_fresh(guest);
  // Memory that a call of an earlier owner grew comes back as zeros.
  if (token % 3 == 0) {
    ASSERT_EQ((guest.call<std::tuple<int64_t, int64_t>>("past").value()),
              (std::tuple<int64_t, int64_t>(0, 0)));
  }
  ASSERT_TRUE(guest.call("write", token));
  if (token % 32 == 0) {
    ASSERT_TRUE(guest.freeze());
  }
  if (step == Step::kInterrupt) interrupter.set(place, &guest);
  const Kind kind = run_step(step, guest, token);
  if (step == Step::kInterrupt) interrupter.set(place, nullptr);
  ASSERT_EQ(kind, end_of(step)) << "step " << static_cast<int>(step);
  if (kind == Kind::kReturned) {
    expect_token(guest, token);
  } else {
    ASSERT_TRUE(guest.poisoned());
    ASSERT_EQ(guest.call("write", token).kind(), Kind::kHostError);
  }
}

TEST_P(SoakTest, LeavesNothingBehind) {
  const char* const wanted = std::getenv("MAYFLY_SOAK_CYCLES");
  const int64_t cycles = wanted == nullptr ? 20'000 : std::strtoll(wanted, nullptr, 10);
  Linker linker(engine());
  linker.define("env", "host", [](Caller& caller, int32_t what) -> Result<int32_t> {
    if (what == 2) return Error{ErrorKind::kInvalid, "as asked", 0};
    if (what == 3) return static_cast<int32_t>(caller.call<int32_t>("host", 1).value());
    return what;
  });
  auto pool = Pool::create(linker, program(kGuest), Policy().deadline(20s),
                           {.size_min = kSandboxes, .size_max = kSandboxes});
  ASSERT_TRUE(pool) << pool.error().message;
  Interrupter interrupter;
  std::atomic<int64_t> next = 1;
  const auto run_to = [&](int64_t end) {
    std::vector<std::thread> threads;
    threads.reserve(kThreads);
    for (size_t place = 0; place < kThreads; ++place) {
      threads.emplace_back([&, place] {
        std::mt19937_64 random(place + 1);
        for (int64_t token = 0; (token = next++) <= end && !HasFatalFailure();) {
          cycle(*pool, static_cast<Step>(random() % kSteps), token, place, interrupter);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  };
  run_to(cycles / 4);
  ASSERT_FALSE(HasFatalFailure());
  const Held before = Held::now();
  run_to(cycles);
  const Held after = Held::now();
  EXPECT_EQ(after.threads, before.threads);
  EXPECT_LE(after.descriptors, before.descriptors + kSandboxes);  // one may be between two children
#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
  EXPECT_LE(after.resident_bytes, before.resident_bytes + (uint64_t{4} << 20));
#endif
  EXPECT_EQ(pool->usage().in_use, 0U);
  EXPECT_EQ(pool->usage().idle, kSandboxes);
  RecordProperty("resident_bytes_before", std::to_string(before.resident_bytes));
  RecordProperty("resident_bytes_after", std::to_string(after.resident_bytes));
}

// What an owner set for himself is not the next one's.
TEST_P(SoakTest, GivesEachOwnerTheLimitsOfThePool) {
  Linker linker(engine());
  linker.define("env", "host", [](int32_t what) { return what; });
  auto pool = Pool::create(linker, program(kGuest), Policy().deadline(20ms),
                           {.size_min = 1, .size_max = 1});
  ASSERT_TRUE(pool) << pool.error().message;
  {
    auto first = pool->acquire();
    ASSERT_TRUE(first);
    ASSERT_TRUE((*first)->set_deadline(std::chrono::hours(1)));
  }
  auto second = pool->acquire();
  ASSERT_TRUE(second);
  EXPECT_EQ((*second)->call("forever").kind(), Kind::kDeadline);
}

}  // namespace
}  // namespace mayfly
