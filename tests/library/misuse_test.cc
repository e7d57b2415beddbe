// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What no type can stop: each is an Error that names the numbers, and the process goes on.
#include <sys/wait.h>

#include <optional>
#include <thread>

#include "library_test.h"

namespace mayfly {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

class MisuseTest : public LibraryTest {};
MAYFLY_ON_EACH_DRIVER(MisuseTest);

constexpr const char* kModule = R"((module
  (memory (export "memory") 1 2)
  (global (export "count") (mut i32) (i32.const 1))
  (table (export "things") 2 funcref)
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "trap") unreachable)))";

TEST_P(MisuseTest, NamesAnExportOfAnotherKind) {
  Sandbox guest = sandbox(kModule);
  EXPECT_THAT(guest.function("memory").error().message, HasSubstr("it has add, trap"));
  EXPECT_THAT(guest.memory("add").error().message, HasSubstr("it has memory"));
  EXPECT_THAT(guest.global("memory").error().message, HasSubstr("it has count"));
  EXPECT_THAT(guest.table("count").error().message, HasSubstr("it has things"));
  EXPECT_FALSE(guest.function(""));
  EXPECT_FALSE(guest.function(std::string(100'000, 'x')));
}

TEST_P(MisuseTest, NamesTheTypesOfACallThatDoesNotFit) {
  Sandbox guest = sandbox(kModule);
  EXPECT_THAT(guest.function<void()>("add").error().message,
              HasSubstr("(i32, i32) -> (i32), but is called as () -> ()"));
  EXPECT_THAT(guest.call<int64_t>("add", 1, 2).message(), HasSubstr("as (i32, i32) -> (i64)"));
  const std::vector<Value> many(100'000, Value(1));
  EXPECT_EQ(to_string(guest.call_values("add", many)), "add takes 2 arguments, not 100000");
  EXPECT_FALSE(guest.poisoned());
}

TEST_P(MisuseTest, RefusesEveryAccessOutOfBounds) {
  Sandbox guest = sandbox(kModule);
  Memory memory = guest.memory().value();
  for (const uint64_t address : {uint64_t{65536}, uint64_t{65533}, UINT64_MAX, UINT64_MAX - 3}) {
    const std::string said =
        "4 bytes at " + std::to_string(address) + " are outside the memory of 65536 bytes";
    EXPECT_EQ(memory.load<uint32_t>(address).error().message, said);
    EXPECT_EQ(memory.store<uint32_t>(address, 1).error().message, said);
    EXPECT_EQ(memory.write_string(address, "four").error().message, said);
    EXPECT_EQ(memory.read_string(address, 4).error().message, said);
  }
  EXPECT_TRUE(memory.read(65536, {}));
  EXPECT_FALSE(memory.read(65537, {}));
  EXPECT_FALSE(memory.read_c_string(65536));
  EXPECT_THAT(memory.grow(2).error().message,
              HasSubstr("a memory of 1 pages cannot grow by 2: it may have 2"));
  EXPECT_THAT(guest.table("things").value().get(2).error().message,
              HasSubstr("entry 2 is outside the table of 2"));
  EXPECT_FALSE(guest.table("things").value().set(UINT64_MAX, Value::null(ValueKind::kFuncref)));
  EXPECT_FALSE(guest.table("things").value().set(0, 1));
  EXPECT_FALSE(guest.global("count").value().set(1.5));
}

TEST_P(MisuseTest, EveryHandleThatWasMovedFromSaysSo) {
  Sandbox guest = sandbox(kModule);
  Snapshot snapshot = guest.snapshot().value();
  Function function = guest.function("add").value();
  Memory memory = guest.memory().value();
  Global global = guest.global("count").value();
  Table table = guest.table("things").value();
  {
    const Function f = std::move(function);
    const Memory m = std::move(memory);
    const Global g = std::move(global);
    const Table t = std::move(table);
    const Snapshot s = std::move(snapshot);
  }
  // NOLINTBEGIN(bugprone-use-after-move): that is the test
  EXPECT_THAT(to_string(function.call({})), HasSubstr("moved from"));
  EXPECT_FALSE(function.typed<int32_t(int32_t, int32_t)>());
  EXPECT_EQ(function.name(), "");
  EXPECT_EQ(function.type(), FunctionType());
  EXPECT_THAT(memory.load<int>(0).error().message, HasSubstr("moved from"));
  EXPECT_FALSE(memory.grow(1));
  EXPECT_EQ(memory.size_bytes(), 0U);
  EXPECT_FALSE(global.get());
  EXPECT_FALSE(global.set(1));
  EXPECT_FALSE(global.is_mutable());
  EXPECT_FALSE(table.get(0));
  EXPECT_FALSE(table.set(0, 1));
  EXPECT_EQ(table.size(), 0U);
  EXPECT_EQ(snapshot.page_count(), 0U);
  EXPECT_THAT(guest.restore(snapshot).error().message, HasSubstr("moved from"));
  EXPECT_THAT(Linker(engine()).instantiate(snapshot).error().message, HasSubstr("moved from"));
  // NOLINTEND(bugprone-use-after-move)
}

TEST_P(MisuseTest, WhatIsMadeOfAMovedFromEngineSaysSo) {
  Sandbox guest = sandbox(kModule);
  const Snapshot snapshot = guest.snapshot().value();
  Program numbers = program(kModule);
  Engine first = engine();
  const Engine second = std::move(first);
  // NOLINTBEGIN(bugprone-use-after-move): that is the test
  EXPECT_THAT(first.load("nowhere.wasm").error().message, HasSubstr("moved from"));
  EXPECT_TRUE(first.counters().empty());
  Linker linker(first);
  EXPECT_THAT(linker.prepare(numbers).error().message, HasSubstr("moved from"));
  EXPECT_THAT(linker.instantiate(numbers).error().message, HasSubstr("moved from"));
  EXPECT_THAT(linker.instantiate(snapshot).error().message, HasSubstr("moved from"));
  EXPECT_FALSE(Pool::create(linker, snapshot));
  Linker other(second);
  const Linker kept = std::move(other);
  other.define("env", "f", [] {}).link("a", numbers).wasi(false);
  EXPECT_FALSE(other.prepare(numbers));
  EXPECT_FALSE(other.instantiate(snapshot));
  const Program gone = std::move(numbers);
  EXPECT_FALSE(kept.instantiate(numbers));
  EXPECT_TRUE(numbers.exports().empty());
  // NOLINTEND(bugprone-use-after-move)
}

TEST_P(MisuseTest, AHandleOutlivesItsSandbox) {
  std::optional<Function> function;
  std::optional<Memory> memory;
  {
    Sandbox guest = sandbox(kModule);
    function = guest.function("add").value();
    memory = guest.memory().value();
  }
  const std::vector<Value> arguments = {1, 2};
  EXPECT_TRUE(function->call(arguments).returned());
  EXPECT_TRUE(memory->store(0, 1));
}

TEST_P(MisuseTest, ZeroIsALimitOrAnErrorThatSaysSo) {
  const Program numbers = program(kModule);
  const Linker linker(engine());
  const auto message = [&](const Limits& limits) {
    auto made = linker.instantiate(numbers, Policy().limits(limits));
    return made ? "made" : made.error().message;
  };
  EXPECT_THAT(message({.memory_bytes_max = 65535}), HasSubstr("memory_bytes_max is 65535"));
  EXPECT_THAT(message({.stack_bytes = 0}), HasSubstr("stack_bytes is 0"));
  EXPECT_THAT(message({.instances_max = 0}), HasSubstr("0"));
  EXPECT_THAT(message({.open_handles_max = 0}), HasSubstr("open_handles_max is 0"));
  EXPECT_THAT(message({.deadline = std::chrono::nanoseconds(0)}), HasSubstr("0 ns"));
  EXPECT_THAT(
      Pool::create(linker, numbers, Policy(), {.size_min = 0, .size_max = 0}).error().message,
      HasSubstr("a pool of 0 to 0 sandboxes"));
  EXPECT_THAT(
      Pool::create(linker, numbers, Policy(), {.size_min = 3, .size_max = 2}).error().message,
      HasSubstr("3 to 2"));
  EXPECT_FALSE(Engine::create({.driver = GetParam(), .compile_time_max = milliseconds(0)}));
  EXPECT_THAT(Engine::create({.driver = GetParam(), .blocking_threads_max = 0}).error().message,
              HasSubstr("is 0, but has to be from 1 to 1000"));
}

TEST_P(MisuseTest, AProgramThatNeedsMoreThanItsLimitIsRefused) {
  const Program large = program("(module (memory 3))");
  const auto made =
      Linker(engine()).instantiate(large, Policy().limits({.memory_bytes_max = 131'072}));
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, HasSubstr("131072"));
}

// What the child's function answers; ends the test when the child does not end by itself.
template <typename Work>
int status_of_child(const Work& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(20);
    ::_exit(work());
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return status;
}

TEST_P(MisuseTest, AForkedProcessIsRefusedAndItsParentGoesOn) {
  Sandbox guest = sandbox(kModule);
  const Snapshot snapshot = guest.snapshot().value();
  const Program numbers = program(kModule);
  const Linker linker(engine());
  const Pool pool = Pool::create(linker, numbers).value();
  Memory memory = guest.memory().value();
  Global global = guest.global("count").value();
  const Table table = guest.table("things").value();
  const int status = status_of_child([&] {
    int wrong = 0;
    const auto called = guest.call<int32_t>("add", 1, 2);
    if (called || called.end().error.kind != ErrorKind::kState) wrong |= 1;
    if (guest.reset() || guest.restore(snapshot) || guest.snapshot()) wrong |= 2;
    if (memory.load<int>(0) || memory.store(0, 1) || memory.grow(1)) wrong |= 4;
    if (global.get() || global.set(1) || table.get(0)) wrong |= 8;
    if (linker.instantiate(numbers) || linker.prepare(numbers)) wrong |= 16;
    if (linker.instantiate(snapshot)) wrong |= 32;
    if (pool.acquire()) wrong |= 64;
    guest.interrupt();
    return wrong;
  });
  EXPECT_EQ(status, 0);
  EXPECT_EQ(guest.call<int32_t>("add", 1, 2).value(), 3);
}

// What the child lets go is still the parent's.
TEST_P(MisuseTest, AForkedProcessMayDestroyEverything) {
  std::optional<Engine> own =
      Engine::create({.driver = GetParam(), .optimize = Optimize::kFast, .use_cache = false})
          .value();
  std::optional<Linker> linker(*own);
  std::optional<Program> numbers = own->load(wasm_of(kModule)).value();
  std::optional<Pool> pool = Pool::create(*linker, *numbers).value();
  std::optional<PooledSandbox> pooled = pool->acquire().value();
  std::optional<Sandbox> guest =
      linker->instantiate(*numbers, Policy().deadline(milliseconds(10'000))).value();
  EXPECT_EQ(guest->call<int32_t>("add", 1, 2).value(), 3);
  const int status = status_of_child([&] {
    guest.reset();
    pooled.reset();
    pool.reset();
    numbers.reset();
    linker.reset();
    own.reset();
    return 0;
  });
  EXPECT_EQ(status, 0);
  EXPECT_EQ(guest->call<int32_t>("add", 1, 2).value(), 3);
  EXPECT_EQ((*pooled)->call<int32_t>("add", 1, 2).value(), 3);
}

TEST_P(MisuseTest, AHostFunctionMayForkButItsChildDoesNotGoOn) {
  Linker linker(engine());
  pid_t child = -1;
  bool nested = false;
  linker.define("env", "fork", [&](Caller& caller) {
    child = ::fork();
    if (child == 0) {
      ::alarm(20);
      nested = caller.call("g").returned();
    }
  });
  Sandbox guest = sandbox(linker, R"((module (import "env" "fork" (func $fork))
    (global (export "n") (mut i32) (i32.const 0))
    (func (export "g"))
    (func (export "f") (call $fork) (global.set 0 (i32.add (global.get 0) (i32.const 1))))))");
  const auto outcome = guest.call("f");
  if (child == 0) ::_exit(outcome.returned() || nested ? 1 : 0);
  ASSERT_GT(child, 0);
  EXPECT_TRUE(outcome.returned()) << outcome.message();
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(guest.global("n")->get().value().get<int32_t>().value(), 1);
}

}  // namespace
}  // namespace mayfly
