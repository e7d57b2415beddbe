// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Calls from the host: types, values, ends, and what is refused.
#include "library_test.h"

namespace mayfly {
namespace {

using testing::HasSubstr;

class CallTest : public LibraryTest {};
MAYFLY_ON_EACH_DRIVER(CallTest);

constexpr const char* kNumbers = R"((module
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "wide") (param i64 f32 f64) (result i64 f32 f64)
    (local.get 0) (local.get 1) (local.get 2))
  (func (export "vector") (param v128) (result v128) (local.get 0))
  (func (export "same") (param externref) (result externref) (local.get 0))
  (func (export "divide") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
  (func (export "forever") (loop br 0))
  (func (export "nothing"))))";

TEST_P(CallTest, PassesValuesOfEveryType) {
  Sandbox guest = sandbox(kNumbers);
  EXPECT_EQ(guest.call<int32_t>("add", 40, 2).value(), 42);
  EXPECT_EQ(guest.call<int32_t>("add", -1, -1).value(), -2);
  EXPECT_EQ(guest.call<uint8_t>("add", uint8_t{255}, 3).value(), 2);
  using Wide = std::tuple<int64_t, float, double>;
  EXPECT_EQ(guest.call<Wide>("wide", int64_t{-5}, 1.5F, 2.25).value(), Wide(-5, 1.5F, 2.25));
  EXPECT_EQ(guest.call<V128>("vector", V128{1, 2}).value(), (V128{1, 2}));
  EXPECT_EQ(guest.call<ExternRef>("same", ExternRef{false, 7}).value(), (ExternRef{false, 7}));
  EXPECT_TRUE(guest.call<ExternRef>("same", ExternRef()).value().is_null);
  EXPECT_TRUE(guest.call("nothing"));
}

TEST_P(CallTest, PassesDynamicValues) {
  Sandbox guest = sandbox(kNumbers);
  const std::vector<Value> arguments = {40, 2};
  const CallOutcome outcome = guest.call_values("add", arguments);
  ASSERT_TRUE(outcome.returned()) << to_string(outcome);
  EXPECT_EQ(outcome.values.at(0).get<int32_t>().value(), 42);
  EXPECT_EQ(to_string(outcome.values.at(0)), "42");
}

TEST_P(CallTest, FindsAFunctionOnceForManyCalls) {
  Sandbox guest = sandbox(kNumbers);
  const auto add = guest.function<int32_t(int32_t, int32_t)>("add");
  ASSERT_TRUE(add);
  for (int32_t i = 0; i < 100; ++i) EXPECT_EQ((*add)(i, 1).value(), i + 1);
  EXPECT_EQ(guest.usage().calls, 101U);  // and the start
}

TEST_P(CallTest, SaysHowAGuestTrapped) {
  Sandbox guest = sandbox(kNumbers);
  const auto outcome = guest.call<int32_t>("divide", 1, 0);
  ASSERT_EQ(outcome.kind(), CallOutcome::Kind::kTrapped);
  EXPECT_EQ(outcome.end().trap, TrapCode::kIntegerDivideByZero);
  EXPECT_EQ(outcome.message(), "trap: integer divide by zero");
  ASSERT_FALSE(outcome.end().backtrace.empty());
  EXPECT_EQ(outcome.end().backtrace[0].module, "module");
}

TEST_P(CallTest, RefusesCallsOfAPoisonedSandbox) {
  Sandbox guest = sandbox(kNumbers);
  EXPECT_FALSE(guest.call<int32_t>("divide", 1, 0));
  EXPECT_TRUE(guest.poisoned());
  const auto outcome = guest.call<int32_t>("add", 1, 2);
  ASSERT_EQ(outcome.kind(), CallOutcome::Kind::kHostError);
  EXPECT_EQ(outcome.end().error.kind, ErrorKind::kState);
  EXPECT_THAT(outcome.message(), HasSubstr("trap: integer divide by zero"));
}

TEST_P(CallTest, NamesWhatIsWrongWithACall) {
  Sandbox guest = sandbox(kNumbers);
  EXPECT_THAT(guest.call<int32_t>("sub", 1, 2).message(), HasSubstr("it has add, wide, vector"));
  EXPECT_EQ(guest.call<int32_t>("add", 1).message(),
            "the function \"add\" has the type (i32, i32) -> (i32), but is called as (i32) -> "
            "(i32)");
  EXPECT_EQ(to_string(guest.call_values("add", {})), "add takes 2 arguments, not 0");
  const std::vector<Value> wrong = {1, 2.5};
  EXPECT_EQ(to_string(guest.call_values("add", wrong)),
            "add, argument 1: a value of type f64, but i32 is wanted");
  EXPECT_FALSE(guest.poisoned());
}

TEST_P(CallTest, AnswersOfWhatWasMovedFrom) {
  Sandbox guest = sandbox(kNumbers);
  const Sandbox moved = std::move(guest);
  EXPECT_THAT(guest.call("nothing").message(), HasSubstr("moved from"));  // NOLINT
  EXPECT_FALSE(guest.memory());
  guest.interrupt();
  EXPECT_EQ(guest.usage().calls, 0U);
}

TEST_P(CallTest, EndsACallAtItsDeadline) {
  Sandbox guest = sandbox(kNumbers, Policy().deadline(std::chrono::milliseconds(200)));
  const auto outcome = guest.call("forever");
  EXPECT_EQ(outcome.kind(), CallOutcome::Kind::kDeadline);
}

TEST_P(CallTest, GivesEachCallItsOwnDeadline) {
  Sandbox guest = sandbox(kNumbers);
  ASSERT_TRUE(guest.set_deadline(std::chrono::milliseconds(100)));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(guest.call("nothing"));
  ::usleep(120'000);
  EXPECT_TRUE(guest.call("nothing"));
  ASSERT_TRUE(guest.set_deadline(std::nullopt));
  EXPECT_FALSE(guest.set_deadline(std::chrono::nanoseconds(0)));
}

TEST_P(CallTest, ChecksEveryLimitBeforeAnythingIsMade) {
  const Program numbers = program(kNumbers);
  const auto error_of = [&](const Limits& limits) {
    return Linker(engine()).instantiate(numbers, Policy().limits(limits)).error().message;
  };
  EXPECT_THAT(error_of({.memory_bytes_max = 0}), HasSubstr("memory_bytes_max is 0, but"));
  EXPECT_THAT(error_of({.stack_bytes = uint64_t{1} << 40}), HasSubstr("from 65536 to 268435456"));
  EXPECT_THAT(error_of({.call_depth_max = 0}), HasSubstr("from 1 to 1000"));
  EXPECT_THAT(error_of({.deadline = std::chrono::nanoseconds(-1)}), HasSubstr("-1 ns"));
}

TEST_P(CallTest, ReadsAndWritesMemoryGlobalsAndTables) {
  Sandbox guest = sandbox(R"((module
    (memory (export "memory") 1 4)
    (global (export "count") (mut i64) (i64.const 5))
    (global (export "fixed") i32 (i32.const 6))
    (table (export "things") 3 externref)
    (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
    (func (export "count_now") (result i64) (global.get 0))
    (func (export "thing") (param i32) (result externref) (table.get 0 (local.get 0)))))");
  Memory memory = guest.memory().value();
  ASSERT_TRUE(memory.store<uint32_t>(65532, 77));
  EXPECT_EQ(guest.call<int32_t>("load", 65532).value(), 77);
  EXPECT_THAT(memory.load<uint32_t>(65533).error().message,
              HasSubstr("4 bytes at 65533 are outside the memory of 65536 bytes"));
  EXPECT_FALSE(memory.read_bytes(UINT64_MAX, 2));
  EXPECT_FALSE(memory.read_bytes(0, UINT64_MAX));
  ASSERT_TRUE(memory.write_string(10, std::string_view("abc\0", 4)));
  EXPECT_EQ(memory.read_c_string(10).value(), "abc");
  EXPECT_FALSE(memory.read_c_string(10, 3));
  EXPECT_EQ(memory.grow(2).value(), 1U);
  EXPECT_EQ(memory.size_bytes(), 3U * 65536);
  EXPECT_EQ(guest.call<int32_t>("load", 150'000).value(), 0);
  EXPECT_FALSE(memory.grow(2));
  EXPECT_FALSE(memory.grow(UINT64_MAX));

  Global count = guest.global("count").value();
  ASSERT_TRUE(count.set(int64_t{9}));
  EXPECT_EQ(guest.call<int64_t>("count_now").value(), 9);
  EXPECT_FALSE(count.set(9));
  EXPECT_FALSE(guest.global("fixed").value().set(1));
  EXPECT_EQ(guest.global("fixed").value().get().value().get<int32_t>().value(), 6);

  Table things = guest.table("things").value();
  ASSERT_TRUE(things.set(2, ExternRef{false, 4}));
  EXPECT_EQ(guest.call<ExternRef>("thing", 2).value().number, 4U);
  EXPECT_THAT(things.get(3).error().message, HasSubstr("entry 3 is outside the table of 3"));
}

}  // namespace
}  // namespace mayfly
