// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Components by C++ types: every type of WIT to the host and back, wrong signatures, hostile
// values.
#include <random>

#include "component_builder.h"
#include "library_test.h"

namespace mayfly {
namespace {

using testing::HasSubstr;

struct Point {
  int32_t x = 0;
  std::string label;
  bool operator==(const Point&) const = default;
};
enum class Color : uint8_t { kRed, kGreen };
struct Mode {
  bool read = false;
  bool write = false;
  bool operator==(const Mode&) const = default;
};
struct Shape {
  std::variant<std::monostate, Point, double> is;
  bool operator==(const Shape&) const = default;
};

}  // namespace
}  // namespace mayfly

template <>
inline constexpr auto mayfly::kWit<mayfly::Point> = mayfly::wit::record(
    mayfly::wit::field("x", &mayfly::Point::x), mayfly::wit::field("label", &mayfly::Point::label));
template <>
inline constexpr auto mayfly::kWit<mayfly::Color> = mayfly::wit::enumeration("red", "green");
template <>
inline constexpr auto mayfly::kWit<mayfly::Mode> =
    mayfly::wit::flags(mayfly::wit::field("read", &mayfly::Mode::read),
                       mayfly::wit::field("write", &mayfly::Mode::write));
template <>
inline constexpr auto mayfly::kWit<mayfly::Shape> =
    mayfly::wit::variant(&mayfly::Shape::is, "none", "dot", "size");

namespace mayfly {
namespace {

constexpr const char* kHost = "test:pkg/host@1.2.3";
constexpr const char* kApi = "test:pkg/api@1.0.0";

using Names = std::vector<std::string>;
using Answer = ComponentResult<std::vector<Point>, std::string>;
using Numbers =
    std::tuple<int8_t, uint8_t, int16_t, uint16_t, int32_t, uint32_t, int64_t, uint64_t>;
using Wide = std::tuple<Numbers, Numbers, char32_t>;  // more than 16 flat values

// One function for each type, its name, its type of WIT, and how it is passed.
struct Types {
  ComponentBuilder builder;
  Bytes point = builder.record("point", {{"x", kS32}, {"label", kString}});
  Bytes shape = builder.variant("shape", {{"none", {}}, {"dot", point}, {"size", kF64}});
  Bytes color = builder.enumeration("color", {"red", "green"});
  Bytes mode = builder.flags("mode", {"read", "write"});
  Bytes numbers = builder.tuple({kS8, kU8, kS16, kU16, kS32, kU32, kS64, kU64});

  Bytes build() {
    builder.echo("boolean", kBool, "i32")
        .echo("s8", kS8, "i32")
        .echo("u64", kU64, "i64")
        .echo("float", kF32, "f32")
        .echo("double", kF64, "f64")
        .echo("character", kChar, "i32")
        .echo("text", kString, "i32 i32")
        .echo("numbers", numbers, "i32 i32 i32 i32 i32 i32 i64 i64")
        .echo("wide", builder.tuple({numbers, numbers, kChar}), "memory")
        .echo("bytes", builder.list(kU8), "i32 i32")
        .echo("doubles", builder.list(kF64), "i32 i32")
        .echo("bools", builder.list(kBool), "i32 i32")
        .echo("names", builder.list(kString), "i32 i32")
        .echo("maybe", builder.option(kString), "i32 i32 i32")
        .echo("answer", builder.result(builder.list(point), kString), "i32 i32 i32")
        .echo("status", builder.result({}, {}), "i32")
        .echo("point", point, "i32 i32 i32")
        .echo("shape", shape, "i32 i64 i32 i32")
        .echo("color", color, "i32")
        .echo("mode", mode, "i32");
    return builder.build();
  }
};

class TypedComponentTest : public LibraryTest {
 protected:
  Program component(const Bytes& bytes) {
    auto loaded = engine().load(bytes, "echo");
    EXPECT_TRUE(loaded) << loaded.error().message;
    return std::move(*loaded);
  }
  Program echo() {
    ComponentBuilder builder(kHost, kApi);
    return component(builder.echo("number", kU32, "i32").echo("text", kString, "i32 i32").build());
  }
  Linker linker() {
    Linker linker(engine());
    linker.define(kHost, "number", [](uint32_t x) { return x + 1; });
    linker.define(kHost, "text", [](std::string_view text) { return std::string(text) + "!"; });
    return linker;
  }
  Sandbox sandbox(const Linker& linker, const Program& program) {
    auto made = linker.instantiate(program);
    EXPECT_TRUE(made) << made.error().message;
    return std::move(*made);
  }
};

TEST_P(TypedComponentTest, CallsAndIsCalled) {
  const Sandbox made = sandbox(linker(), echo());
  const auto number = made.component_function<uint32_t(uint32_t)>("test:pkg/api@1.0.0#number");
  ASSERT_TRUE(number) << number.error().message;
  EXPECT_EQ(*(*number)(41), 42U);
  const auto text =
      made.component_function<std::string(std::string_view)>("test:pkg/api@1.3.0#text");
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(*(*text)("ab"), "ab!");
  const std::string big(1 << 20, 'x');
  EXPECT_EQ(*(*text)(big), big + "!");
}

// Random values of one type there and back, and what the host function has seen.
template <typename T, typename Make>
void round_trip(Linker& linker, std::vector<std::function<void(const Sandbox&)>>& checks,
                const std::string& name, Make make) {
  auto seen = std::make_shared<std::vector<T>>();
  linker.define("", "host-" + name, [seen](const T& value) {
    seen->push_back(value);
    return value;
  });
  checks.push_back([seen, name, make](const Sandbox& sandbox) {
    const auto function = sandbox.component_function<T(const T&)>(name);
    ASSERT_TRUE(function) << function.error().message;
    for (int i = 0; i < 20; ++i) {
      const T value = make();
      const auto answer = (*function)(value);
      ASSERT_TRUE(answer) << name << ": " << answer.message();
      EXPECT_TRUE(*answer == value) << name;
      EXPECT_TRUE(seen->back() == value) << name;
    }
  });
}

TEST_P(TypedComponentTest, PassesEveryTypeThroughTheHost) {
  auto random = std::make_shared<std::mt19937_64>(7);
  const auto below = [random](uint64_t end) { return (*random)() % end; };
  const auto text = [below] {
    std::string made;
    for (uint64_t i = below(20); i > 0; --i) made += below(2) == 0 ? "a" : "\u20ac";
    return made;
  };
  const auto point = [below, text] {
    return Point{static_cast<int32_t>(below(1ULL << 32)), text()};
  };
  const auto numbers = [random] {
    auto& r = *random;
    return Numbers(r(), r(), r(), r(), r(), r(), r(), r());
  };
  Linker linker(engine());
  std::vector<std::function<void(const Sandbox&)>> checks;
  round_trip<bool>(linker, checks, "boolean", [below] { return below(2) == 0; });
  round_trip<int8_t>(linker, checks, "s8", [below] { return static_cast<int8_t>(below(256)); });
  round_trip<uint64_t>(linker, checks, "u64", [random] { return (*random)(); });
  round_trip<float>(linker, checks, "float",
                    [below] { return 1.5F * static_cast<float>(below(99)); });
  round_trip<double>(linker, checks, "double",
                     [below] { return -0.5 * static_cast<double>(below(99)); });
  round_trip<char32_t>(linker, checks, "character",
                       [below] { return static_cast<char32_t>(below(0xD800)); });
  round_trip<std::string>(linker, checks, "text", text);
  round_trip<Numbers>(linker, checks, "numbers", numbers);
  round_trip<Wide>(linker, checks, "wide",
                   [numbers] { return Wide(numbers(), numbers(), U'\u20ac'); });
  round_trip<std::vector<uint8_t>>(linker, checks, "bytes",
                                   [below] { return Bytes(below(300), 7); });
  round_trip<std::vector<double>>(linker, checks, "doubles",
                                  [below] { return std::vector<double>(below(9), 2.5); });
  round_trip<std::vector<bool>>(linker, checks, "bools",
                                [below] { return std::vector<bool>{true, below(2) == 0, false}; });
  round_trip<Names>(linker, checks, "names", [text] { return Names{text(), "", text()}; });
  round_trip<std::optional<std::string>>(linker, checks, "maybe", [below, text] {
    return below(2) == 0 ? std::nullopt : std::optional(text());
  });
  round_trip<Answer>(linker, checks, "answer", [below, text, point]() -> Answer {
    if (below(2) == 0) return ComponentError{text()};
    return std::vector<Point>{point(), point()};
  });
  round_trip<ComponentResult<void, void>>(linker, checks, "status",
                                          [below]() -> ComponentResult<void, void> {
                                            if (below(2) == 0) return ComponentError<>{};
                                            return {};
                                          });
  round_trip<Point>(linker, checks, "point", point);
  round_trip<Shape>(linker, checks, "shape", [below, point] {
    const auto kind = below(3);
    if (kind == 0) return Shape{};
    return kind == 1 ? Shape{point()} : Shape{0.25 * static_cast<double>(below(100))};
  });
  round_trip<Color>(linker, checks, "color",
                    [below] { return Color{static_cast<uint8_t>(below(2))}; });
  round_trip<Mode>(linker, checks, "mode", [below] { return Mode{below(2) == 0, below(2) == 0}; });
  const Sandbox made = sandbox(linker, component(Types().build()));
  for (const auto& check : checks) check(made);
}

TEST_P(TypedComponentTest, RefusesExportsOfAnotherTypeNamingBoth) {
  const Sandbox made = sandbox(linker(), echo());
  const auto number = made.component_function<uint32_t(std::string)>("test:pkg/api@1.0.0#number");
  ASSERT_FALSE(number);
  EXPECT_EQ(number.error().message,
            "the function \"test:pkg/api@1.0.0#number\" has the type func(x: u32) -> u32, but is "
            "called as func(string) -> u32");
  EXPECT_FALSE(made.component_function<void(uint32_t)>("test:pkg/api@1.0.0#number"));
  EXPECT_FALSE(made.component_function<uint32_t()>("test:pkg/api@1.0.0#number"));
  EXPECT_FALSE(made.component_function<int32_t(uint32_t)>("test:pkg/api@1.0.0#number"));
  EXPECT_FALSE(made.component_function<uint32_t(uint32_t)>("number"));
}

TEST_P(TypedComponentTest, RefusesImportsOfAnotherTypeWhenItIsLinked) {
  Linker linker(engine());
  linker.define(kHost, "number", [](int32_t x) { return x; });
  linker.define(kHost, "text", [](std::string_view) { return Mode(); });
  const auto made = linker.instantiate(echo());
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind, ErrorKind::kLink);
  EXPECT_EQ(made.error().message,
            "echo: these imports are of another type: test:pkg/host@1.2.3#number: func(x: u32) -> "
            "u32, but was defined as func(s32) -> s32; test:pkg/host@1.2.3#text: func(x: string) "
            "-> string, but was defined as func(string) -> flags { read, write }");
  Linker half(engine());
  half.define(kHost, "number", [](uint32_t) {});
  EXPECT_EQ(half.prepare(echo()).error().message,
            "echo: nothing defines these imports: test:pkg/host@1.2.3#text: func(x: string) -> "
            "string; these imports are of another type: test:pkg/host@1.2.3#number: func(x: u32) "
            "-> u32, but was defined as func(u32)");
}

TEST_P(TypedComponentTest, BindsImportsOfCompatibleVersions) {
  Linker linker(engine());
  linker.define("test:pkg/host@1.9.0", "number", [](uint32_t x) { return x; });
  linker.define("test:pkg/host@1.9.0", "text", [](const std::string& text) { return text; });
  EXPECT_TRUE(linker.prepare(echo()));
  Linker other(engine());
  other.define("test:pkg/host@2.0.0", "number", [](uint32_t x) { return x; });
  EXPECT_THAT(other.prepare(echo()).error().message, HasSubstr("nothing defines"));
}

TEST_P(TypedComponentTest, EndsCallsWhoseHostFunctionFails) {
  Linker linker(engine());
  linker.define(kHost, "number", [](Caller&, uint32_t) -> Result<uint32_t> {
    return Error{ErrorKind::kInvalid, "not today", 0};
  });
  linker.define(kHost, "text", [](const std::string&) { return std::string("\xff"); });
  Sandbox made = sandbox(linker, echo());
  const auto number = made.component_function<uint32_t(uint32_t)>("test:pkg/api@1.0.0#number");
  EXPECT_EQ((*number)(1).message(), "trap: host error: not today");
  ASSERT_TRUE(made.reset());
  const auto text = made.component_function<std::string(std::string)>("test:pkg/api@1.0.0#text");
  EXPECT_EQ((*text)("a").message(), "trap: host error: result: string is not UTF-8");
}

TEST_P(TypedComponentTest, RefusesArgumentsThatAreNoneAndStaysWhole) {
  const Sandbox made = sandbox(linker(), echo());
  const auto text = made.component_function<std::string(std::string)>("test:pkg/api@1.0.0#text");
  EXPECT_THAT((*text)("\xff").message(), HasSubstr("argument 1: string is not UTF-8"));
  EXPECT_FALSE(made.poisoned());
  EXPECT_EQ(*(*text)("a"), "a!");
}

TEST_P(TypedComponentTest, HoldsTheComponentToItsLimitOfTheHostsMemory) {
  Limits limits;
  limits.lifted_bytes_max = 1000;
  auto made = linker().instantiate(echo(), Policy().limits(limits));
  ASSERT_TRUE(made) << made.error().message;
  const auto text =
      made->component_function<std::string(std::string_view)>("test:pkg/api@1.0.0#text");
  ASSERT_TRUE(text);
  EXPECT_TRUE((*text)(std::string(990, 'a')));
  EXPECT_THAT((*text)(std::string(1001, 'a')).message(), HasSubstr("more bytes of the host"));
  ASSERT_TRUE(made->reset());
  const auto dynamic = made->component_function("test:pkg/api@1.0.0#text");
  ASSERT_TRUE(dynamic);
  const ComponentValue big = ComponentValue(std::string(1000, 'a'));
  EXPECT_THAT(dynamic->call({&big, 1}).message(), HasSubstr("more bytes of the host"));
}

TEST_P(TypedComponentTest, LetsHostFunctionsCallBackAndKeepViews) {
  Linker linker(engine());
  linker.define(kHost, "number", [](uint32_t x) { return x; });
  linker.define(kHost, "text", [](Caller& caller, std::string_view text) -> Result<std::string> {
    auto again =
        caller.component_function<std::string(std::string_view)>("test:pkg/api@1.0.0#text");
    if (!again) return std::move(again).error();
    // The component may not be entered again: its own rule.
    return std::string(text) + ((*again)(text) ? " entered" : " refused");
  });
  const Sandbox made = sandbox(linker, echo());
  const auto text = made.component_function<std::string(std::string)>("test:pkg/api@1.0.0#text");
  EXPECT_THAT((*text)("a").message(), HasSubstr("cannot enter"));
}

// The same callable where types of both kinds have it.
TEST_P(TypedComponentTest, DefinesFunctionsOfModulesToo) {
  Linker linker(engine());
  linker.define("", "host-number", [](uint32_t x) { return x * 2; });
  ComponentBuilder builder;
  const Sandbox of_component =
      sandbox(linker, component(builder.echo("number", kU32, "i32").build()));
  EXPECT_EQ(*(*of_component.component_function<uint32_t(uint32_t)>("number"))(4), 8U);
  Sandbox of_module = LibraryTest::sandbox(
      linker, R"((module (import "" "host-number" (func $f (param i32) (result i32)))
        (func (export "run") (result i32) (call $f (i32.const 5)))))");
  EXPECT_EQ(*of_module.call<int32_t>("run"), 10);
}

MAYFLY_ON_EACH_DRIVER(TypedComponentTest);

}  // namespace
}  // namespace mayfly
