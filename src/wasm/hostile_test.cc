// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Input that is made to cost much: each test would run for minutes, or need gigabytes, if the work
// were not bounded by the input's size. The bounds leave room for sanitizers and busy machines.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>

#include "wasm/test_module.h"

namespace mayfly::wasm {
namespace {

using testing::StartsWith;

// Processor time, so that other programs do not count.
std::string message_within(const Bytes& bytes, double seconds_max) {
  const std::clock_t start = std::clock();
  std::string message = message_of(bytes);
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  EXPECT_LT(seconds, seconds_max) << bytes.size() << " bytes";
  return message;
}

constexpr size_t kMillion = 1'000'000;

TEST(Hostile, RefusesEveryTruncation) {
  const Bytes bytes = module_of(
      {section(1, {2, 0x60, 0, 0, 0x4E, 1, 0x50, 0, 0x5F, 1, 0x63, 1, 0}), section(3, {1, 0}),
       section(4, {1, 0x40, 0, 0x70, 1, 1, 2, 0xD0, 0x70, 0x0B}), section(5, {1, 1, 1, 2}),
       section(6, {1, 0x7F, 1, 0x41, 0xE4, 0, 0x0B}), section(7, vec({join({name("é"), {0, 0}})})),
       section(9, {1, 0, 0x41, 0, 0x0B, 1, 0}), section(12, {1}),
       section(10, join({{1}, body({1, 2, 0x7B}, {0x41, 0x80, 1, 0x28, 2, 0x80, 2, 0x1A})})),
       section(11, {1, 1, 2, 'h', 'i'})});
  ASSERT_EQ(message_of(bytes), "valid");
  for (size_t size = 0; size < bytes.size(); ++size) {
    const Bytes part(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    const auto module = decode(part);
    // Ends of whole sections are modules, as long as no declared function lacks its body.
    if (module) EXPECT_EQ(module->functions.size(), 0u) << size;
  }
}

TEST(Hostile, RefusesCountsThatNoBytesBack) {
  const Bytes huge = {0xFF, 0xFF, 0xFF, 0xFF, 0x0F};
  for (const uint8_t id : Bytes{1, 2, 3, 4, 5, 6, 7, 9, 11, 13}) {
    EXPECT_THAT(message_within(module_of({section(id, huge)}), 1), StartsWith("unexpected end"))
        << int{id};
  }
  EXPECT_NE(message_within(module_of({section(10, huge)}), 1), "valid");
  EXPECT_NE(message_within(module_of({section(1, join({{1, 0x4E}, huge}))}), 1), "valid");
  EXPECT_NE(message_within(module_of({section(1, join({{1, 0x60}, huge}))}), 1), "valid");
  EXPECT_NE(message_within(module_with_code({}, huge), 1), "valid");
  EXPECT_NE(message_within(module_with_code(join({{0x41, 0, 0x0E}, huge})), 1), "valid");
  EXPECT_NE(message_within(module_with_code(join({{0x1F, 0x40}, huge})), 1), "valid");
}

TEST(Hostile, NestsAMillionBlocksWithoutRecursion) {
  const Bytes code = join({repeat(kMillion, {0x02, 0x40}), repeat(kMillion, {0x0B})});
  EXPECT_EQ(message_within(module_with_code(code), 30), "valid");
  EXPECT_THAT(message_within(module_with_code(repeat(kMillion, {0x02, 0x40})), 30),
              StartsWith("unexpected end"));
}

TEST(Hostile, KeepsLocalsInGroups) {
  // 100,000 functions of 50,000 locals each.
  const size_t functions = kMillion / 10;
  const Bytes one = body(join({{1}, leb(50'000), {0x7F}}), {});
  const Bytes bytes = module_of({section(1, {1, 0x60, 0, 0}),
                                 section(3, join({leb(functions), Bytes(functions, 0)})),
                                 section(10, join({leb(functions), repeat(functions, one)}))});
  EXPECT_EQ(message_within(bytes, 10), "valid");
}

TEST(Hostile, ChecksALabelOncePerBrTable) {
  // A block with 1,000 results, and a br_table with a million times its label.
  const Bytes type = join({{0x60, 0}, leb(1000), Bytes(1000, 0x6D)});  // eqref, matched by i31ref
  const Bytes code = join({{0x02, 1},
                           repeat(1000, {0xD0, 0x6C}),
                           {0x41, 0, 0x0E},
                           leb(kMillion),
                           Bytes(kMillion + 1, 0),
                           {0x0B},
                           Bytes(1000, 0x1A)});
  const Bytes bytes = module_of({section(1, join({{2, 0x60, 0, 0}, type})), section(3, {1, 0}),
                                 section(10, join({{1}, body({0}, code)}))});
  EXPECT_EQ(message_within(bytes, 10), "valid");
}

TEST(Hostile, BoundsTheOperandStack) {
  // Each call is two bytes and pushes 1,000 values: 100,000 calls would be 400 MB.
  const Bytes type = join({{0x60, 0}, leb(1000), Bytes(1000, 0x7F)});
  const Bytes code = repeat(kMillion / 10, {0x10, 0});
  const Bytes bytes = module_of({section(1, join({{1}, type})), section(3, {1, 0}),
                                 section(10, join({{1}, body({0}, code)}))});
  EXPECT_THAT(message_within(bytes, 10), StartsWith("too many operands: "));
}

TEST(Hostile, BoundsTheComparisonsOfOperandLists) {
  // Each call is two bytes, takes 1,000 eqref and gives 1,000 i31ref.
  const Bytes type = join({{0x60}, leb(1000), Bytes(1000, 0x6D), leb(1000), Bytes(1000, 0x6C)});
  const auto with_calls = [&](size_t calls) {
    const Bytes code = join({{0x00}, repeat(calls, {0x10, 0}), {0x00}});
    return module_of({section(1, join({{1}, type})), section(3, {1, 0}),
                      section(10, join({{1}, body({0}, code)}))});
  };
  EXPECT_EQ(message_within(with_calls(1000), 10), "valid");
  EXPECT_THAT(message_within(with_calls(300'000), 10),
              StartsWith("too many operand comparisons in one function: 1000 is more than"));
}

TEST(Hostile, DoesNotCountOutMadeUpOperands) {
  // array.new_fixed of 2^32-1 elements, 10,000 times, in unreachable code.
  const Bytes one = {0xFB, 0x08, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0x1A};
  const Bytes bytes =
      module_of({section(1, {2, 0x5E, 0x7F, 1, 0x60, 0, 0}), section(3, {1, 1}),
                 section(10, join({{1}, body({0}, join({{0x00}, repeat(10'000, one)}))}))});
  EXPECT_EQ(message_within(bytes, 10), "valid");
}

TEST(Hostile, ComparesManyTypesInLogarithmicSteps) {
  // Thirty thousand function types, all different by their parameters.
  Bytes types;
  constexpr uint32_t kTypes = 30'000;
  for (uint32_t i = 0; i < kTypes; ++i) {
    Bytes params;
    for (uint32_t bit = 0; bit < 17; ++bit) params.push_back((i >> bit & 1) != 0 ? 0x7F : 0x7E);
    const Bytes one = join({{0x60, 17}, params, {0}});
    types.insert(types.end(), one.begin(), one.end());
  }
  EXPECT_EQ(message_within(module_of({section(1, join({leb(kTypes), types}))}), 10), "valid");
}

TEST(Hostile, LimitsSubtypeChains) {
  Bytes types = {0x50, 0, 0x5F, 0};
  for (uint32_t i = 0; i < 100; ++i) {
    const Bytes one = join({{0x50, 1}, leb(i), {0x5F, 0}});
    types.insert(types.end(), one.begin(), one.end());
  }
  EXPECT_THAT(message_within(module_of({section(1, join({leb(101), types}))}), 1),
              StartsWith("sub type chain too deep: 64 is more than 63"));
}

TEST(Hostile, FindsEqualNamesAmongManyExports) {
  Bytes exports;
  constexpr uint32_t kExports = 30'000;
  for (uint32_t i = 0; i < kExports; ++i) {
    const Bytes one = join({name(std::string(100, 'x') + std::to_string(i)), {2, 0}});
    exports.insert(exports.end(), one.begin(), one.end());
  }
  const auto with = [&](const Bytes& contents, uint32_t count) {
    return module_of({section(5, {1, 0, 1}), section(7, join({leb(count), contents}))});
  };
  EXPECT_EQ(message_within(with(exports, kExports), 10), "valid");
  const Bytes twin = join({exports, name(std::string(100, 'x') + "0"), {2, 0}});
  EXPECT_THAT(message_within(with(twin, kExports + 1), 10),
              StartsWith("duplicate export name of exports 0 and 30000"));
}

TEST(Hostile, TakesABodyOfTheLargestSizeAndNoMore) {
  constexpr size_t kBodyBytesMax = 7'654'321;
  const Bytes largest = Bytes(kBodyBytesMax - 2, 0x01);  // nop; the locals' count and the end
  EXPECT_EQ(message_within(module_with_code(largest), 10), "valid");
  const Bytes larger = Bytes(kBodyBytesMax - 1, 0x01);
  EXPECT_THAT(message_within(module_with_code(larger), 10), StartsWith("function body too large"));
}

}  // namespace
}  // namespace mayfly::wasm
