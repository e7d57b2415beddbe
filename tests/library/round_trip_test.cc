// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Random values of every type of hyperlight-witguest.wit, from the host through a component to a
// host function, and back the same way: what the function has seen, and what the call answers, are
// the value. MAYFLY_ROUND_TRIPS says how many of each type.
#include <bit>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <limits>
#include <random>

#include "component_builder.h"
#include "resource_components.h"

namespace mayfly {
namespace {

struct TestRecord {
  std::string contents;
  uint64_t length = 0;
  bool operator==(const TestRecord&) const = default;
};
struct SmallFlags {
  bool a = false, b = false, c = false;
  bool operator==(const SmallFlags&) const = default;
};
struct LargeFlags {
  bool f00 = false, f01 = false, f02 = false, f03 = false, f04 = false, f05 = false, f06 = false,
       f07 = false, f08 = false, f09 = false, f0a = false, f0b = false, f0c = false, f0d = false,
       f0e = false, f0f = false, f10 = false, f11 = false, f12 = false, f13 = false, f14 = false,
       f15 = false, f16 = false, f17 = false, f18 = false, f19 = false, f1a = false, f1b = false,
       f1c = false, f1d = false, f1e = false, f1f = false;
  bool operator==(const LargeFlags&) const = default;
};
struct TestVariant {
  std::variant<std::monostate, std::string, char32_t> is;
  bool operator==(const TestVariant&) const = default;
};
enum class TestEnum : uint8_t { kA, kB, kC };

constexpr std::array<bool LargeFlags::*, 32> kLargeFlags = {
    &LargeFlags::f00, &LargeFlags::f01, &LargeFlags::f02, &LargeFlags::f03, &LargeFlags::f04,
    &LargeFlags::f05, &LargeFlags::f06, &LargeFlags::f07, &LargeFlags::f08, &LargeFlags::f09,
    &LargeFlags::f0a, &LargeFlags::f0b, &LargeFlags::f0c, &LargeFlags::f0d, &LargeFlags::f0e,
    &LargeFlags::f0f, &LargeFlags::f10, &LargeFlags::f11, &LargeFlags::f12, &LargeFlags::f13,
    &LargeFlags::f14, &LargeFlags::f15, &LargeFlags::f16, &LargeFlags::f17, &LargeFlags::f18,
    &LargeFlags::f19, &LargeFlags::f1a, &LargeFlags::f1b, &LargeFlags::f1c, &LargeFlags::f1d,
    &LargeFlags::f1e, &LargeFlags::f1f};
constexpr std::array<std::string_view, 32> kLargeNames = {
    "flag00", "flag01", "flag02", "flag03", "flag04", "flag05", "flag06", "flag07",
    "flag08", "flag09", "flag0a", "flag0b", "flag0c", "flag0d", "flag0e", "flag0f",
    "flag10", "flag11", "flag12", "flag13", "flag14", "flag15", "flag16", "flag17",
    "flag18", "flag19", "flag1a", "flag1b", "flag1c", "flag1d", "flag1e", "flag1f"};

template <size_t... I>
constexpr auto describe_large_flags(std::index_sequence<I...>) {
  return wit::flags(wit::field(kLargeNames[I], kLargeFlags[I])...);
}

}  // namespace
}  // namespace mayfly

template <>
inline constexpr auto mayfly::kWit<mayfly::TestRecord> =
    mayfly::wit::record(mayfly::wit::field("contents", &mayfly::TestRecord::contents),
                        mayfly::wit::field("length", &mayfly::TestRecord::length));
template <>
inline constexpr auto mayfly::kWit<mayfly::SmallFlags> =
    mayfly::wit::flags(mayfly::wit::field("flag-a", &mayfly::SmallFlags::a),
                       mayfly::wit::field("flag-b", &mayfly::SmallFlags::b),
                       mayfly::wit::field("flag-c", &mayfly::SmallFlags::c));
template <>
inline constexpr auto mayfly::kWit<mayfly::LargeFlags> =
    mayfly::describe_large_flags(std::make_index_sequence<32>());
template <>
inline constexpr auto mayfly::kWit<mayfly::TestVariant> =
    mayfly::wit::variant(&mayfly::TestVariant::is, "variant-a", "variant-b", "variant-c");
template <>
inline constexpr auto mayfly::kWit<mayfly::TestEnum> =
    mayfly::wit::enumeration("enum-a", "enum-b", "enum-c");

namespace mayfly {
namespace {

int round_trips() {
  const char* const wanted = std::getenv("MAYFLY_ROUND_TRIPS");
  return wanted == nullptr ? 50 : std::atoi(wanted);
}

// Random values of each type; the corners of it more often than by chance.
class Values {
 public:
  template <typename T>
  T make();

 private:
  uint64_t below(uint64_t end) { return random_() % end; }
  template <std::integral T>
  T number() {
    switch (below(8)) {
      case 0:
        return std::numeric_limits<T>::min();
      case 1:
        return std::numeric_limits<T>::max();
      default:
        return static_cast<T>(random_());
    }
  }
  // NaNs are all one to components, and differ from themselves.
  template <std::floating_point T, typename Bits>
  T real() {
    const T value = std::bit_cast<T>(static_cast<Bits>(random_()));
    return std::isnan(value) ? -std::numeric_limits<T>::infinity() : value;
  }

  std::mt19937_64 random_{11};
};

template <>
bool Values::make<bool>() {
  return below(2) == 0;
}
template <>
float Values::make<float>() {
  return real<float, uint32_t>();
}
template <>
double Values::make<double>() {
  return real<double, uint64_t>();
}
template <>
char32_t Values::make<char32_t>() {
  const auto value = static_cast<char32_t>(below(4) == 0 ? below(0x10F800) : below(0x80));
  return value < 0xD800 ? value : value + 0x800;
}
template <>
std::string Values::make<std::string>() {
  static constexpr std::array<std::string_view, 5> kParts = {"a", std::string_view("\0", 1),
                                                             "\u00e9", "\u20ac", "\U0001f980"};
  std::string made;
  for (uint64_t i = below(below(20) == 0 ? 5000 : 20); i > 0; --i) made += kParts.at(below(5));
  return made;
}
template <>
TestRecord Values::make<TestRecord>() {
  return {make<std::string>(), number<uint64_t>()};
}
template <>
SmallFlags Values::make<SmallFlags>() {
  return {make<bool>(), make<bool>(), make<bool>()};
}
template <>
LargeFlags Values::make<LargeFlags>() {
  LargeFlags made;
  const uint64_t bits = random_();
  for (size_t i = 0; i < kLargeFlags.size(); ++i) made.*kLargeFlags.at(i) = (bits >> i & 1) != 0;
  return made;
}
template <>
TestVariant Values::make<TestVariant>() {
  const uint64_t kind = below(3);
  if (kind == 0) return {};
  return kind == 1 ? TestVariant{make<std::string>()} : TestVariant{make<char32_t>()};
}
template <>
TestEnum Values::make<TestEnum>() {
  return static_cast<TestEnum>(below(3));
}

template <typename T>
struct Maker {
  static T make(Values& values) { return values.make<T>(); }
};
template <typename T>
struct Maker<std::vector<T>> {
  static std::vector<T> make(Values& values) {
    std::vector<T> made(Maker<uint8_t>::make(values) % 40);
    for (T& item : made) item = Maker<T>::make(values);
    return made;
  }
};
template <typename T, size_t kLength>
struct Maker<std::array<T, kLength>> {
  static std::array<T, kLength> make(Values& values) {
    std::array<T, kLength> made;
    for (T& item : made) item = Maker<T>::make(values);
    return made;
  }
};
template <typename... Ts>
struct Maker<std::tuple<Ts...>> {
  static std::tuple<Ts...> make(Values& values) { return {Maker<Ts>::make(values)...}; }
};
template <typename T>
struct Maker<std::optional<T>> {
  static std::optional<T> make(Values& values) {
    if (values.make<bool>()) return std::nullopt;
    return Maker<T>::make(values);
  }
};
template <typename T, typename E>
struct Maker<ComponentResult<T, E>> {
  static ComponentResult<T, E> make(Values& values) {
    if (values.make<bool>()) return ComponentError{Maker<E>::make(values)};
    return Maker<T>::make(values);
  }
};
template <>
int8_t Values::make<int8_t>() {
  return number<int8_t>();
}
template <>
uint8_t Values::make<uint8_t>() {
  return number<uint8_t>();
}
template <>
int16_t Values::make<int16_t>() {
  return number<int16_t>();
}
template <>
uint16_t Values::make<uint16_t>() {
  return number<uint16_t>();
}
template <>
int32_t Values::make<int32_t>() {
  return number<int32_t>();
}
template <>
uint32_t Values::make<uint32_t>() {
  return number<uint32_t>();
}
template <>
int64_t Values::make<int64_t>() {
  return number<int64_t>();
}
template <>
uint64_t Values::make<uint64_t>() {
  return number<uint64_t>();
}

class RoundTripTest : public LibraryTest {
 protected:
  Bytes fixed(const Bytes& type, uint8_t length) {
    return builder_.define(Bytes{0x67} + type + Bytes{length});
  }

  // A type by its WIT and by its C++, and what it is passed as.
  template <typename T>
  void add(const std::string& name, const Bytes& type, const std::string& flat) {
    builder_.echo(name, type, flat);
    auto seen = std::make_shared<T>();
    linker_->define("", "host-" + name, [seen](const T& value) {
      *seen = value;
      return value;
    });
    checks_.push_back([this, name, seen](const Sandbox& sandbox) {
      const auto function = sandbox.component_function<T(const T&)>(name);
      ASSERT_TRUE(function) << function.error().message;
      for (int i = 0; i < round_trips(); ++i) {
        const T value = Maker<T>::make(values_);
        const auto answer = (*function)(value);
        ASSERT_TRUE(answer) << name << ": " << answer.message();
        ASSERT_TRUE(*answer == value) << name << " " << i;
        ASSERT_TRUE(*seen == value) << name << " " << i;
      }
    });
  }

  void add_all() {
    add<bool>("bool", kBool, "i32");
    add<int8_t>("s8", kS8, "i32");
    add<int16_t>("s16", kS16, "i32");
    add<int32_t>("s32", kS32, "i32");
    add<int64_t>("s64", kS64, "i64");
    add<uint8_t>("u8", kU8, "i32");
    add<uint16_t>("u16", kU16, "i32");
    add<uint32_t>("u32", kU32, "i32");
    add<uint64_t>("u64", kU64, "i64");
    add<float>("f32", kF32, "f32");
    add<double>("f64", kF64, "f64");
    add<char32_t>("char", kChar, "i32");
    add<std::string>("string", kString, "i32 i32");
    add<std::vector<uint8_t>>("list", builder_.list(kU8), "i32 i32");
    add<std::tuple<std::string, uint8_t>>("tuple", builder_.tuple({kString, kU8}), "i32 i32 i32");
    add<std::optional<std::string>>("option", builder_.option(kString), "i32 i32 i32");
    add<ComponentResult<char32_t, std::string>>("result", builder_.result(kChar, kString),
                                                "i32 i32 i32");
    add_fixed_lists();
    add<TestRecord>("record",
                    builder_.record("testrecord", {{"contents", kString}, {"length", kU64}}),
                    "i32 i32 i64");
    add<SmallFlags>("flags-small", builder_.flags("smallflags", {"flag-a", "flag-b", "flag-c"}),
                    "i32");
    add<LargeFlags>("flags-large",
                    builder_.flags("largeflags", {kLargeNames.begin(), kLargeNames.end()}), "i32");
    add<TestVariant>(
        "variant",
        builder_.variant("testvariant",
                         {{"variant-a", {}}, {"variant-b", kString}, {"variant-c", kChar}}),
        "i32 i32 i32");
    add<TestEnum>("enum", builder_.enumeration("testenum", {"enum-a", "enum-b", "enum-c"}), "i32");
  }
  void add_fixed_lists() {
    const std::string words = "i32 i32 i32 i32";
    const std::string longs = "i64 i64 i64 i64";
    add<std::array<uint8_t, 4>>("fix-list", fixed(kU8, 4), words);
    add<std::array<uint32_t, 4>>("fix-list-u32", fixed(kU32, 4), words);
    add<std::array<uint64_t, 4>>("fix-list-u64", fixed(kU64, 4), longs);
    add<std::array<int8_t, 4>>("fix-list-i8", fixed(kS8, 4), words);
    add<std::array<int16_t, 4>>("fix-list-i16", fixed(kS16, 4), words);
    add<std::array<int32_t, 4>>("fix-list-i32", fixed(kS32, 4), words);
    add<std::array<int64_t, 4>>("fix-list-i64", fixed(kS64, 4), longs);
    add<std::array<float, 4>>("fix-list-f32", fixed(kF32, 4), "f32 f32 f32 f32");
    add<std::array<double, 4>>("fix-list-f64", fixed(kF64, 4), "f64 f64 f64 f64");
    add<std::array<uint8_t, 8>>("fix-list-u8-size8", fixed(kU8, 8), words + " " + words);
    add<std::array<uint64_t, 2>>("fix-list-u64-size2", fixed(kU64, 2), "i64 i64");
    add<std::array<std::string, 4>>("fix-list-string", fixed(kString, 4), words + " " + words);
    add<std::array<std::vector<uint8_t>, 3>>("fix-array-of-lists", fixed(builder_.list(kU8), 3),
                                             words + " i32 i32");
    add<std::array<std::vector<std::string>, 2>>("fix-array-of-string-lists",
                                                 fixed(builder_.list(kString), 2), words);
  }

  void SetUp() override {
    LibraryTest::SetUp();
    if (!IsSkipped()) linker_.emplace(engine());
  }

  Values values_;
  ComponentBuilder builder_;
  std::optional<Linker> linker_;
  std::vector<std::function<void(const Sandbox&)>> checks_;
};

TEST_P(RoundTripTest, KeepsEveryValueOfEveryType) {
  add_all();
  const auto program = engine().load(builder_.build(), "echo");
  ASSERT_TRUE(program) << program.error().message;
  auto made = linker_->instantiate(*program);
  ASSERT_TRUE(made) << made.error().message;
  for (const auto& check : checks_) {
    check(*made);
    // The component's realloc only goes up.
    ASSERT_TRUE(made->reset());
  }
}

struct Letters {
  std::string text;
};

// In as own, lent, back out; and inside a list.
TEST_P(RoundTripTest, KeepsResourcesOfTheHost) {
  linker_->define_resource<Letters>(kCounters, "counter");
  linker_->define(kCounters, "[constructor]counter",
                  [](uint32_t length) { return Own<Letters>::make(std::string(length, 'x')); });
  linker_->define(kCounters, "[method]counter.add", [](Borrow<Letters> self, uint32_t more) {
    self->text.append(more, 'y');
    return static_cast<uint32_t>(self->text.size());
  });
  linker_->define(kCounters, "consume",
                  [](Own<Letters> letters) { return static_cast<uint32_t>(letters->text.size()); });
  const auto program = engine().load(counter_component(), "letters");
  ASSERT_TRUE(program) << program.error().message;
  auto made = linker_->instantiate(*program);
  ASSERT_TRUE(made) << made.error().message;
  const auto take = made->component_function<void(Own<Letters>)>("take").value();
  const auto look = made->component_function<uint32_t(Borrow<Letters>)>("look").value();
  const auto give = made->component_function<Own<Letters>()>("give").value();
  const auto pass =
      made->component_function<std::vector<Own<Letters>>(std::vector<Own<Letters>>)>("pass-list")
          .value();
  for (int i = 0; i < round_trips(); ++i) {
    const std::string text = values_.make<std::string>();
    ASSERT_TRUE(take(Own<Letters>::make(text)));
    Own<Letters> back = give().value();
    ASSERT_EQ(back->text, text);
    ASSERT_EQ(look(back).value(), text.size() + 5);
    std::vector<Own<Letters>> list(3);
    for (Own<Letters>& item : list) item = Own<Letters>::make(text);
    const auto answer = pass(std::move(list));
    ASSERT_TRUE(answer) << answer.message();
    for (const Own<Letters>& item : *answer) ASSERT_EQ(item->text, text);
  }
}

MAYFLY_ON_EACH_DRIVER(RoundTripTest);

}  // namespace
}  // namespace mayfly
