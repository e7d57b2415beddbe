// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What imports are bound to: host functions of every shape, other modules, WASI, or nothing.
#include <stdexcept>

#include "library_test.h"

namespace mayfly {
namespace {

using testing::HasSubstr;

class LinkTest : public LibraryTest {};
MAYFLY_ON_EACH_DRIVER(LinkTest);

int32_t negated(int32_t value) { return -value; }

TEST_P(LinkTest, CallsHostFunctionsOfEveryShape) {
  Linker linker(engine());
  int64_t seen = 0;
  linker.define("env", "add", [](int32_t a, int32_t b) { return a + b; })
      .define("env", "negate", negated)
      .define("env", "see", [&seen](int64_t value) { seen = value; })
      .define("env", "both", [](double a) { return std::tuple(a, static_cast<float>(a)); })
      .define("env", "check", [](Caller& caller, int32_t a) -> Result<int32_t> {
        return a + static_cast<int32_t>(caller.memory()->size_bytes() >> 16);
      });
  Sandbox guest = sandbox(linker, R"((module
    (import "env" "add" (func $add (param i32 i32) (result i32)))
    (import "env" "negate" (func $negate (param i32) (result i32)))
    (import "env" "see" (func $see (param i64)))
    (import "env" "both" (func $both (param f64) (result f64 f32)))
    (import "env" "check" (func $check (param i32) (result i32)))
    (memory (export "memory") 3)
    (func (export "run") (param i32) (result i32)
      (call $see (i64.const -9))
      (call $check (call $negate (call $add (local.get 0) (i32.const 1)))))
    (func (export "both") (result f64 f32) (call $both (f64.const 0.5)))))");
  EXPECT_EQ(guest.call<int32_t>("run", 5).value(), -3);
  EXPECT_EQ(seen, -9);
  EXPECT_EQ((guest.call<std::tuple<double, float>>("both").value()), std::tuple(0.5, 0.5F));
  EXPECT_EQ(guest.usage().host_calls, 5U);
}

constexpr const char* kReader = R"((module
  (import "env" "print" (func $print (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "hello")
  (func (export "run") (param i32 i32) (result i32) (call $print (local.get 0) (local.get 1)))))";

TEST_P(LinkTest, ReadsTheCallersMemoryThroughChecks) {
  Linker linker(engine());
  std::string printed;
  linker.define("env", "print", [&](Caller& caller, uint32_t address, uint32_t size) {
    auto text = caller.memory()->read_string(address, size);
    if (!text) return Result<int32_t>(std::move(text).error());
    printed = *text;
    return Result<int32_t>(static_cast<int32_t>(text->size()));
  });
  Sandbox guest = sandbox(linker, kReader);
  EXPECT_EQ(guest.call<int32_t>("run", 16, 5).value(), 5);
  EXPECT_EQ(printed, "hello");
  const auto outcome = guest.call<int32_t>("run", 65530, 7);
  EXPECT_EQ(outcome.end().trap, TrapCode::kHostError);
  EXPECT_EQ(outcome.message(),
            "trap: host error: 7 bytes at 65530 are outside the memory of 65536 bytes");
}

TEST_P(LinkTest, GivesHostFunctionsTheUserData) {
  Linker linker(engine());
  linker.define("env", "print", [](Caller& caller, int32_t a, int32_t b) {
    return *static_cast<int32_t*>(caller.user_data()) + a + b;
  });
  int32_t data = 100;
  Sandbox guest = sandbox(linker, kReader, Policy().user_data(&data));
  EXPECT_EQ(guest.call<int32_t>("run", 1, 2).value(), 103);
}

TEST_P(LinkTest, TurnsAnExceptionOfAHostFunctionIntoATrap) {
  Linker linker(engine());
  linker.define("env", "print",
                [](int32_t, int32_t) -> int32_t { throw std::runtime_error("no"); });
  Sandbox guest = sandbox(linker, kReader);
  EXPECT_EQ(guest.call<int32_t>("run", 1, 2).message(),
            "trap: host error: the host function threw an exception");
}

TEST_P(LinkTest, CallsAFunctionWhoseTypeIsKnownAtRunTime) {
  Linker linker(engine());
  linker.define_dynamic("env", "print", {{ValueKind::kI32, ValueKind::kI32}, {ValueKind::kI32}},
                        [](Caller&, std::span<const Value> values) -> Result<std::vector<Value>> {
                          return std::vector<Value>(values.begin(), values.begin() + 1);
                        });
  Sandbox guest = sandbox(linker, kReader);
  EXPECT_EQ(guest.call<int32_t>("run", 8, 2).value(), 8);
}

TEST_P(LinkTest, NamesBothTypesOfAnImportThatDiffers) {
  Linker linker(engine());
  linker.define("env", "print", [](int64_t) {});
  EXPECT_THAT(link_error(linker, kReader).message,
              HasSubstr("\"env\" \"print\" is imported as function (i32, i32) -> (i32), but is "
                        "(i64) -> ()"));
}

TEST_P(LinkTest, ListsAllImportsThatAreMissing) {
  const Error error = link_error(Linker(engine()), R"((module
    (import "env" "a" (func (param i32)))
    (import "env" "b" (global i64))))");
  EXPECT_EQ(error.kind, ErrorKind::kLink);
  EXPECT_THAT(error.message, HasSubstr("\"env\" \"a\", function (i32) -> ()"));
  EXPECT_THAT(error.message, HasSubstr("\"env\" \"b\", global i64"));
}

TEST_P(LinkTest, RefusesANameThatIsDefinedTwice) {
  Linker linker(engine());
  linker.define("env", "print", negated).define("env", "print", negated);
  EXPECT_THAT(link_error(linker, kReader).message, HasSubstr("defined twice"));
}

TEST_P(LinkTest, LinksModulesToEachOther) {
  Linker linker(engine());
  linker.link("lib", program(R"((module
    (memory (export "memory") 1)
    (func (export "twice") (param i32) (result i32) (i32.shl (local.get 0) (i32.const 1)))))"));
  Sandbox guest = sandbox(linker, R"((module
    (import "lib" "memory" (memory 1))
    (import "lib" "twice" (func $twice (param i32) (result i32)))
    (export "memory" (memory 0))
    (func (export "run") (result i32) (call $twice (i32.load (i32.const 8))))))");
  ASSERT_TRUE(guest.memory()->store<uint32_t>(8, 21));
  EXPECT_EQ(guest.call<int32_t>("run").value(), 42);
}

TEST_P(LinkTest, StartsWithAllThatAModuleDoesAtItsStart) {
  CallOutcome ended;
  const auto made = Linker(engine()).instantiate(program(R"((module
    (func $start unreachable)
    (start $start)))"),
                                                 Policy(), &ended);
  EXPECT_FALSE(made);
  EXPECT_EQ(ended.kind, CallOutcome::Kind::kTrapped);
  EXPECT_THAT(made.error().message, HasSubstr("the start of module ended: trap: unreachable"));
}

TEST_P(LinkTest, RunsAWasiProgramWithNothingGranted) {
  Sandbox guest = sandbox(R"((module
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (func (export "_start") (call $exit (i32.const 3)))))");
  const auto outcome = guest.call("_start");
  EXPECT_EQ(outcome.kind(), CallOutcome::Kind::kExited);
  EXPECT_EQ(outcome.end().exit_code, 3U);
}

}  // namespace
}  // namespace mayfly
