// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Machines that are kept for the next sandbox: what its owner can tell of the one before (nothing).
#include <string>

#include "library_test.h"

namespace mayfly {
namespace {

class MachinesTest : public LibraryTest {};
MAYFLY_ON_EACH_DRIVER(MachinesTest);

// Writes a secret to everything that a program has: memory, a global, a table's reference, the
// stack (by its depth of calls), and vector registers.
constexpr char kKeeper[] = R"((module
  (memory (export "m") 4 64)
  (global $g (mut i64) (i64.const 0))
  (table 8 funcref)
  (elem func $deep)
  (func $deep (param i64 i32)
    (local v128)
    (local.set 2 (i64x2.splat (local.get 0)))
    (global.set $g (i64x2.extract_lane 0 (local.get 2)))
    (if (local.get 1)
      (then (call $deep (local.get 0) (i32.sub (local.get 1) (i32.const 1))))))
  (func (export "keep") (param i64)
    (local i32)
    (drop (memory.grow (i32.const 16)))
    (table.init 0 (i32.const 3) (i32.const 0) (i32.const 1))
    (loop
      (i64.store (local.get 1) (local.get 0))
      (br_if 0 (i32.lt_u (local.tee 1 (i32.add (local.get 1) (i32.const 8)))
                         (i32.mul (memory.size) (i32.const 65536)))))
    (call $deep (local.get 0) (i32.const 500)))))";

// How many words of its memory, as large as the keeper's, are not zero.
constexpr char kSearcher[] = R"((module
  (memory 1 64)
  (func (export "search") (result i32)
    (local i32 i32)
    (drop (memory.grow (i32.const 31)))
    (loop
      (if (i64.ne (i64.load (local.get 0)) (i64.const 0))
        (then (local.set 1 (i32.add (local.get 1) (i32.const 1)))))
      (br_if 0 (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 8)))
                         (i32.mul (memory.size) (i32.const 65536)))))
    (local.get 1))))";

TEST_P(MachinesTest, ShowNothingOfTheProgramBefore) {
  const Linker linker(engine());
  const Program keeper = program(kKeeper);
  const Program searcher = program(kSearcher);
  for (int round = 0; round < 5; ++round) {
    {
      auto sandbox = linker.instantiate(keeper);
      ASSERT_TRUE(sandbox) << sandbox.error().message;
      ASSERT_TRUE(sandbox->call("keep", int64_t{0x5ec2'e75e'c2e7}).returned());
    }
    auto sandbox = linker.instantiate(searcher);
    ASSERT_TRUE(sandbox) << sandbox.error().message;
    const auto found = sandbox->call<int32_t>("search");
    ASSERT_TRUE(found.returned());
    EXPECT_EQ(*found, 0) << round;
  }
}

// Each program's own code runs, wherever it lies, and with growth and snapshots in between.
TEST_P(MachinesTest, RunManyProgramsInTurn) {
  const Linker linker(engine());
  std::vector<Program> programs;
  std::vector<Snapshot> snapshots;
  for (int i = 0; i < 4; ++i) {
    const std::string pages = std::to_string(1 + 3 * i);
    programs.push_back(program("(module (memory " + pages + " 300) (data (i32.const 8) \"" +
                               std::string(static_cast<size_t>(i) * 4000 + 1, 'x') + "\")" +
                               "(global (mut i32) (i32.const " + std::to_string(i) + "))" +
                               "(func (export \"f\") (result i32) (drop (memory.grow (i32.const " +
                               std::to_string(60 * i) +
                               "))) (global.set 0 (i32.add (global.get 0)"
                               " (i32.const 10))) (global.get 0)))"));
  }
  for (int round = 0; round < 60; ++round) {
    const int i = (round * 7) % 4;
    auto sandbox = linker.instantiate(programs[static_cast<size_t>(i)]);
    ASSERT_TRUE(sandbox) << sandbox.error().message;
    const auto snapshot = sandbox->snapshot();
    ASSERT_TRUE(snapshot);
    for (int call = 1; call <= 3; ++call) {
      const auto answer = sandbox->call<int32_t>("f");
      ASSERT_TRUE(answer.returned()) << round;
      EXPECT_EQ(*answer, i + 10 * call);
    }
    ASSERT_TRUE(sandbox->restore(*snapshot));
    EXPECT_EQ(*sandbox->call<int32_t>("f"), i + 10) << round;
  }
}

TEST_P(MachinesTest, AreMadeAheadUpToTheLimit) {
  const auto which = GetParam();
  auto own = Engine::create(
      {.driver = which, .optimize = Optimize::kFast, .use_cache = false, .idle_machines_max = 3});
  ASSERT_TRUE(own);
  EXPECT_TRUE(own->prepare_machines(3, {.number = 4}));
  if (which == Driver::kKvm) {
    const auto refused = own->prepare_machines(4);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::kLimit);
    EXPECT_EQ(refused.error().message, "at most 3 idle machines are kept, not 4");
  }
  const auto program = own->load(wasm_of(kSearcher));
  ASSERT_TRUE(program);
  auto sandbox = Linker(*own).instantiate(*program, Policy().trust_domain({.number = 4}));
  ASSERT_TRUE(sandbox);
  EXPECT_EQ(*sandbox->call<int32_t>("search"), 0);
  EXPECT_FALSE(Engine::create({.driver = which, .idle_machines_max = 10'001}));
}

}  // namespace
}  // namespace mayfly
