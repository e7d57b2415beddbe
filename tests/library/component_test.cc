// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Components by dynamic values: calls, functions of the host, and what sandboxes can do.
#include "component_builder.h"
#include "library_test.h"

namespace mayfly {
namespace {

using testing::HasSubstr;
using Values = std::span<const ComponentValue>;
using Answer = Result<std::optional<ComponentValue>>;

constexpr const char* kHost = "test:pkg/host@1.2.3";
constexpr const char* kApi = "test:pkg/api@1.0.0";

Bytes echo_component() {
  ComponentBuilder builder(kHost, kApi);
  return builder.echo("number", kU32, "i32").echo("text", kString, "i32 i32").build();
}

class ComponentTest : public LibraryTest {
 protected:
  Program component(const Bytes& bytes) {
    auto loaded = engine().load(bytes, "echo");
    EXPECT_TRUE(loaded) << loaded.error().message;
    return std::move(*loaded);
  }
  // Answers n + 1 and the text twice.
  Linker linker() {
    Linker linker(engine());
    linker.define_component(kHost, "number", [](Caller&, Values values) -> Answer {
      return std::optional<ComponentValue>(*values[0].get<uint32_t>() + 1);
    });
    linker.define_component(kHost, "text", [](Caller&, Values values) -> Answer {
      const std::string text(values[0].text());
      return std::optional<ComponentValue>(text + text);
    });
    return linker;
  }
  Sandbox sandbox(const Linker& linker, const Policy& policy = Policy()) {
    auto made = linker.instantiate(component(echo_component()), policy);
    EXPECT_TRUE(made) << made.error().message;
    return std::move(*made);
  }
};

// What the call answered, or how it ended.
std::string call(const Sandbox& sandbox, std::string_view name, ComponentValue argument) {
  auto function = sandbox.component_function(name);
  if (!function) return function.error().message;
  const auto answer = function->call(std::array{std::move(argument)});
  if (!answer) return answer.message();
  if (!answer->has_value()) return "nothing";
  if ((*answer)->kind() == ComponentKind::kU32) return std::to_string(*(*answer)->get<uint32_t>());
  return std::string((*answer)->text());
}

TEST_P(ComponentTest, ListsItsFunctionsWithTheirTypes) {
  const Program program = component(echo_component());
  EXPECT_TRUE(program.is_component());
  const auto imports = program.imports();
  ASSERT_EQ(imports.size(), 2U);
  EXPECT_EQ(imports[0].module, kHost);
  EXPECT_EQ(imports[0].name, "number");
  EXPECT_EQ(imports[0].type, "func(x: u32) -> u32");
  const auto exports = program.exports();
  ASSERT_EQ(exports.size(), 2U);
  EXPECT_EQ(exports[1].module, kApi);
  EXPECT_EQ(exports[1].name, "text");
  EXPECT_EQ(exports[1].type, "func(x: string) -> string");
}

TEST_P(ComponentTest, PassesValuesToTheHostAndBack) {
  const Sandbox made = sandbox(linker());
  EXPECT_EQ(call(made, "test:pkg/api@1.0.0#number", 41U), "42");
  EXPECT_EQ(call(made, "test:pkg/api@1.0.0#text", "ab"), "abab");
  const std::string big(1 << 20, 'x');
  EXPECT_EQ(call(made, "test:pkg/api@1.0.0#text", big), big + big);
}

TEST_P(ComponentTest, FindsCompatibleVersionsOnly) {
  const Sandbox made = sandbox(linker());
  EXPECT_EQ(call(made, "test:pkg/api@1.3.0#number", 1U), "2");
  EXPECT_THAT(call(made, "test:pkg/api@2.0.0#number", 1U),
              HasSubstr("no function \"test:pkg/api@2.0.0#number\"; it has "
                        "test:pkg/api@1.0.0#number, test:pkg/api@1.0.0#text"));
  Linker other(engine());
  for (const char* name : {"number", "text"}) {
    other.define_component("test:pkg/host@1.0.0", name, [](Caller&, Values values) -> Answer {
      return std::optional(values[0]);
    });
  }
  EXPECT_EQ(call(sandbox(other), "test:pkg/api@1.0.0#number", 1U), "1");
}

TEST_P(ComponentTest, NamesImportsThatNothingDefines) {
  Linker linker(engine());
  linker.define_component("test:pkg/host@2.0.0", "number", {});
  const auto made = linker.instantiate(component(echo_component()));
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind, ErrorKind::kLink);
  EXPECT_EQ(made.error().message,
            "echo: nothing defines these imports: test:pkg/host@1.2.3#number: func(x: u32) -> u32; "
            "test:pkg/host@1.2.3#text: func(x: string) -> string");
}

TEST_P(ComponentTest, RefusesArgumentsOfAnotherTypeAndStaysWhole) {
  const Sandbox made = sandbox(linker());
  EXPECT_THAT(call(made, "test:pkg/api@1.0.0#number", "text"),
              HasSubstr("expected u32, got string"));
  const auto function = made.component_function("test:pkg/api@1.0.0#number");
  EXPECT_THAT(function->call({}).message(), HasSubstr("argument"));
  EXPECT_EQ(call(made, "test:pkg/api@1.0.0#number", 1U), "2");
}

TEST_P(ComponentTest, EndsCallsWhoseHostFunctionAnswersAnotherType) {
  Linker linker(engine());
  for (const char* name : {"number", "text"}) {
    linker.define_component(
        kHost, name, [](Caller&, Values) -> Answer { return std::optional<ComponentValue>(true); });
  }
  Sandbox made = sandbox(linker);
  EXPECT_THAT(call(made, "test:pkg/api@1.0.0#number", 1U), HasSubstr("expected u32, got bool"));
  EXPECT_TRUE(made.poisoned());
  ASSERT_TRUE(made.reset());
  EXPECT_FALSE(made.poisoned());
}

TEST_P(ComponentTest, LetsHostFunctionsFailAndCallBack) {
  Linker linker(engine());
  linker.define_component(kHost, "number", [](Caller&, Values) -> Answer {
    return Error{ErrorKind::kInvalid, "not today", 0};
  });
  linker.define_component(kHost, "text", [](Caller& caller, Values values) -> Answer {
    auto function = caller.component_function("test:pkg/api@1.0.0#text");
    if (!function) return std::move(function).error();
    if (values[0].text().size() > 20) return std::optional(values[0]);
    // The component may not be entered again: its own rule, so this is a trap.
    return Error{ErrorKind::kInvalid, function->call(values).message(), 0};
  });
  Sandbox made = sandbox(linker);
  EXPECT_EQ(call(made, "test:pkg/api@1.0.0#number", 1U), "trap: host error: not today");
  ASSERT_TRUE(made.reset());
  EXPECT_THAT(call(made, "test:pkg/api@1.0.0#text", "ab"), HasSubstr("cannot enter"));
  ASSERT_TRUE(made.reset());
  EXPECT_EQ(call(made, "test:pkg/api@1.0.0#text", "a text that comes back"),
            "a text that comes back");
}

TEST_P(ComponentTest, HasNoCoreExports) {
  const Sandbox made = sandbox(linker());
  EXPECT_THAT(made.function("test:pkg/api@1.0.0#number").error().message,
              HasSubstr("is a component"));
  EXPECT_FALSE(made.memory());
}

TEST_P(ComponentTest, GoesBackToSnapshotsAndFreezes) {
  const Linker linked = linker();
  Sandbox made = sandbox(linked);
  EXPECT_EQ(call(made, "test:pkg/api@1.0.0#text", std::string(100'000, 'a')).size(), 200'000U);
  const auto snapshot = made.snapshot();
  ASSERT_TRUE(snapshot) << snapshot.error().message;
  auto fork = linked.instantiate(*snapshot);
  ASSERT_TRUE(fork) << fork.error().message;
  EXPECT_EQ(call(*fork, "test:pkg/api@1.0.0#text", "ab"), "abab");
  ASSERT_TRUE(made.freeze());
  EXPECT_TRUE(made.frozen());
  EXPECT_EQ(call(made, "test:pkg/api@1.0.0#number", 1U), "2");
  ASSERT_TRUE(made.restore(*snapshot));
  EXPECT_EQ(call(made, "test:pkg/api@1.0.0#text", "cd"), "cdcd");
  ASSERT_TRUE(made.reset());
  EXPECT_EQ(call(made, "test:pkg/api@1.0.0#text", "ef"), "efef");
}

TEST_P(ComponentTest, ComesFromPools) {
  const Linker linked = linker();
  const auto pool = Pool::create(linked, component(echo_component()), Policy(), {});
  ASSERT_TRUE(pool) << pool.error().message;
  for (int i = 0; i < 3; ++i) {
    auto taken = pool->acquire();
    ASSERT_TRUE(taken) << taken.error().message;
    EXPECT_EQ(call(**taken, "test:pkg/api@1.0.0#text", "ab"), "abab");
  }
}

TEST_P(ComponentTest, IsHeldToLimits) {
  Limits limits;
  limits.memory_bytes_max = 1 << 20;
  limits.host_calls_max = 1;
  Sandbox made = sandbox(linker(), Policy().limits(limits));
  EXPECT_THAT(call(made, "test:pkg/api@1.0.0#text", std::string(2 << 20, 'x')),
              HasSubstr("more than the sandbox's memory"));
  EXPECT_FALSE(made.poisoned());
  EXPECT_EQ(call(made, "test:pkg/api@1.0.0#number", 1U), "2");
  EXPECT_EQ(made.usage().host_calls, 1U);
}

TEST_P(ComponentTest, EndsAtItsDeadline) {
  Linker linker(engine());
  for (const char* name : {"number", "text"}) {
    linker.define_component(kHost, name, [](Caller& caller, Values values) -> Answer {
      while (!caller.stop_token().stop_requested()) std::this_thread::yield();
      return std::optional(values[0]);
    });
  }
  Sandbox made = sandbox(linker);
  ASSERT_TRUE(made.set_deadline(std::chrono::milliseconds(20)));
  EXPECT_THAT(call(made, "test:pkg/api@1.0.0#number", 1U), HasSubstr("deadline"));
  EXPECT_TRUE(made.poisoned());
}

TEST_P(ComponentTest, PassesTypesThatHaveNamesThroughTheHost) {
  ComponentBuilder builder;
  const Bytes point = builder.record("point", {{"x", kS32}, {"label", kString}});
  const Bytes shape = builder.variant("shape", {{"none", {}}, {"dot", point}, {"size", kF64}});
  const Bytes color = builder.enumeration("color", {"red", "green"});
  const Bytes mode = builder.flags("mode", {"read", "write"});
  builder.echo("point", point, "i32 i32 i32")
      .echo("shape", shape, "i32 i64 i32 i32")
      .echo("color", color, "i32")
      .echo("mode", mode, "i32");
  Linker linker(engine());
  std::vector<ComponentValue> seen;
  for (const char* name : {"host-point", "host-shape", "host-color", "host-mode"}) {
    linker.define_component("", name, [&](Caller&, Values values) -> Answer {
      seen.push_back(values[0]);
      return std::optional(values[0]);
    });
  }
  const auto made = linker.instantiate(component(builder.build()));
  ASSERT_TRUE(made) << made.error().message;
  const auto record = ComponentValue::record({{"x", -5}, {"label", "here"}});
  const std::vector<std::pair<const char*, ComponentValue>> cases = {
      {"point", record},
      {"shape", ComponentValue::variant("dot", record)},
      {"shape", ComponentValue::variant("size", 2.5)},
      {"shape", ComponentValue::variant("none")},
      {"color", ComponentValue::enumeration("green")},
      {"mode", ComponentValue::flags({"write"})}};
  for (const auto& [name, value] : cases) {
    const auto function = made->component_function(name);
    ASSERT_TRUE(function) << function.error().message;
    const auto answer = function->call({&value, 1});
    ASSERT_TRUE(answer) << answer.message();
    EXPECT_TRUE(*answer.value() == value) << name;
    EXPECT_TRUE(seen.back() == value) << name;
  }
}

MAYFLY_ON_EACH_DRIVER(ComponentTest);

TEST(ComponentFuel, IsCountedAndEnds) {
  auto engine =
      Engine::create({.optimize = Optimize::kFast, .use_cache = false, .count_fuel = true});
  ASSERT_TRUE(engine) << engine.error().message;
  const auto program = engine->load(echo_component(), "echo");
  ASSERT_TRUE(program) << program.error().message;
  Linker linker(*engine);
  for (const char* name : {"number", "text"}) {
    linker.define_component(
        kHost, name, [](Caller&, Values values) -> Answer { return std::optional(values[0]); });
  }
  auto made = linker.instantiate(*program);
  ASSERT_TRUE(made) << made.error().message;
  ASSERT_TRUE(made->set_fuel(100'000));
  EXPECT_EQ(call(*made, "test:pkg/api@1.0.0#number", 1U), "1");
  ASSERT_TRUE(made->fuel_left());
  EXPECT_LT(*made->fuel_left(), 100'000);
  ASSERT_TRUE(made->set_fuel(1));
  EXPECT_THAT(call(*made, "test:pkg/api@1.0.0#number", 1U), HasSubstr("fuel"));
}

}  // namespace
}  // namespace mayfly
