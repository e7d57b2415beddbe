// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The lowering and lifting of C++ types (mayfly/component_abi.h) next to that of dynamic values,
// which tests/component compares with the oracle's: the same words, bytes and errors, of whole
// values and of damaged ones.
#include <gtest/gtest.h>

#include <array>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "component/host_lift.h"
#include "component/host_lower.h"
#include "component/shape.h"
#include "component/test_types.h"
#include "mayfly/component_abi.h"
#include "mayfly/component_described.h"

namespace mayfly::component {
namespace {

struct Point {
  uint8_t x = 0;
  std::string label;
};
enum class Color : uint8_t { kRed, kGreen, kBlue };
struct Mode {
  bool read = false;
  bool write = false;
};
struct Shape {
  std::variant<std::monostate, float, std::vector<Point>> is;
};

}  // namespace
}  // namespace mayfly::component

template <>
inline constexpr auto mayfly::kWit<mayfly::component::Point> =
    mayfly::wit::record(mayfly::wit::field("x", &mayfly::component::Point::x),
                        mayfly::wit::field("label", &mayfly::component::Point::label));
template <>
inline constexpr auto mayfly::kWit<mayfly::component::Color> =
    mayfly::wit::enumeration("red", "green", "blue");
template <>
inline constexpr auto mayfly::kWit<mayfly::component::Mode> =
    mayfly::wit::flags(mayfly::wit::field("read", &mayfly::component::Mode::read),
                       mayfly::wit::field("write", &mayfly::component::Mode::write));
template <>
inline constexpr auto mayfly::kWit<mayfly::component::Shape> =
    mayfly::wit::variant(&mayfly::component::Shape::is, "none", "size", "dots");

namespace mayfly::component {
namespace {

constexpr uint32_t kBase = 64;
constexpr uint32_t kMemoryBytes = 512;

struct Lowered {
  std::vector<uint64_t> flat;
  std::vector<uint8_t> memory = std::vector<uint8_t>(kMemoryBytes);
};

struct TypedAbi : testing::Test {
  TestTypes types;
  ValType point =
      types.add(TypeKind::kRecord, {types.member("x", kU8), types.member("label", kString)});
  ValType color = types.names(TypeKind::kEnum, {"red", "green", "blue"});
  ValType mode = types.names(TypeKind::kFlags, {"read", "write"});
  ValType shape = types.add(TypeKind::kVariant,
                            {types.member("none"), types.member("size", ValType::of(Prim::kF32)),
                             types.member("dots", types.list(point))});
  std::mt19937_64 random{1};

  Lowered lower_dynamic(ValType type, const ComponentValue& value) const {
    Lowered lowered;
    const std::array wanted = {type};
    const std::array values = {value};
    const auto bytes = lowered_bytes(types.arena, wanted, values, ValueRole::kArgument).value();
    const FlatValues flat = lower_values(types.arena, wanted, values, ValueRole::kArgument, kBase,
                                         std::span(lowered.memory).subspan(kBase, bytes));
    lowered.flat.assign(flat.values().begin(), flat.values().end());
    return lowered;
  }

  template <typename T>
  Lowered lower_typed(const T& value) const {
    using Type = detail::Abi<T>;
    Lowered lowered;
    detail::TransferSize size;
    if constexpr (Type::kFlat > kMaxFlatParams) size.allocate(Type::kSize, Type::kAlignment);
    Type::measure(value, size);
    const auto bytes = size.finish();
    EXPECT_TRUE(bytes) << bytes.error().message;
    detail::TransferWriter writer(std::span(lowered.memory).subspan(kBase, *bytes), kBase);
    if constexpr (Type::kFlat > kMaxFlatParams) {
      lowered.flat.push_back(writer.allocate(Type::kSize, Type::kAlignment));
      Type::store(value, writer, kBase);
    } else {
      lowered.flat.resize(Type::kFlat);
      uint64_t* next = lowered.flat.data();
      Type::lower(value, writer, next);
      EXPECT_EQ(next, lowered.flat.data() + Type::kFlat);
    }
    return lowered;
  }

  template <typename T>
  static Result<void> lift_typed(const Lowered& from, T& out) {
    using Type = detail::Abi<T>;
    detail::TransferReader reader(from.memory, detail::kLiftedBytesMax);
    if constexpr (Type::kFlat > kMaxFlatParams) {
      const auto address = static_cast<uint32_t>(from.flat[0]);
      if (reader.expect("parameters", address, Type::kSize, Type::kAlignment)) {
        Type::load(reader, address, out);
      }
    } else {
      const uint64_t* next = from.flat.data();
      Type::lift(reader, next, out);
    }
    return reader.finish();
  }

  // Damages words and bytes, and lets both say what they make of it.
  template <typename T>
  void compare_damaged(ValType type, const Lowered& whole) {
    Lowered damaged = whole;
    for (uint64_t i = random() % 3; i > 0; --i) {
      damaged.memory[kBase + random() % 200] ^= static_cast<uint8_t>(1U << random() % 8);
    }
    if (random() % 2 == 0) damaged.flat[random() % whole.flat.size()] ^= 1ULL << random() % 64;
    const std::array wanted = {type};
    const auto dynamic =
        lift_values(types.arena, wanted, ValueRole::kArgument, damaged.flat, damaged.memory);
    T typed{};
    const auto lifted = lift_typed(damaged, typed);
    ASSERT_EQ(lifted ? "" : lifted.error().message, dynamic ? "" : dynamic.error().message);
    if (!lifted || lowered_bytes(types.arena, wanted, *dynamic, ValueRole::kArgument).value() >
                       kMemoryBytes - kBase) {
      return;
    }
    const Lowered again = lower_typed(typed);
    const Lowered same = lower_dynamic(type, dynamic->front());
    ASSERT_EQ(again.flat, same.flat);
    ASSERT_EQ(again.memory, same.memory);
  }

  template <typename T>
  void check(ValType type, const T& typed, const ComponentValue& dynamic) {
    const Layout& layout = layout_of(types.arena, type);
    EXPECT_EQ(layout.size, detail::Abi<T>::kSize);
    EXPECT_EQ(layout.alignment, detail::Abi<T>::kAlignment);
    const Lowered lowered = lower_typed(typed);
    const Lowered expected = lower_dynamic(type, dynamic);
    EXPECT_EQ(lowered.flat, expected.flat);
    EXPECT_EQ(lowered.memory, expected.memory);
    for (int i = 0; i < 100 && !HasFailure(); ++i) compare_damaged<T>(type, lowered);
  }
};

ComponentValue point_value(uint8_t x, const char* label) {
  return ComponentValue::record({{"x", x}, {"label", label}});
}

TEST_F(TypedAbi, AgreesAboutScalars) {
  check(ValType::of(Prim::kBool), true, true);
  check(ValType::of(Prim::kS8), int8_t{-1}, int8_t{-1});
  check(ValType::of(Prim::kS16), int16_t{-2}, int16_t{-2});
  check(ValType::of(Prim::kS32), -3, -3);
  check(ValType::of(Prim::kS64), int64_t{-4}, int64_t{-4});
  check(ValType::of(Prim::kU64), UINT64_MAX, UINT64_MAX);
  check(ValType::of(Prim::kF32), -1.5F, -1.5F);
  check(ValType::of(Prim::kF64), 1e300, 1e300);
  check(ValType::of(Prim::kChar), U'\u20ac', U'\u20ac');
}

TEST_F(TypedAbi, AgreesAboutListsAndStrings) {
  check(kString, std::string("h\u20ac"), "h\u20ac");
  check(types.list(kU32), std::vector<uint32_t>{1, 2},
        ComponentValue::list(std::vector<uint32_t>{1, 2}));
  check(types.list(ValType::of(Prim::kF64)), std::vector<double>{0.5},
        ComponentValue::list(std::vector<double>{0.5}));
  check(types.list(ValType::of(Prim::kBool)), std::vector<bool>{true, false},
        ComponentValue::list(std::vector<ComponentValue>{true, false}));
  check(types.list(types.list(kString)), std::vector<std::vector<std::string>>{{"a", ""}, {}},
        ComponentValue::list({ComponentValue::list({"a", ""}),
                              ComponentValue::list(std::vector<ComponentValue>{})}));
  check(types.fixed_list(ValType::of(Prim::kU16), 3), std::array<uint16_t, 3>{1, 2, 3},
        ComponentValue::list(std::vector<uint16_t>{1, 2, 3}));
  check(types.fixed_list(kString, 2), std::array<std::string, 2>{"x", "yz"},
        ComponentValue::list({"x", "yz"}));
}

TEST_F(TypedAbi, AgreesAboutTuplesAndRecords) {
  using Small = std::tuple<uint8_t, uint64_t, bool>;
  const ValType small = types.tuple({kU8, ValType::of(Prim::kU64), ValType::of(Prim::kBool)});
  const auto value = ComponentValue::tuple({uint8_t{1}, uint64_t{2}, true});
  check(small, Small(1, 2, true), value);
  check(types.list(small), std::vector<Small>{{1, 2, true}}, ComponentValue::list({value}));
  check(point, Point{7, "seven"}, point_value(7, "seven"));
  const ValType wide = types.tuple({small, small, small, small, small, point});
  check(wide, std::tuple(Small(1, 2, true), Small(), Small(), Small(), Small(), Point{1, "p"}),
        ComponentValue::tuple({value, ComponentValue::tuple({uint8_t{0}, uint64_t{0}, false}),
                               ComponentValue::tuple({uint8_t{0}, uint64_t{0}, false}),
                               ComponentValue::tuple({uint8_t{0}, uint64_t{0}, false}),
                               ComponentValue::tuple({uint8_t{0}, uint64_t{0}, false}),
                               point_value(1, "p")}));
}

TEST_F(TypedAbi, AgreesAboutCases) {
  check(types.option(kString), std::optional<std::string>(), ComponentValue::none());
  check(types.option(kString), std::optional<std::string>("x"), ComponentValue::some("x"));
  using Answer = ComponentResult<uint64_t, Point>;
  const ValType answer = types.result(ValType::of(Prim::kU64), point);
  check(answer, Answer(5), ComponentValue::ok(uint64_t{5}));
  check(answer, Answer(ComponentError{Point{1, "no"}}),
        ComponentValue::error(point_value(1, "no")));
  check(types.result({}, {}), ComponentResult<void, void>(ComponentError<>()),
        ComponentValue::error());
  check(shape, Shape{}, ComponentValue::variant("none"));
  check(shape, Shape{0.5F}, ComponentValue::variant("size", 0.5F));
  check(shape, Shape{std::vector<Point>{{1, "a"}, {2, "b"}}},
        ComponentValue::variant("dots",
                                ComponentValue::list({point_value(1, "a"), point_value(2, "b")})));
  check(color, Color::kBlue, ComponentValue::enumeration("blue"));
  check(mode, Mode{false, true}, ComponentValue::flags({"write"}));
}

template <typename T>
std::string error_of(const T& value) {
  detail::TransferSize size;
  detail::Abi<T>::measure(value, size);
  const auto bytes = size.finish();
  return bytes ? "accepted" : bytes.error().message;
}

TEST_F(TypedAbi, RefusesValuesThatAreNoneOfTheirType) {
  EXPECT_EQ(error_of(std::string("\xff")), "string is not UTF-8");
  EXPECT_EQ(error_of(std::vector<std::string_view>{"a", "\xff"}), "string is not UTF-8");
  EXPECT_EQ(error_of(char32_t{0xD800}), "0xd800 is not a char");
  EXPECT_EQ(error_of(Color{3}), "case 3 of a type with 3 cases");
  const std::vector<uint8_t> part(1 << 20);
  EXPECT_EQ(error_of(std::vector<std::span<const uint8_t>>(4096, part)),
            "values of 4295000064 bytes do not fit into 4 GiB");
}

TEST_F(TypedAbi, StopsListsThatSayTheSameManyTimes) {
  std::vector<uint8_t> memory(4096);
  for (size_t at = 0; at < memory.size(); at += 8) memory[at + 5] = 2;  // 512 elements at 0
  using Deep = std::vector<std::vector<std::vector<std::vector<std::vector<uint8_t>>>>>;
  detail::TransferReader reader(memory, 1 << 20);
  const std::array<uint64_t, 2> flat = {0, 512};
  const uint64_t* next = flat.data();
  Deep out;
  detail::Abi<Deep>::lift(reader, next, out);
  EXPECT_EQ(reader.finish().error().message.substr(0, 11), "values take");
}

TEST_F(TypedAbi, KnowsWhichTypesItStandsFor) {
  const auto params = std::array{&detail::Abi<Point>::kShape, &detail::Abi<Shape>::kShape};
  const ComponentSignature signature{params, &detail::Abi<std::array<uint8_t, 4>>::kShape};
  EXPECT_EQ(to_string(signature),
            "func(record { x: u8, label: string }, variant { none, size(f32), dots(list<record { "
            "x: u8, label: string }>) }) -> list<u8, 4>");
  const auto func = [&](ValType a, ValType b, ValType result) {
    return types
        .add(TypeKind::kFunc,
             {types.member("a", a), types.member("b", b), {StringId{kNoIndex}, result}})
        .type();
  };
  const ValType four = types.fixed_list(kU8, 4);
  EXPECT_TRUE(has_signature(types.arena, func(point, shape, four), signature));
  EXPECT_FALSE(has_signature(types.arena, func(shape, point, four), signature));
  EXPECT_FALSE(has_signature(types.arena, func(point, shape, types.list(kU8)), signature));
  EXPECT_FALSE(has_signature(types.arena, func(point, shape, {}), signature));
  const ValType other =
      types.add(TypeKind::kRecord, {types.member("y", kU8), types.member("label", kString)});
  EXPECT_FALSE(has_signature(types.arena, func(other, shape, four), signature));
}

TEST_F(TypedAbi, LetsAVariantWithoutNamesStandForAny) {
  using Cases = std::variant<std::monostate, float, std::vector<Point>>;
  const ComponentSignature signature{{}, &detail::Abi<Cases>::kShape};
  const TypeId func = types.add(TypeKind::kFunc, {{StringId{kNoIndex}, shape}}).type();
  EXPECT_TRUE(has_signature(types.arena, func, signature));
  EXPECT_EQ(to_string(ComponentSignature{
                {}, &detail::Abi<std::variant<std::monostate, std::string>>::kShape}),
            "func() -> variant { _, _(string) }");
}

}  // namespace
}  // namespace mayfly::component
