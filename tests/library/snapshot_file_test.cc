// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Snapshots that are saved and loaded, as an embedder meets them.
#include <filesystem>
#include <fstream>
#include <string>

#include "library_test.h"

namespace mayfly {
namespace {

using testing::HasSubstr;

constexpr char kCounter[] = R"((module
  (import "env" "twice" (func $twice (param i32) (result i32)))
  (memory (export "memory") 1 5000)
  (global $n (export "n") (mut i32) (i32.const 0))
  (func (export "next") (result i32)
    (global.set $n (i32.add (global.get $n) (i32.const 1)))
    (call $twice (global.get $n)))
  (func (export "fill") (param i32)
    (drop (memory.grow (local.get 0)))
    (memory.fill (i32.const 65536) (i32.const 7) (i32.mul (local.get 0) (i32.const 65536))))
  (func (export "byte") (param i32) (result i32) (i32.load8_u (local.get 0)))))";

class SnapshotFileLibraryTest : public LibraryTest {
 protected:
  void SetUp() override {
    LibraryTest::SetUp();
    if (IsSkipped()) return;
    std::string pattern = testing::TempDir() + "/mayfly-library-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    ::setenv("XDG_DATA_HOME", folder_.c_str(), 1);
  }
  void TearDown() override {
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }
  std::string path() const { return folder_ + "/state"; }
  static Linker linker_of(const Engine& engine) {
    Linker linker(engine);
    linker.define("env", "twice", [](int32_t n) { return 2 * n; });
    return linker;
  }
  Engine other_engine() {
    auto engine = Engine::create({.driver = GetParam(), .optimize = Optimize::kFast});
    EXPECT_TRUE(engine);
    return std::move(*engine);
  }
  static int next(Sandbox& sandbox) {
    auto outcome = sandbox.call<int32_t>("next");
    EXPECT_TRUE(outcome.returned());
    return outcome.returned() ? *outcome : -1;
  }
  void save_counter() {
    const Linker linker = linker_of(engine());
    Sandbox counter = sandbox(linker, kCounter);
    EXPECT_EQ(next(counter), 2);
    EXPECT_TRUE(counter.call("fill", 40).returned());
    const auto saved = counter.snapshot()->save(path());
    ASSERT_TRUE(saved) << saved.error().message;
  }
  std::string folder_;
};
MAYFLY_ON_EACH_DRIVER(SnapshotFileLibraryTest);

TEST_P(SnapshotFileLibraryTest, StartsInAnotherEngineWithoutTheProgram) {
  save_counter();
  const Engine engine = other_engine();
  const Linker linker = linker_of(engine);
  const auto loaded = linker.load_snapshot(path());
  ASSERT_TRUE(loaded) << loaded.error().message;
  for (int fork = 0; fork < 3; ++fork) {
    auto counter = linker.instantiate(*loaded);
    ASSERT_TRUE(counter) << counter.error().message;
    for (int round = 0; round < 2; ++round) {
      EXPECT_EQ(next(*counter), 4);
      EXPECT_EQ(counter->call<int32_t>("byte", 40 * 65536).value(), 7);
      EXPECT_EQ(counter->memory()->load<uint8_t>(20 * 65536).value(), 7);
      ASSERT_TRUE(counter->reset());
    }
  }
  for (const Counter& counter : engine.counters()) {
    if (counter.name == "compilations") EXPECT_EQ(counter.value, 0u);
  }
}

TEST_P(SnapshotFileLibraryTest, SandboxesOfTheProgramGoToItAndBack) {
  save_counter();
  const Linker linker = linker_of(engine());
  Sandbox counter = sandbox(linker, kCounter);
  const auto start = counter.snapshot();
  const auto loaded = linker.load_snapshot(path(), {.verify = true});
  ASSERT_TRUE(loaded) << loaded.error().message;
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(counter.restore(*loaded));
    EXPECT_EQ(next(counter), 4);
    const auto later = counter.snapshot();
    ASSERT_TRUE(counter.restore(*start));
    EXPECT_EQ(next(counter), 2);
    ASSERT_TRUE(counter.restore(*later));
    EXPECT_EQ(next(counter), 6);
  }
  // Two files of one program in a third engine.
  const Engine third = other_engine();
  const Linker third_linker = linker_of(third);
  const auto first = third_linker.load_snapshot(path());
  const auto second = third_linker.load_snapshot(path());
  auto both = third_linker.instantiate(*first);
  ASSERT_TRUE(both);
  EXPECT_TRUE(both->restore(*second));
}

TEST_P(SnapshotFileLibraryTest, ServesAPool) {
  save_counter();
  const Engine engine = other_engine();
  const Linker linker = linker_of(engine);
  const auto loaded = linker.load_snapshot(path());
  ASSERT_TRUE(loaded) << loaded.error().message;
  auto pool = Pool::create(linker, *loaded, Policy(), {.size_min = 1, .size_max = 2});
  ASSERT_TRUE(pool) << pool.error().message;
  for (int i = 0; i < 10; ++i) {
    auto one = pool->acquire();
    ASSERT_TRUE(one) << one.error().message;
    EXPECT_EQ(next(**one), 4);
  }
}

TEST_P(SnapshotFileLibraryTest, NamesTheFunctionsThatAreMissing) {
  save_counter();
  const Linker empty(engine());
  EXPECT_THAT(empty.load_snapshot(path()).error().message,
              HasSubstr("\"env\" \"twice\" of type (i32) -> (i32) is not defined"));
  Linker wrong(engine());
  wrong.define("env", "twice", [](int64_t n) { return n; });
  const auto error = wrong.load_snapshot(path()).error();
  EXPECT_EQ(error.kind, ErrorKind::kLink);
  EXPECT_THAT(error.message, HasSubstr("(i64) -> (i64)"));
}

TEST_P(SnapshotFileLibraryTest, SaysWhatIsWrongWithAFile) {
  const Linker linker(engine());
  EXPECT_THAT(linker.load_snapshot(path()).error().message, HasSubstr(path()));
  std::ofstream(path()) << "hello";
  EXPECT_THAT(linker.load_snapshot(path()).error().message, HasSubstr("not a Mayfly snapshot"));
  Sandbox plain = sandbox("(module (func (export \"f\")))");
  auto snapshot = plain.snapshot();
  const Snapshot moved = std::move(*snapshot);
  EXPECT_THAT(snapshot->save(path()).error().message, HasSubstr("moved"));  // NOLINT: on purpose
  EXPECT_THAT(moved.save("/nowhere/state").error().message, HasSubstr("/nowhere/state"));
}

// With one wall only, what another installation saved is not started.
TEST_P(SnapshotFileLibraryTest, TheProcessDriverWantsItsMark) {
  save_counter();
  const Linker linker = linker_of(engine());
  ASSERT_TRUE(linker.load_snapshot(path()));
  std::filesystem::remove_all(folder_ + "/mayfly");
  const auto foreign = linker.load_snapshot(path());
  if (GetParam() == Driver::kKvm) {
    EXPECT_TRUE(foreign);
    return;
  }
  ASSERT_FALSE(foreign);
  EXPECT_EQ(foreign.error().kind, ErrorKind::kUnsupported);
  EXPECT_THAT(foreign.error().message, HasSubstr("another installation"));
  EXPECT_TRUE(linker.load_snapshot(path(), {.trust = true}));
}

}  // namespace
}  // namespace mayfly
