// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Frozen sandboxes: what they give back, that nobody sees a difference, and what is refused.
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "library_test.h"

namespace mayfly {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class FreezeTest : public LibraryTest {};
MAYFLY_ON_EACH_DRIVER(FreezeTest);

// Its memory starts with bytes that are other than zero, in the pages 0 and 15.
constexpr char kGuest[] = R"((module
  (memory (export "memory") 20 64)
  (data (i32.const 8) "from the module")
  (data (i32.const 61440) "and its last page")
  (global $n (export "n") (mut i64) (i64.const 7))
  (table $t (export "t") 4 100 funcref)
  (func $f (export "f") (result i32) (i32.const 42))
  (elem (i32.const 0) $f)
  (func (export "fill") (param i32 i32 i32)
    (memory.fill (local.get 0) (local.get 1) (local.get 2)))
  (func (export "change")
    (global.set $n (i64.const -5))
    (table.set $t (i32.const 3) (table.get $t (i32.const 0)))
    (drop (table.grow $t (table.get $t (i32.const 0)) (i32.const 30)))
    (drop (memory.grow (i32.const 2)))
    (i64.store (i32.const 1400000) (i64.const 0x1234567890)))
  (func (export "through") (result i32)
    (drop (call_indirect $t (result i32) (i32.const 33)))
    (call_indirect $t (result i32) (i32.const 3)))
  (func (export "trap") unreachable)))";

std::vector<uint8_t> all_of(Sandbox& guest) {
  Memory memory = guest.memory().value();
  return memory.read_bytes(0, memory.size_bytes()).value();
}

// Bytes of memory that this process and its guests hold: anonymous pages, and files of memory.
uint64_t held_bytes() {
  uint64_t held = 0;
  std::ifstream rollup("/proc/self/smaps_rollup");
  for (std::string word; rollup >> word;) {
    uint64_t kib = 0;
    if (word == "Anonymous:" && rollup >> kib) held += kib << 10;
  }
  std::set<ino_t> seen;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    const std::string name = entry.path().filename();
    int file = -1;
    std::from_chars(name.data(), name.data() + name.size(), file);
    struct stat status{};
    std::error_code error;
    const auto target = std::filesystem::read_symlink(entry.path(), error);
    if (error || !target.string().starts_with("/memfd:") || ::fstat(file, &status) != 0) continue;
    constexpr uint64_t kBlockBytes = 512;
    if (seen.insert(status.st_ino).second) {
      held += static_cast<uint64_t>(status.st_blocks) * kBlockBytes;
    }
  }
  return held;
}

TEST_P(FreezeTest, GivesBackAllButTheDifference) {
  constexpr int kCount = 100;
  constexpr int kMiB = 1 << 20;
  const Linker linker(engine());
  Sandbox first = sandbox(linker, kGuest);
  const Snapshot start = first.snapshot().value();
  std::vector<Sandbox> guests;
  const uint64_t before = held_bytes();
  for (int i = 0; i < kCount; ++i) {
    guests.push_back(linker.instantiate(start).value());
    // 1 MiB is written, of which four pages hold something in the end.
    ASSERT_TRUE(guests.back().call("fill", 65536, 1 + i, kMiB));
    ASSERT_TRUE(guests.back().call("fill", 65536, 0, kMiB - 16384));
  }
  const uint64_t live = held_bytes() - before;
  EXPECT_GE(live, uint64_t{kCount} * kMiB);
  uint64_t frozen_bytes = 0;
  for (Sandbox& guest : guests) {
    ASSERT_TRUE(guest.freeze());
    frozen_bytes += guest.usage().frozen_bytes;
  }
  // Besides these four, what a call writes of the guest's own data.
  EXPECT_GE(frozen_bytes, uint64_t{kCount} * 4 * 4096);
  EXPECT_LE(frozen_bytes, uint64_t{kCount} * 8 * 4096);
  EXPECT_LE(held_bytes(), before + live / 4);
  for (int i = 0; i < kCount; ++i) {
    const Memory memory = guests[static_cast<size_t>(i)].memory().value();
    ASSERT_EQ(memory.load<uint8_t>(65536 + kMiB - 16385).value(), 0);
    ASSERT_EQ(memory.load<uint8_t>(65536 + kMiB - 16384).value(), 1 + i);
    ASSERT_EQ(memory.load<uint8_t>(65536 + kMiB - 1).value(), 1 + i);
  }
}

TEST_P(FreezeTest, BringsEveryByteBack) {
  Sandbox guest = sandbox(kGuest);
  for (int round = 1; round <= 3; ++round) {
    ASSERT_TRUE(guest.call("fill", 61440, 0, 4096));  // the module's bytes are zeros now
    ASSERT_TRUE(guest.call("fill", round * 70000, round, 50000));
    ASSERT_TRUE(guest.memory()->write_string(1'300'000, "round " + std::to_string(round)));
    if (round == 2) {
      ASSERT_TRUE(guest.call("change"));
    }
    const std::vector<uint8_t> before = all_of(guest);
    ASSERT_TRUE(guest.freeze());
    EXPECT_TRUE(guest.frozen());
    ASSERT_TRUE(guest.freeze());  // once more: no effect
    EXPECT_TRUE(all_of(guest) == before) << "round " << round;
    EXPECT_FALSE(guest.frozen());
  }
  ASSERT_TRUE(guest.freeze());
  EXPECT_EQ(guest.call<int32_t>("through").value(), 42);
  EXPECT_EQ(guest.global("n")->get().value().get<int64_t>().value(), -5);
  EXPECT_EQ(guest.table("t")->size(), 34U);
  EXPECT_EQ(guest.memory()->size_bytes(), 22U * 65536);
  ASSERT_TRUE(guest.reset());
  EXPECT_EQ(guest.memory()->read_string(61440, 17).value(), "and its last page");
  EXPECT_EQ(guest.memory()->size_bytes(), 20U * 65536);
}

TEST_P(FreezeTest, EachUseThaws) {
  Sandbox guest = sandbox(kGuest);
  Function f = guest.function("f").value();
  Memory memory = guest.memory().value();
  Global global = guest.global("n").value();
  Table table = guest.table("t").value();
  const auto thaws = [&](const auto& use) {
    ASSERT_TRUE(guest.freeze());
    ASSERT_TRUE(guest.frozen());
    use();
    EXPECT_FALSE(guest.frozen());
  };
  thaws([&] { EXPECT_TRUE(f.call({}).returned()); });
  thaws([&] { EXPECT_TRUE(memory.store(8, 1)); });
  thaws([&] { EXPECT_EQ(memory.load<int>(8).value(), 1); });
  thaws([&] { EXPECT_EQ(memory.size_bytes(), 20U * 65536); });
  thaws([&] { EXPECT_EQ(memory.grow(1).value(), 20U); });
  thaws([&] { EXPECT_TRUE(global.set(int64_t{3})); });
  thaws([&] { EXPECT_EQ(global.get().value().get<int64_t>().value(), 3); });
  thaws([&] { EXPECT_TRUE(table.set(0, Value::null(ValueKind::kFuncref))); });
  thaws([&] { EXPECT_EQ(table.size(), 4U); });
  thaws([&] { EXPECT_TRUE(guest.snapshot()); });
  // What asks nothing of the guest leaves it as it is.
  ASSERT_TRUE(guest.freeze());
  EXPECT_TRUE(guest.function("f"));
  EXPECT_TRUE(guest.set_deadline(1s));
  guest.interrupt();
  EXPECT_FALSE(guest.poisoned());
  EXPECT_TRUE(guest.frozen());
  EXPECT_TRUE(guest.call<int32_t>("f"));
}

TEST_P(FreezeTest, GoesToEveryOtherStateAndForks) {
  const Linker linker(engine());
  Sandbox guest = sandbox(linker, kGuest);
  ASSERT_TRUE(guest.call("fill", 100'000, 1, 10'000));
  const Snapshot one = guest.snapshot().value();
  ASSERT_TRUE(guest.call("fill", 100'000, 2, 500'000));
  ASSERT_TRUE(guest.freeze());
  ASSERT_TRUE(guest.restore(one));
  EXPECT_FALSE(guest.frozen());
  EXPECT_EQ(guest.memory()->load<uint8_t>(100'000).value(), 1);
  EXPECT_EQ(guest.memory()->load<uint8_t>(110'000).value(), 0);

  ASSERT_TRUE(guest.call("change"));
  ASSERT_TRUE(guest.freeze());
  const Snapshot two = guest.snapshot().value();
  EXPECT_LE(two.own_page_count(), 8U);
  Sandbox fork = linker.instantiate(two).value();
  ASSERT_TRUE(fork.freeze());
  EXPECT_EQ(fork.usage().frozen_bytes, 0U);
  EXPECT_EQ(fork.call<int32_t>("through").value(), 42);
  EXPECT_TRUE(all_of(fork) == all_of(guest));

  ASSERT_TRUE(guest.freeze());
  ASSERT_TRUE(guest.reset());
  EXPECT_EQ(guest.memory()->load<uint8_t>(100'000).value(), 0);
  EXPECT_EQ(guest.global("n")->get().value().get<int64_t>().value(), 7);
}

// However often, the difference is to the snapshot, not to what was frozen before.
TEST_P(FreezeTest, KeepsNoMoreEachTime) {
  Sandbox guest = sandbox(kGuest);
  ASSERT_TRUE(guest.call("fill", 65536, 1, 65536));
  ASSERT_TRUE(guest.freeze());
  const uint64_t first = guest.usage().frozen_bytes;
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(guest.call("fill", 65536, i, 100));
    ASSERT_TRUE(guest.freeze());
    EXPECT_EQ(guest.usage().frozen_bytes, first);
  }
  ASSERT_TRUE(guest.call("fill", 65536, 0, 65536));
  ASSERT_TRUE(guest.freeze());
  EXPECT_EQ(guest.usage().frozen_bytes, first - 65536);
}

TEST_P(FreezeTest, RefusesWhatCannotBe) {
  Sandbox guest = sandbox(kGuest);
  EXPECT_FALSE(guest.call("trap").returned());
  const auto refused = guest.freeze();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kState);
  EXPECT_THAT(refused.error().message, HasSubstr("unreachable"));
  EXPECT_TRUE(guest.poisoned());
  ASSERT_TRUE(guest.reset());
  EXPECT_TRUE(guest.freeze());

  Sandbox other = sandbox("(module (memory 1) (func (export \"f\")))");
  EXPECT_THAT(guest.restore(other.snapshot().value()).error().message,
              HasSubstr("another program"));
  EXPECT_TRUE(guest.frozen());
  EXPECT_TRUE(guest.call<int32_t>("f"));

  Sandbox fixed = sandbox(kGuest, Policy().resettable(false));
  EXPECT_THAT(fixed.freeze().error().message, HasSubstr("resettable"));

  // NOLINTBEGIN(*-use-after-move,*-cplusplus.Move): that is the test
  const Sandbox moved = std::move(guest);
  EXPECT_THAT(guest.freeze().error().message, HasSubstr("moved from"));
  EXPECT_FALSE(guest.frozen());
  // NOLINTEND(*-use-after-move,*-cplusplus.Move)
}

TEST_P(FreezeTest, RefusesInACallAndOnAnotherThread) {
  Sandbox* self = nullptr;
  std::string here;
  std::string there;
  Linker linker(engine());
  linker.define("env", "freeze", [&] {
    here = self->freeze().error().message;
    std::thread([&] { there = self->freeze().error().message; }).join();
  });
  Sandbox calling = sandbox(linker, R"((module (import "env" "freeze" (func $freeze))
    (func (export "f") (call $freeze))))");
  self = &calling;
  EXPECT_TRUE(calling.call("f").returned());
  EXPECT_THAT(here, HasSubstr("in a call"));
  EXPECT_THAT(there, HasSubstr("in a call"));
  std::thread([&] { EXPECT_TRUE(calling.freeze()); }).join();
  EXPECT_TRUE(calling.call("f").returned());
}

// A limit of the process's, for a while.
class LowLimit {
 public:
  LowLimit(decltype(RLIMIT_NOFILE) resource, rlim_t value) : resource_(resource) {
    EXPECT_EQ(::getrlimit(resource_, &before_), 0);
    rlimit low = before_;
    low.rlim_cur = value;
    EXPECT_EQ(::setrlimit(resource_, &low), 0);
  }
  ~LowLimit() { EXPECT_EQ(::setrlimit(resource_, &before_), 0); }
  LowLimit(const LowLimit&) = delete;
  LowLimit& operator=(const LowLimit&) = delete;

 private:
  decltype(RLIMIT_NOFILE) resource_;
  rlimit before_{};
};

// No machine is kept there in which a sandbox could go on.
Sandbox sandbox_of_its_own_engine(Driver driver) {
  auto engine = Engine::create(
      {.driver = driver, .optimize = Optimize::kFast, .use_cache = false, .idle_machines_max = 0});
  EXPECT_TRUE(engine);
  auto made = Linker(*engine).instantiate(*engine->load(wasm_of(kGuest)));
  EXPECT_TRUE(made);
  return *std::move(made);
}

TEST_P(FreezeTest, StaysWholeWithoutDescriptors) {
  Sandbox guest = sandbox_of_its_own_engine(GetParam());
  ASSERT_TRUE(guest.call("change"));
  const std::vector<uint8_t> before = all_of(guest);
  {
    const LowLimit none(RLIMIT_NOFILE, 3);
    EXPECT_FALSE(guest.freeze());
  }
  EXPECT_FALSE(guest.frozen());
  EXPECT_TRUE(all_of(guest) == before);
  ASSERT_TRUE(guest.freeze());
  {
    const LowLimit none(RLIMIT_NOFILE, 3);
    const auto called = guest.call<int32_t>("f");
    ASSERT_EQ(called.kind(), CallOutcome::Kind::kHostError);
    EXPECT_FALSE(guest.memory()->load<int>(0));
    EXPECT_FALSE(guest.snapshot());
    EXPECT_FALSE(guest.reset());
  }
  EXPECT_TRUE(guest.frozen());
  EXPECT_FALSE(guest.poisoned());
  EXPECT_GT(guest.usage().frozen_bytes, 0U);
  EXPECT_TRUE(all_of(guest) == before);
  EXPECT_EQ(guest.call<int32_t>("through").value(), 42);
}

TEST_P(FreezeTest, StaysWholeWithoutMemory) {
  Sandbox guest = sandbox_of_its_own_engine(GetParam());
  ASSERT_TRUE(guest.call("change"));
  const std::vector<uint8_t> before = all_of(guest);
  ::signal(SIGXFSZ, SIG_IGN);
  {
    // A file of memory may not become larger than that.
    const LowLimit small(RLIMIT_FSIZE, 4096);
    EXPECT_FALSE(guest.freeze());
  }
  EXPECT_FALSE(guest.frozen());
  EXPECT_TRUE(all_of(guest) == before);
  ASSERT_TRUE(guest.freeze());
  {
    uint64_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    const LowLimit small(RLIMIT_AS, pages * 4096 + (uint64_t{2} << 20));
    EXPECT_EQ(guest.call<int32_t>("f").kind(), CallOutcome::Kind::kHostError);
    EXPECT_FALSE(guest.memory()->load<int>(0));
  }
  EXPECT_TRUE(guest.frozen());
  EXPECT_FALSE(guest.poisoned());
  EXPECT_TRUE(all_of(guest) == before);
  EXPECT_EQ(guest.call<int32_t>("through").value(), 42);
}

constexpr char kWasi[] = R"((module
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get"
    (func $clock (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 200) "text")
  (func (export "random") (result i64)
    (drop (call $random (i32.const 64) (i32.const 8)))
    (i64.load (i32.const 64)))
  (func (export "clock") (result i64)
    (drop (call $clock (i32.const 1) (i64.const 1) (i32.const 80)))
    (i64.load (i32.const 80)))
  (func (export "open") (result i32)
    (call $open (i32.const 3) (i32.const 0) (i32.const 200) (i32.const 4) (i32.const 0)
      (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 96)))
  (func (export "byte") (result i32)
    (i32.store (i32.const 100) (i32.const 120))
    (i32.store (i32.const 104) (i32.const 1))
    (drop (call $read (i32.load (i32.const 96)) (i32.const 100) (i32.const 1) (i32.const 108)))
    (i32.load8_u (i32.const 120)))))";

TEST_P(FreezeTest, KeepsFilesOpenAndClocksGoingAndSeedsAnew) {
  const std::string folder = testing::TempDir() + "/freeze-" + std::to_string(::getpid());
  std::filesystem::create_directory(folder);
  std::ofstream(folder + "/text") << "abc";
  Sandbox guest = sandbox(Linker(engine()), kWasi, Policy().preopen(folder, "/"));
  ASSERT_EQ(guest.call<int32_t>("open").value(), 0);
  EXPECT_EQ(guest.call<int32_t>("byte").value(), 'a');
  const int64_t then = guest.call<int64_t>("clock").value();
  const Snapshot snapshot = guest.snapshot().value();
  std::set<int64_t> drawn;
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(guest.freeze());
    drawn.insert(guest.call<int64_t>("random").value());
    ASSERT_TRUE(guest.restore(snapshot));
  }
  EXPECT_EQ(drawn.size(), 4U);
  EXPECT_EQ(guest.call<int32_t>("byte").value(), 'b');
  ASSERT_TRUE(guest.freeze());
  EXPECT_EQ(guest.call<int32_t>("byte").value(), 'c');
  EXPECT_GE(guest.call<int64_t>("clock").value(), then);
  std::filesystem::remove_all(folder);
}

TEST_P(FreezeTest, WhatWasFrozenIsGoneAfterAReset) {
  Sandbox guest = sandbox(kGuest);
  const std::vector<uint8_t> clean = all_of(guest);
  ASSERT_TRUE(guest.call("fill", 65536, 0x5e, 1'000'000));
  ASSERT_TRUE(guest.freeze());
  ASSERT_TRUE(guest.reset());
  EXPECT_TRUE(all_of(guest) == clean);
  ASSERT_TRUE(guest.call("fill", 65536, 0x5e, 1'000'000));
  ASSERT_TRUE(guest.freeze());
  ASSERT_TRUE(guest.call<int32_t>("f"));
  ASSERT_TRUE(guest.reset());
  EXPECT_TRUE(all_of(guest) == clean);
  EXPECT_EQ(guest.usage().frozen_bytes, 0U);
}

// Interrupts, from another thread, the call whose machine has just been made.
class InterruptAtThaw final : public TraceSink {
 public:
  ~InterruptAtThaw() override {
    if (thread_.joinable()) thread_.join();
  }
  void span(std::string_view phase, std::chrono::steady_clock::time_point /*begin*/,
            std::chrono::steady_clock::time_point /*end*/) override {
    if (phase != "thaw") return;
    thread_ = std::thread([this] { guest->interrupt(); });
    std::this_thread::sleep_for(20ms);
  }
  const Sandbox* guest = nullptr;

 private:
  std::thread thread_;
};

TEST_P(FreezeTest, ACallThatThawsCanBeInterrupted) {
  InterruptAtThaw sink;
  const auto traced = Engine::create(
      {.driver = GetParam(), .optimize = Optimize::kFast, .use_cache = false, .trace = &sink});
  ASSERT_TRUE(traced) << traced.error().message;
  const auto loaded = traced->load(wasm_of("(module (func (export \"f\") (loop br 0)))"));
  ASSERT_TRUE(loaded);
  auto guest = Linker(*traced).instantiate(*loaded, Policy().deadline(10s));
  ASSERT_TRUE(guest) << guest.error().message;
  sink.guest = &*guest;
  ASSERT_TRUE(guest->freeze());
  EXPECT_EQ(guest->call("f").kind(), CallOutcome::Kind::kCancelled);
}

TEST_P(FreezeTest, IsCounted) {
  const auto count = [&](std::string_view name) {
    for (const Counter& counter : engine().counters()) {
      if (counter.name == name) return counter.value;
    }
    return UINT64_MAX;
  };
  const uint64_t freezes = count("freezes");
  const uint64_t thaws = count("thaws");
  {
    Sandbox guest = sandbox(kGuest);
    ASSERT_TRUE(guest.freeze());
    EXPECT_EQ(count("sandboxes_frozen"), 1U);
    ASSERT_TRUE(guest.call<int32_t>("f"));
    EXPECT_EQ(count("sandboxes_frozen"), 0U);
    ASSERT_TRUE(guest.freeze());
  }
  EXPECT_EQ(count("sandboxes_frozen"), 0U);
  EXPECT_EQ(count("freezes"), freezes + 2);
  EXPECT_EQ(count("thaws"), thaws + 1);
}

TEST_P(FreezeTest, AForkedProcessThawsNothing) {
  Sandbox guest = sandbox(kGuest);
  Sandbox live = sandbox(kGuest);
  ASSERT_TRUE(guest.freeze());
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    int wrong = 0;
    if (guest.call<int32_t>("f").returned()) wrong |= 1;
    if (guest.memory()->load<int>(0)) wrong |= 2;
    if (guest.freeze()) wrong |= 4;
    if (live.freeze()) wrong |= 8;
    if (guest.reset()) wrong |= 16;
    ::_exit(wrong);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(guest.call<int32_t>("f"));
}

}  // namespace
}  // namespace mayfly
