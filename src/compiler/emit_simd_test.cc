// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The vector instructions' hard cases, run natively: lanes at the memory's end, indices and counts
// out of range, saturation, NaN. run() also compares optimized with unoptimized code.
#include <gtest/gtest.h>

#include <cstring>

#include "compiler/instruction_runner.h"

namespace mayfly::compiler {
namespace {

using enum wasm::Opcode;

constexpr uint64_t kAscending = 0x0706'0504'0302'0100;
constexpr uint64_t kAscendingHigh = 0x0F0E'0D0C'0B0A'0908;

Bits value_of(const Outcome& outcome) {
  EXPECT_EQ(outcome.values.size(), 1u);
  return outcome.values.empty() ? Bits{} : outcome.values[0];
}
Bits value(wasm::Opcode opcode, const std::vector<Operand>& operands) {
  return value_of(run(opcode, operands));
}

wasm::Instruction with_lane(wasm::Opcode opcode, uint8_t lane) {
  wasm::Instruction instruction = instruction_of(opcode);
  instruction.lane = lane;
  return instruction;
}

// Runs a memory instruction with the bytes at the end of memory set to 0x80, 0x81, ...
struct MemoryRun {
  Outcome outcome;
  uint64_t last_bytes = 0;
};
MemoryRun at_end(const wasm::Instruction& instruction, const std::vector<Operand>& operands) {
  const NativeCode code({instruction}, operands, NativeCode::Optimize::kYes,
                        NativeCode::See::kUnknown);
  uint8_t* end = code.memory() + kTestMemoryBytes;
  for (int i = 0; i < 16; ++i) end[i - 16] = static_cast<uint8_t>(0x80 + i);
  MemoryRun result{code.run(operands)};
  std::memcpy(&result.last_bytes, end - 8, 8);
  return result;
}
Operand before_end(uint32_t bytes) { return i32(uint32_t{kTestMemoryBytes} - bytes); }

TEST(EmitSimdMemory, ALaneLoadTouchesOnlyItsLane) {
  const auto read = at_end(with_lane(v128_load8_lane, 15), {before_end(1), v128(1, 2)});
  EXPECT_EQ(value_of(read.outcome), (Bits{1, 0x8F00'0000'0000'0002}));
  const auto half = at_end(with_lane(v128_load64_lane, 1), {before_end(8), v128(1, 2)});
  EXPECT_EQ(value_of(half.outcome), (Bits{1, 0x8F8E'8D8C'8B8A'8988}));
}

TEST(EmitSimdMemory, ALaneStoreTouchesOnlyItsLane) {
  const auto stored =
      at_end(with_lane(v128_store16_lane, 7), {before_end(2), v128(1, 0xABCDu << 16)});
  EXPECT_EQ(stored.last_bytes, 0x0000'8D8C'8B8A'8988u);
  const auto byte = at_end(with_lane(v128_store8_lane, 0), {before_end(1), v128(0x77, 0)});
  EXPECT_EQ(byte.last_bytes, 0x778E'8D8C'8B8A'8988u);
}

TEST(EmitSimdMemory, AnAccessPastTheEndFaultsAndStoresNothing) {
  EXPECT_TRUE(at_end(instruction_of(v128_load), {before_end(15)}).outcome.faulted);
  EXPECT_TRUE(at_end(instruction_of(v128_load64_splat), {before_end(7)}).outcome.faulted);
  const auto stored = at_end(instruction_of(v128_store), {before_end(15), v128(1, 2)});
  EXPECT_TRUE(stored.outcome.faulted);
  EXPECT_EQ(stored.last_bytes, 0x8F8E'8D8C'8B8A'8988u);
}

TEST(EmitSimdMemory, LoadsOfEightBytesNeedNoMore) {
  const auto extended = at_end(instruction_of(v128_load8x8_s), {before_end(8)});
  EXPECT_EQ(value_of(extended.outcome), (Bits{0xFF8B'FF8A'FF89'FF88, 0xFF8F'FF8E'FF8D'FF8C}));
  const auto words = at_end(instruction_of(v128_load32x2_u), {before_end(8)});
  EXPECT_EQ(value_of(words.outcome), (Bits{0x8B8A'8988, 0x8F8E'8D8C}));
  const auto low = at_end(instruction_of(v128_load64_zero), {before_end(8)});
  EXPECT_EQ(value_of(low.outcome), (Bits{0x8F8E'8D8C'8B8A'8988, 0}));
}

TEST(EmitSimdMemory, SplatsAndZeroLoadsReadOneLane) {
  const auto bytes = at_end(instruction_of(v128_load8_splat), {before_end(1)});
  EXPECT_EQ(value_of(bytes.outcome), (Bits{0x8F8F'8F8F'8F8F'8F8F, 0x8F8F'8F8F'8F8F'8F8F}));
  const auto low = at_end(instruction_of(v128_load32_zero), {before_end(4)});
  EXPECT_EQ(value_of(low.outcome), (Bits{0x8F8E'8D8C, 0}));
}

TEST(EmitSimdLane, ShuffleTakesLanesOfBoth) {
  wasm::Instruction shuffle = instruction_of(i8x16_shuffle);
  for (int i = 0; i < 16; ++i) shuffle.vector[i] = static_cast<uint8_t>(31 - i);
  const auto outcome = run({shuffle}, {v128(0, 0), v128(kAscending, kAscendingHigh)});
  EXPECT_EQ(value_of(outcome), (Bits{0x0809'0A0B'0C0D'0E0F, 0x0001'0203'0405'0607}));
}

TEST(EmitSimdLane, SwizzleAnswersZeroPastTheLastLane) {
  EXPECT_EQ(value(i8x16_swizzle, {v128(0x1111'1111'1111'1111, 0x2222'2222'2222'2222),
                                  v128(0x8070'7F10'0F08'0700, 0xFFF0'9111'0123'4510)}),
            (Bits{0x0000'0000'2222'1111, 0x0000'0000'1100'0000}));
}

TEST(EmitSimdLane, ExtractsExtendAndReplacesWrap) {
  EXPECT_EQ(value_of(run({with_lane(i8x16_extract_lane_s, 15)}, {v128(0, uint64_t{0x80} << 56)})),
            (Bits{0xFFFF'FF80, 0}));
  EXPECT_EQ(value_of(run({with_lane(i16x8_extract_lane_u, 0)}, {v128(0x8000, 0)})),
            (Bits{0x8000, 0}));
  EXPECT_EQ(value_of(run({with_lane(i8x16_replace_lane, 8)}, {v128(0, 0), i32(0xABCD)})),
            (Bits{0, 0xCD}));
  EXPECT_EQ(value_of(run({with_lane(f32x4_extract_lane, 1)}, {v128(0x7FA0'0001'0000'0000, 0)})),
            (Bits{0x7FA0'0001, 0}));
}

TEST(EmitSimdInteger, TakesShiftCountsModuloTheLane) {
  EXPECT_EQ(value(i8x16_shl, {v128(1, 0), i32(9)}), (Bits{2, 0}));
  EXPECT_EQ(value(i16x8_shr_s, {v128(0x8000, 0), i32(31)}), (Bits{0xFFFF, 0}));
  EXPECT_EQ(value(i64x2_shr_u, {v128(2, 4), i32(65)}), (Bits{1, 2}));
}

TEST(EmitSimdInteger, SaturatesQ15AndNarrowing) {
  EXPECT_EQ(value(i16x8_q15mulr_sat_s, {v128(0x8000, 0), v128(0x8000, 0)}), (Bits{0x7FFF, 0}));
  EXPECT_EQ(value(i8x16_narrow_i16x8_u, {v128(0xFFFF'0100, 0), v128(0x00FF, 0)}),
            (Bits{0x00FF, 0x00FF}));
  EXPECT_EQ(value(i16x8_narrow_i32x4_s, {v128(0x8000'0000'0001'0000, 0), v128(0, 0)}),
            (Bits{0x8000'7FFF, 0}));
}

TEST(EmitSimdInteger, DotWrapsAtItsOnlyOverflow) {
  EXPECT_EQ(value(i32x4_dot_i16x8_s, {v128(0x8000'8000, 0), v128(0x8000'8000, 0)}),
            (Bits{0x8000'0000, 0}));
}

TEST(EmitSimdInteger, AbsOfTheLeastNumberIsItself) {
  EXPECT_EQ(value(i8x16_abs, {v128(0x80, 0)}), (Bits{0x80, 0}));
  EXPECT_EQ(value(i64x2_abs, {v128(uint64_t{1} << 63, UINT64_MAX)}), (Bits{uint64_t{1} << 63, 1}));
}

TEST(EmitSimdInteger, AllTrueSeesOneZeroLane) {
  EXPECT_EQ(value(i8x16_all_true, {v128(UINT64_MAX, UINT64_MAX << 8)}), (Bits{0, 0}));
  EXPECT_EQ(value(i64x2_all_true, {v128(1, uint64_t{1} << 63)}), (Bits{1, 0}));
  EXPECT_EQ(value(v128_any_true, {v128(0, uint64_t{1} << 63)}), (Bits{1, 0}));
}

constexpr uint64_t kSignallingLanes = 0x7FA0'0001'7FA0'0001;
constexpr uint64_t kQuietedLanes = 0x7FE0'0001'7FE0'0001;
constexpr uint64_t kOnes = 0x3F80'0000'3F80'0000;

TEST(EmitSimdFloat, AnIdentityQuietsASignallingNan) {
  const auto times_one = run({constant_of(v128(kOnes, kOnes)), instruction_of(f32x4_mul)},
                             {v128(kSignallingLanes, 0)});
  EXPECT_EQ(value_of(times_one)[0], kQuietedLanes);
  const auto minus_zero =
      run({constant_of(v128(0, 0)), instruction_of(f32x4_sub)}, {v128(kSignallingLanes, 0)});
  EXPECT_EQ(value_of(minus_zero)[0], kQuietedLanes);
  const auto there_and_back =
      run({instruction_of(f64x2_promote_low_f32x4), instruction_of(f32x4_demote_f64x2_zero)},
          {v128(kSignallingLanes, 0)});
  EXPECT_EQ(value_of(there_and_back)[0], kQuietedLanes);
}

TEST(EmitSimdFloat, PseudoMinimumAnswersTheFirstUnlessTheSecondIsLess) {
  EXPECT_EQ(value(f32x4_pmin, {v128(0x8000'0000, 0), v128(0, 0)}), (Bits{0x8000'0000, 0}));
  EXPECT_EQ(value(f64x2_pmax, {v128(0x7FF4'0000'0000'0001, 0), v128(5, 0)}),
            (Bits{0x7FF4'0000'0000'0001, 0}));
}

TEST(EmitSimdFloat, SaturatingTruncationOfNanAndInfinity) {
  const uint64_t infinity_and_nan = 0x7FC0'0000'7F80'0000;
  EXPECT_EQ(value(i32x4_trunc_sat_f32x4_s, {v128(infinity_and_nan, 0xFF80'0000)}),
            (Bits{0x7FFF'FFFF, 0x8000'0000}));
  EXPECT_EQ(value(i32x4_trunc_sat_f32x4_u, {v128(infinity_and_nan, 0xFF80'0000)}),
            (Bits{0xFFFF'FFFF, 0}));
  EXPECT_EQ(
      value(i32x4_trunc_sat_f64x2_s_zero, {v128(0x7FF0'0000'0000'0000, 0x7FF8'0000'0000'0000)}),
      (Bits{0x7FFF'FFFF, 0}));
}

TEST(EmitSimdRelaxed, MultiplyAddRoundsTwice) {
  // (1 + 2^-12)^2 - (1 + 2^-11) is 2^-24 when fused, 0 when not.
  const uint64_t x = 0x3F80'0800;
  EXPECT_EQ(value(f32x4_relaxed_madd, {v128(x, 0), v128(x, 0), v128(0xBF80'1000, 0)}),
            (Bits{0, 0}));
}

}  // namespace
}  // namespace mayfly::compiler
