// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Snapshots, reset and pools, as an embedder meets them.
#include <signal.h>
#include <sys/resource.h>
#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "library_test.h"

namespace mayfly {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

constexpr char kCounter[] = R"((module
  (memory (export "memory") 1 10)
  (global $n (export "n") (mut i32) (i32.const 0))
  (func (export "next") (result i32)
    (global.set $n (i32.add (global.get $n) (i32.const 1)))
    (i32.store8 (i32.const 5) (global.get $n))
    (global.get $n))
  (func (export "grow") (result i32) (memory.grow (i32.const 1)))
  (func (export "loop") (loop $l (br $l)))
  (func (export "trap") unreachable)))";

class SnapshotLibraryTest : public LibraryTest {
 protected:
  static int next(Sandbox& sandbox) {
    auto outcome = sandbox.call<int32_t>("next");
    EXPECT_TRUE(outcome.returned());
    return outcome.returned() ? *outcome : -1;
  }
};
MAYFLY_ON_EACH_DRIVER(SnapshotLibraryTest);

TEST_P(SnapshotLibraryTest, ResetGoesBackToTheStart) {
  Sandbox counter = sandbox(kCounter);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(next(counter), 1);
    EXPECT_EQ(next(counter), 2);
    EXPECT_EQ(counter.call<int32_t>("grow").value(), 1);
    ASSERT_TRUE(counter.reset());
  }
}

// The jailed processes of this one.
std::vector<pid_t> children() {
  std::vector<pid_t> found;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream file(task.path() / "children");
    for (pid_t child = 0; file >> child;) found.push_back(child);
  }
  return found;
}

// Only a process can be taken away.
class LostMachineTest : public SnapshotLibraryTest {};
INSTANTIATE_TEST_SUITE_P(Drivers, LostMachineTest, testing::Values(Driver::kProcess));

TEST_P(LostMachineTest, SaysSoWhenNoNewOneCanBeMadeAndHealsWhenItCan) {
  Sandbox counter = sandbox(kCounter);
  EXPECT_EQ(next(counter), 1);
  for (const pid_t child : children()) ::kill(child, SIGKILL);
  EXPECT_FALSE(counter.call<int32_t>("next").returned());

  rlimit files{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &files), 0);
  rlimit none = files;
  none.rlim_cur = 3;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const auto refused = counter.reset();
  const auto again = counter.reset();
  const auto memory = counter.memory();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &files), 0);
  EXPECT_FALSE(refused);
  EXPECT_FALSE(again);
  EXPECT_TRUE(counter.poisoned());
  ASSERT_TRUE(memory);
  EXPECT_EQ(memory->size_bytes(), 65536u);

  const auto healed = counter.reset();
  ASSERT_TRUE(healed) << healed.error().message;
  EXPECT_EQ(next(counter), 1);
}

TEST_P(SnapshotLibraryTest, RefusesAStateThatIsPastTheLimits) {
  const Linker linker(engine());
  const Program program = this->program(kCounter);
  Sandbox large = *linker.instantiate(program);
  EXPECT_EQ(large.call<int32_t>("grow").value(), 1);
  const Snapshot grown = *large.snapshot();
  Limits limits;
  limits.memory_bytes_max = 65536;
  Sandbox small = *linker.instantiate(program, Policy().limits(limits));
  EXPECT_EQ(next(small), 1);
  const auto refused = small.restore(grown);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message,
            "the snapshot has 131072 bytes of memory, past the limit of 65536");
  EXPECT_EQ(next(small), 2);  // nothing has changed
  EXPECT_FALSE(linker.instantiate(grown, Policy().limits(limits)));
}

TEST_P(SnapshotLibraryTest, ResetHealsAPoisonedSandbox) {
  Sandbox counter = sandbox(kCounter, Policy().deadline(200ms));
  for (const char* end : {"trap", "loop"}) {
    EXPECT_FALSE(counter.call(end).returned());
    EXPECT_TRUE(counter.poisoned());
    EXPECT_FALSE(counter.snapshot());
    EXPECT_FALSE(counter.call<int32_t>("next").returned());
    ASSERT_TRUE(counter.reset());
    EXPECT_FALSE(counter.poisoned());
    EXPECT_EQ(next(counter), 1);
    ASSERT_TRUE(counter.reset());
  }
}

TEST_P(SnapshotLibraryTest, ForksASnapshot) {
  const Linker linker(engine());
  Sandbox counter = sandbox(linker, kCounter);
  next(counter);
  next(counter);
  const auto snapshot = counter.snapshot();
  ASSERT_TRUE(snapshot) << snapshot.error().message;
  EXPECT_GE(snapshot->page_count(), 1u);
  next(counter);
  std::vector<Sandbox> forks;
  for (int i = 0; i < 8; ++i) {
    auto fork = linker.instantiate(*snapshot);
    ASSERT_TRUE(fork) << fork.error().message;
    EXPECT_EQ(next(*fork), 3);
    forks.push_back(std::move(*fork));
  }
  for (Sandbox& fork : forks) {
    EXPECT_EQ(next(fork), 4);
    ASSERT_TRUE(fork.reset());
    EXPECT_EQ(next(fork), 3);
  }
  ASSERT_TRUE(counter.restore(*snapshot));
  EXPECT_EQ(next(counter), 3);
}

TEST_P(SnapshotLibraryTest, RefusesWhatCannotBe) {
  Sandbox counter = sandbox(kCounter);
  Sandbox other = sandbox("(module (func (export \"f\")))");
  const auto foreign = other.snapshot();
  ASSERT_TRUE(foreign);
  EXPECT_THAT(counter.restore(*foreign).error().message, HasSubstr("another program"));
  EXPECT_EQ(next(counter), 1);

  Sandbox fixed = sandbox(kCounter, Policy().resettable(false));
  EXPECT_THAT(fixed.reset().error().message, HasSubstr("resettable"));
  EXPECT_THAT(fixed.snapshot().error().message, HasSubstr("resettable"));

  const Sandbox moved = std::move(counter);
  EXPECT_THAT(counter.reset().error().message, HasSubstr("moved"));  // NOLINT: on purpose
}

TEST_P(SnapshotLibraryTest, RefusesToGoBackInACall) {
  Sandbox* self = nullptr;
  std::string said;
  Linker linker(engine());
  linker.define("env", "back", [&] { said = self->reset().error().message; });
  Sandbox calling = sandbox(linker, R"((module (import "env" "back" (func $back))
    (func (export "f") (call $back))))");
  self = &calling;
  EXPECT_TRUE(calling.call("f").returned());
  EXPECT_THAT(said, HasSubstr("in a call"));
}

TEST_P(SnapshotLibraryTest, PoolGivesEachOwnerAFreshOne) {
  const Linker linker(engine());
  auto pool = Pool::create(linker, program(kCounter), Policy().deadline(1s),
                           {.size_min = 2, .size_max = 3});
  ASSERT_TRUE(pool) << pool.error().message;
  for (int i = 0; i < 20; ++i) {
    auto one = pool->acquire();
    ASSERT_TRUE(one) << one.error().message;
    EXPECT_EQ(next(**one), 1);
    if (i % 3 == 0) {
      EXPECT_FALSE((*one)->call("trap").returned());
    }
  }
  EXPECT_EQ(pool->usage().created, 2u);
  EXPECT_EQ(pool->usage().idle, 2u);
}

TEST_P(SnapshotLibraryTest, PoolWaitsInAQueueAndSaysWhyItStops) {
  const Linker linker(engine());
  auto pool = Pool::create(linker, program(kCounter), Policy(), {.size_min = 0, .size_max = 1});
  ASSERT_TRUE(pool);
  auto held = std::make_unique<PooledSandbox>(*pool->acquire());
  const auto late = pool->acquire(20ms);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind, ErrorKind::kTimeout);
  EXPECT_THAT(late.error().message, HasSubstr("all 1 sandboxes"));
  std::thread waiting([&] {
    auto one = pool->acquire(10s);
    ASSERT_TRUE(one) << one.error().message;
    EXPECT_EQ(next(**one), 1);
  });
  while (pool->usage().waiting == 0) std::this_thread::yield();
  next(**held);
  held.reset();
  waiting.join();
}

// Somebody who keeps a handle could reach the next owner.
TEST_P(SnapshotLibraryTest, PoolDoesNotReuseASandboxThatIsStillHeld) {
  const Linker linker(engine());
  auto pool = Pool::create(linker, program(kCounter), Policy(), {.size_min = 1, .size_max = 1});
  ASSERT_TRUE(pool);
  std::optional<Function> kept;
  {
    auto one = pool->acquire();
    ASSERT_TRUE(one);
    kept = *(*one)->function("next");
  }
  auto next_owner = pool->acquire();
  ASSERT_TRUE(next_owner) << next_owner.error().message;
  EXPECT_TRUE(kept->call({}).returned());
  EXPECT_EQ(next(**next_owner), 1);
  EXPECT_EQ(pool->usage().dropped, 1u);
}

TEST_P(SnapshotLibraryTest, PoolServesManyThreads) {
  const Linker linker(engine());
  auto pool = Pool::create(linker, program(kCounter), Policy().deadline(10s),
                           {.size_min = 1, .size_max = 3});
  ASSERT_TRUE(pool);
  std::atomic<int> served = 0;
  std::vector<std::thread> threads;
  threads.reserve(6);
  for (int t = 0; t < 6; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 40; ++i) {
        auto one = pool->acquire(60s);
        ASSERT_TRUE(one) << one.error().message;
        ASSERT_EQ(next(**one), 1);
        if ((i + t) % 7 == 0) {
          EXPECT_FALSE((*one)->call("trap").returned());
        }
        ++served;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(served, 240);
  EXPECT_LE(pool->usage().created, 3u);
  EXPECT_EQ(pool->usage().in_use, 0u);
}

}  // namespace
}  // namespace mayfly
