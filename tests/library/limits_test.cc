// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every field of Limits: what is refused, and how a call ends that reaches one.
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>

#include <atomic>
#include <cstddef>
#include <filesystem>
#include <thread>

#include "library_test.h"

namespace mayfly {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;
using Kind = CallOutcome::Kind;

std::chrono::nanoseconds processor_time() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

class LimitsTest : public LibraryTest {
 protected:
  std::string refusal(const std::string& text, const Policy& policy) {
    const auto made = Linker(engine()).instantiate(program(text), policy);
    EXPECT_FALSE(made);
    return made ? "" : made.error().message;
  }
};
MAYFLY_ON_EACH_DRIVER(LimitsTest);

constexpr char kGuest[] = R"((module
  (memory (export "memory") 2 100)
  (table $t 5 5000 funcref)
  (func (export "nothing"))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "grow_table") (param i32) (result i32)
    (table.grow $t (ref.null func) (local.get 0)))
  (func $deep (export "deep") (param i32) (result i32)
    (if (result i32) (local.get 0)
      (then (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 1)))))
      (else (i32.const 0))))
  (func (export "count") (param i32) (result i32) (local i32)
    (loop $l
      (local.set 1 (i32.add (local.get 1) (i32.const 1)))
      (br_if $l (i32.lt_u (local.get 1) (local.get 0))))
    (local.get 1))
  (func (export "forever") (loop br 0))))";

TEST_P(LimitsTest, RefusesWhatIsOutOfRange) {
  const auto refused = [&](const Limits& limits) {
    return refusal(kGuest, Policy().limits(limits));
  };
  EXPECT_THAT(refused({.memory_bytes_max = 65535}),
              HasSubstr("memory_bytes_max is 65535, but has to be from 65536 to 70368744177664"));
  EXPECT_THAT(refused({.stack_bytes = 0}), HasSubstr("stack_bytes is 0"));
  EXPECT_THAT(refused({.instances_max = 0}), HasSubstr("instances_max is 0"));
  EXPECT_THAT(refused({.call_depth_max = 1001}), HasSubstr("call_depth_max is 1001"));
  EXPECT_THAT(refused({.open_handles_max = 2}), HasSubstr("open_handles_max is 2"));
  EXPECT_THAT(refused({.deadline = 0ns}), HasSubstr("deadline is 0 ns, but has to be over 0"));
  EXPECT_THAT(refused({.cpu_time_max = -5ns}), HasSubstr("cpu_time_max is -5 ns"));
  EXPECT_THAT(refused({.fuel = 0}), HasSubstr("fuel is 0, but has to be from 1"));
}

TEST_P(LimitsTest, RefusesWhatTheProgramDoesNotFitInto) {
  EXPECT_EQ(refusal(kGuest, Policy().limits({.memory_bytes_max = 131'072})),
            "the program starts with 131112 bytes of memory, past the limit of 131072");
  EXPECT_EQ(refusal(kGuest, Policy().limits({.table_entries_max = 4})),
            "the program starts with 5 table entries, past the limit of 4");
  EXPECT_EQ(refusal(kGuest, Policy().limits({.fuel = 100})),
            "Limits::fuel is 100, but the program was compiled to count none: set "
            "EngineOptions::count_fuel");
  Linker linker(engine());
  linker.link("first", program("(module)"));
  const auto made = linker.instantiate(program("(module)"), Policy().limits({.instances_max = 1}));
  EXPECT_EQ(made.error().message, "the program has 2 instances, past the limit of 1");
}

TEST_P(LimitsTest, FailsGrowthPastAMaximum) {
  Sandbox guest =
      sandbox(kGuest, Policy().limits({.memory_bytes_max = 4 * 65536, .table_entries_max = 1000}));
  EXPECT_EQ(guest.call<int32_t>("grow_table", 1100).value(), -1);
  EXPECT_EQ(guest.call<int32_t>("grow_table", 900).value(), 5);
  EXPECT_EQ(guest.call<int32_t>("grow_table", 200).value(), -1);
  EXPECT_EQ(guest.call<int32_t>("grow", 2).value(), -1);  // the table takes some
  EXPECT_EQ(guest.call<int32_t>("grow", 1).value(), 2);
  EXPECT_EQ(guest.usage().memory_bytes_peak, guest.usage().memory_bytes);
}

TEST_P(LimitsTest, BoundsTheStack) {
  Sandbox small = sandbox(kGuest, Policy().limits({.stack_bytes = 65536}));
  EXPECT_EQ(small.call<int32_t>("deep", 100).value(), 100);
  EXPECT_EQ(small.call<int32_t>("deep", 20'000).message(), "trap: call stack exhausted");
  Sandbox large = sandbox(kGuest);
  EXPECT_EQ(large.call<int32_t>("deep", 20'000).value(), 20'000);
}

TEST_P(LimitsTest, NamesTheDeadlineThatEndedACall) {
  Sandbox guest = sandbox(kGuest);
  ASSERT_TRUE(guest.set_deadline(1500us));
  EXPECT_EQ(guest.call("forever").message(), "deadline: the call was not over after 1500 us");
}

TEST_P(LimitsTest, EndsACallThatTakesTooMuchOfTheProcessor) {
  Sandbox guest = sandbox(kGuest, Policy().limits({.cpu_time_max = 20ms}));
  for (int i = 0; i < 3; ++i) {
    const auto outcome = guest.call("forever");
    EXPECT_EQ(outcome.kind(), Kind::kLimit);
    EXPECT_EQ(outcome.message(), "limit: the call took more than 20 ms of the processor's time");
    ASSERT_TRUE(guest.reset());
    EXPECT_TRUE(guest.call("nothing"));
  }
  EXPECT_GE(guest.usage().cpu_time, 60ms);
  EXPECT_LT(guest.usage().cpu_time, 200ms);
}

TEST_P(LimitsTest, CountsNoTimeInWhichTheProcessorIsFree) {
  Linker linker(engine());
  linker.define("env", "sleep", [] { std::this_thread::sleep_for(40ms); });
  linker.define("env", "work", [] {
    // Of the processor: on a busy machine as much of the wall's time may have little of it.
    const auto end = processor_time() + 40ms;
    while (processor_time() < end) {
    }
  });
  constexpr char kHosts[] = R"((module
    (import "env" "sleep" (func $sleep)) (import "env" "work" (func $work))
    (func (export "sleep") (call $sleep) (call $sleep))
    (func (export "work") (call $work) (call $work) (call $work) (call $work) (call $work))))";
  Sandbox guest = sandbox(linker, kHosts, Policy().limits({.cpu_time_max = 30ms}));
  EXPECT_TRUE(guest.call("sleep"));
  EXPECT_EQ(guest.call("work").kind(), Kind::kLimit);
}

// A call that is refused takes no time, whatever was measured before it.
TEST_P(LimitsTest, CountsNoTimeForARefusedCall) {
  Sandbox guest = sandbox(kGuest, Policy().measure_cpu_time(true));
  ASSERT_TRUE(guest.set_deadline(2ms));
  EXPECT_EQ(guest.call("forever").kind(), Kind::kDeadline);
  const auto before = guest.usage().cpu_time;
  EXPECT_GT(before, 0ns);
  const auto end = std::chrono::steady_clock::now() + 20ms;
  while (std::chrono::steady_clock::now() < end) {
  }
  EXPECT_EQ(guest.call("nothing").kind(), Kind::kHostError);
  EXPECT_EQ(guest.usage().cpu_time, before);
}

constexpr char kWriter[] = R"((module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "write") (param $bytes i32) (result i32)
    (i32.store (i32.const 0) (i32.const 100))
    (i32.store (i32.const 4) (local.get $bytes))
    (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
  (func (export "write_twice") (param $bytes i32) (result i32)
    (i32.store (i32.const 0) (i32.const 100))
    (i32.store (i32.const 4) (local.get $bytes))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
    (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))";

TEST_P(LimitsTest, EndsACallThatWritesTooMuch) {
  const auto output = temporary_file();
  const int file = ::fileno(output.get());
  Sandbox guest = sandbox(kWriter, Policy().stdio(-1, file, -1).limits({.output_bytes_max = 100}));
  EXPECT_EQ(guest.call<int32_t>("write_twice", 50).value(), 0);
  EXPECT_EQ(guest.call<int32_t>("write", 100).value(), 0);
  const auto outcome = guest.call<int32_t>("write_twice", 60);
  EXPECT_EQ(outcome.kind(), Kind::kLimit);
  EXPECT_EQ(outcome.message(), "limit: the call writes more than 100 bytes");
  EXPECT_TRUE(guest.poisoned());
  EXPECT_EQ(::lseek(file, 0, SEEK_END), 260);  // what did not fit was not written
  EXPECT_EQ(guest.usage().bytes_out, 260U);
  ASSERT_TRUE(guest.reset());
  EXPECT_EQ(guest.call<int32_t>("write", 100).value(), 0);
  Sandbox silent = sandbox(kWriter, Policy().stdio(-1, file, -1).limits({.output_bytes_max = 0}));
  EXPECT_EQ(silent.call<int32_t>("write", 1).kind(), Kind::kLimit);
}

// Appends to the file "f" of its directory, and says with which errno that ended.
constexpr char kAppender[] = R"((module
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "f")
  (func (export "append") (param $bytes i32) (result i32) (local $error i32)
    (drop (call $open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 1)
                      (i64.const 64) (i64.const 0) (i32.const 1) (i32.const 16)))
    (i32.store (i32.const 0) (i32.const 100))
    (i32.store (i32.const 4) (local.get $bytes))
    (local.set $error
      (call $write (i32.load (i32.const 16)) (i32.const 0) (i32.const 1) (i32.const 8)))
    (drop (call $close (i32.load (i32.const 16))))
    (local.get $error))))";

TEST_P(LimitsTest, BoundsWhatIsAddedToFiles) {
  constexpr int32_t kDQuot = 19;
  std::string folder = testing::TempDir() + "/limits-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const auto policy = Policy().preopen(folder, "/").limits({.file_bytes_max = 100});
  {
    Sandbox guest = sandbox(kAppender, policy);
    EXPECT_EQ(guest.call<int32_t>("append", 60).value(), 0);
    EXPECT_EQ(guest.call<int32_t>("append", 60).value(), 0);  // 40 of them, as write() does
    EXPECT_EQ(guest.call<int32_t>("append", 1).value(), kDQuot);
    EXPECT_EQ(std::filesystem::file_size(folder + "/f"), 100U);
    // Whoever gets it next has all of it again.
    ASSERT_TRUE(guest.reset());
    EXPECT_EQ(guest.call<int32_t>("append", 90).value(), 0);
    EXPECT_EQ(std::filesystem::file_size(folder + "/f"), 190U);
  }
  std::filesystem::remove_all(folder);
}

TEST_P(LimitsTest, BoundsOpenHandles) {
  const std::string folder = testing::TempDir();
  EXPECT_EQ(refusal(kWriter, Policy().preopen(folder, "/").limits({.open_handles_max = 3})),
            "4 preopened files are more than the limit of 3");
}

// Each driver counts alike, so the numbers stand here once.
TEST_P(LimitsTest, BoundsFuel) {
  const auto counting = Engine::create(
      {.driver = GetParam(), .optimize = Optimize::kFast, .use_cache = false, .count_fuel = true});
  ASSERT_TRUE(counting) << counting.error().message;
  const auto loaded = counting->load(wasm_of(kGuest));
  ASSERT_TRUE(loaded);
  auto made = Linker(*counting).instantiate(*loaded, Policy().limits({.fuel = 1000}));
  ASSERT_TRUE(made) << made.error().message;
  Sandbox guest = std::move(*made);
  EXPECT_EQ(guest.call<int32_t>("count", 100).value(), 100);
  const auto left = guest.fuel_left();
  ASSERT_TRUE(left);
  EXPECT_EQ(1000 - *left, 300);  // an add, a comparison and a branch for each
  EXPECT_EQ(guest.call<int32_t>("count", 300).value(), 300);
  const auto outcome = guest.call<int32_t>("count", 1000);
  EXPECT_EQ(outcome.kind(), Kind::kFuel);
  EXPECT_EQ(outcome.message(), "out of fuel: the call used more than 1000 units");
  ASSERT_TRUE(guest.reset());
  ASSERT_TRUE(guest.set_fuel(3000));
  EXPECT_EQ(guest.call<int32_t>("count", 999).value(), 999);
  ASSERT_TRUE(guest.set_fuel(std::nullopt));
  EXPECT_EQ(guest.call<int32_t>("count", 100'000).value(), 100'000);
  EXPECT_EQ(guest.fuel_left(), std::nullopt);
  EXPECT_EQ(guest.set_fuel(0).error().message,
            "Limits::fuel is 0, but has to be from 1 to 9223372036854775807");
}

// What the guest calls, and what that calls, is of the same fuel.
TEST_P(LimitsTest, BoundsTheFuelOfCallsInsideACall) {
  const auto counting = Engine::create(
      {.driver = GetParam(), .optimize = Optimize::kFast, .use_cache = false, .count_fuel = true});
  ASSERT_TRUE(counting) << counting.error().message;
  const auto loaded = counting->load(wasm_of(R"((module
    (import "env" "back" (func $back))
    (func (export "inner") (param i32) (loop $l
      (local.tee 0 (i32.sub (local.get 0) (i32.const 1))) (br_if $l)))
    (func (export "outer") (call $back) (call $back))))"));
  ASSERT_TRUE(loaded);
  Linker linker(*counting);
  linker.define("env", "back",
                [](Caller& caller) { static_cast<void>(caller.call<void>("inner", 100)); });
  auto guest = linker.instantiate(*loaded, Policy().limits({.fuel = 500}));
  ASSERT_TRUE(guest) << guest.error().message;
  EXPECT_TRUE(guest->call("outer"));
  EXPECT_EQ(500 - guest->fuel_left().value(), 402);
  ASSERT_TRUE(guest->set_fuel(300));
  EXPECT_EQ(guest->call("outer").kind(), Kind::kFuel);
}

constexpr char kToucher[] = R"((module
  (memory (export "memory") 64 100)
  (func (export "touch") (param i32) (result i32)
    (i32.store (local.get 0) (i32.const 7)) (i32.load (local.get 0)))))";

// Lets the kernel refuse this thread every page that it asks for ahead.
void refuse_population() {
  constexpr uint32_t kPopulateWrite = 23;
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_madvise, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[2])),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kPopulateWrite, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOMEM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter = {std::size(code), code};
  ASSERT_EQ(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
  ASSERT_EQ(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter), 0);
}

// Cuts every file that holds a growing region: an access to what is gone finds no page.
void cut_guest_files() {
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const std::string target = std::filesystem::read_symlink(entry.path(), gone);
    if (target.find("mayfly-guest-region") == std::string::npos) continue;
    ASSERT_EQ(::ftruncate(std::stoi(entry.path().filename()), 65536), 0);
  }
}

TEST_P(LimitsTest, EndsACallWhenTheHostHasNoMemoryForIt) {
  Sandbox guest = sandbox(kToucher);
  EXPECT_EQ(guest.call<int32_t>("touch", 0).value(), 7);
  std::thread([&] {
    if (GetParam() == Driver::kKvm) refuse_population();
    if (GetParam() == Driver::kProcess) cut_guest_files();
    const auto outcome = guest.call<int32_t>("touch", 3'000'000);
    EXPECT_EQ(outcome.kind(), Kind::kOutOfMemory) << outcome.message();
    EXPECT_THAT(outcome.message(), HasSubstr("out of memory: "));
    EXPECT_TRUE(guest.poisoned());
  }).join();
  if (GetParam() == Driver::kProcess) return;  // its file stays cut
  ASSERT_TRUE(guest.reset());
  EXPECT_EQ(guest.call<int32_t>("touch", 3'000'000).value(), 7);
}

// An interruption of one call reaches neither the next nor a machine that is being put back.
TEST_P(LimitsTest, InterruptsNoOtherCallThanTheOneInProgress) {
  Sandbox guest = sandbox(kGuest);
  std::atomic<bool> may_interrupt = false;
  std::atomic<bool> is_interrupting = false;
  std::atomic<bool> is_done = false;
  std::thread other([&] {
    while (!is_done) {
      is_interrupting = true;
      if (may_interrupt) guest.interrupt();
      is_interrupting = false;
    }
  });
  for (int i = 0; i < 100; ++i) {
    may_interrupt = true;
    EXPECT_EQ(guest.call("forever").kind(), Kind::kCancelled);
    EXPECT_TRUE(guest.reset());
    may_interrupt = false;
    while (is_interrupting) std::this_thread::yield();
    EXPECT_TRUE(guest.call("nothing"));
  }
  is_done = true;
  other.join();
}

}  // namespace
}  // namespace mayfly
