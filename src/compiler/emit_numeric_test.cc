// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The scalar instructions' hard cases, run natively: where LLVM's own semantics are undefined, and
// where its folds keep a signalling NaN. run() also compares optimized with unoptimized code.
#include <gtest/gtest.h>

#include "compiler/instruction_runner.h"

namespace mayfly::compiler {
namespace {

using guest_abi::TrapCode;
using enum wasm::Opcode;

constexpr uint32_t kSignallingF32 = 0x7FA0'0001;
constexpr uint32_t kQuietedF32 = 0x7FE0'0001;
constexpr uint64_t kSignallingF64 = 0x7FF4'0000'0000'0001;
constexpr uint64_t kQuietedF64 = 0x7FFC'0000'0000'0001;
constexpr uint32_t kOneF32 = 0x3F80'0000;
constexpr uint64_t kOneF64 = 0x3FF0'0000'0000'0000;
constexpr uint32_t kMinusZeroF32 = 0x8000'0000;

uint64_t value_of(const Outcome& outcome) {
  EXPECT_EQ(outcome.values.size(), 1u);
  return outcome.values.empty() ? 0 : outcome.values[0][0];
}
uint64_t value(wasm::Opcode opcode, const std::vector<Operand>& operands) {
  return value_of(run(opcode, operands));
}
std::optional<TrapCode> trap(wasm::Opcode opcode, const std::vector<Operand>& operands) {
  return run(opcode, operands).trap;
}
// x, then a constant, then the instruction; x is unknown to LLVM and the constant is not.
uint64_t with_constant(const Operand& x, const Operand& constant, wasm::Opcode opcode) {
  return value_of(run({constant_of(constant), instruction_of(opcode)}, {x}));
}

TEST(EmitNumeric, TakesShiftCountsModuloTheWidth) {
  EXPECT_EQ(value(i32_shl, {i32(1), i32(33)}), 2u);
  EXPECT_EQ(value(i32_shr_s, {i32(0x8000'0000), i32(63)}), 0xFFFF'FFFFu);
  EXPECT_EQ(value(i64_shr_u, {i64(2), i64(65)}), 1u);
  EXPECT_EQ(value(i32_rotl, {i32(0x8000'0001), i32(32)}), 0x8000'0001u);
  EXPECT_EQ(value(i64_rotr, {i64(1), i64(65)}), uint64_t{1} << 63);
}

TEST(EmitNumeric, CountsTheBitsOfZero) {
  EXPECT_EQ(value(i32_clz, {i32(0)}), 32u);
  EXPECT_EQ(value(i64_ctz, {i64(0)}), 64u);
  EXPECT_EQ(value(i64_popcnt, {i64(0)}), 0u);
}

TEST(EmitNumeric, DivisionTrapsByZeroAndOnOverflow) {
  EXPECT_EQ(trap(i32_div_s, {i32(1), i32(0)}), TrapCode::kIntegerDivideByZero);
  EXPECT_EQ(trap(i64_rem_u, {i64(1), i64(0)}), TrapCode::kIntegerDivideByZero);
  EXPECT_EQ(trap(i32_div_s, {i32(0x8000'0000), i32(UINT32_MAX)}), TrapCode::kIntegerOverflow);
  EXPECT_EQ(trap(i64_div_s, {i64(uint64_t{1} << 63), i64(UINT64_MAX)}), TrapCode::kIntegerOverflow);
}

TEST(EmitNumeric, TheLeastNumberModuloMinusOneIsZero) {
  EXPECT_EQ(value(i32_rem_s, {i32(0x8000'0000), i32(UINT32_MAX)}), 0u);
  EXPECT_EQ(value(i64_rem_s, {i64(uint64_t{1} << 63), i64(UINT64_MAX)}), 0u);
}

TEST(EmitNumeric, TruncationAcceptsTheLastValueOfItsRange) {
  EXPECT_EQ(value(i32_trunc_f64_s, {f64(0xC1E0'0000'001F'FFFF)}), 0x8000'0000u);
  EXPECT_EQ(value(i32_trunc_f64_u, {f64(0x41EF'FFFF'FFFF'FFFF)}), 0xFFFF'FFFFu);
  EXPECT_EQ(value(i32_trunc_f64_u, {f64(0xBFEF'FFFF'FFFF'FFFF)}), 0u);
  EXPECT_EQ(value(i64_trunc_f64_s, {f64(0xC3E0'0000'0000'0000)}), uint64_t{1} << 63);
  EXPECT_EQ(value(i64_trunc_f32_u, {f32(0x5F7F'FFFF)}), 0xFFFF'FF00'0000'0000u);
}

TEST(EmitNumeric, TruncationTrapsPastItsRange) {
  EXPECT_EQ(trap(i32_trunc_f64_s, {f64(0xC1E0'0000'0020'0000)}), TrapCode::kIntegerOverflow);
  EXPECT_EQ(trap(i32_trunc_f64_u, {f64(0x41F0'0000'0000'0000)}), TrapCode::kIntegerOverflow);
  EXPECT_EQ(trap(i32_trunc_f32_u, {f32(0xBF80'0000)}), TrapCode::kIntegerOverflow);
  EXPECT_EQ(trap(i64_trunc_f64_s, {f64(0x43E0'0000'0000'0000)}), TrapCode::kIntegerOverflow);
  EXPECT_EQ(trap(i64_trunc_f64_s, {f64(0xC3E0'0000'0000'0001)}), TrapCode::kIntegerOverflow);
  EXPECT_EQ(trap(i64_trunc_f32_u, {f32(0x5F80'0000)}), TrapCode::kIntegerOverflow);
}

TEST(EmitNumeric, TruncationOfNanTraps) {
  for (const auto opcode : {i32_trunc_f32_s, i32_trunc_f32_u, i64_trunc_f32_s, i64_trunc_f32_u}) {
    EXPECT_EQ(trap(opcode, {f32(0x7FC0'0000)}), TrapCode::kInvalidConversionToInteger);
  }
}

TEST(EmitNumeric, SaturatingTruncationNeverTraps) {
  EXPECT_EQ(value(i32_trunc_sat_f32_s, {f32(0x7FC0'0000)}), 0u);
  EXPECT_EQ(value(i64_trunc_sat_f64_u, {f64(0xFFF0'0000'0000'0000)}), 0u);
  EXPECT_EQ(value(i64_trunc_sat_f64_s, {f64(0x7FF0'0000'0000'0000)}), uint64_t{INT64_MAX});
}

TEST(EmitNumeric, MinimumOrdersZerosAndAnswersNan) {
  EXPECT_EQ(value(f32_min, {f32(0), f32(kMinusZeroF32)}), kMinusZeroF32);
  EXPECT_EQ(value(f32_max, {f32(kMinusZeroF32), f32(0)}), 0u);
  EXPECT_EQ(value(f32_min, {f32(kSignallingF32), f32(kOneF32)}), 0x7FC0'0000u);
  EXPECT_EQ(value(f64_max, {f64(kOneF64), f64(kSignallingF64)}), 0x7FF8'0000'0000'0000u);
}

TEST(EmitNumeric, AnIdentityQuietsASignallingNan) {
  EXPECT_EQ(with_constant(f32(kSignallingF32), f32(kOneF32), f32_mul), kQuietedF32);
  EXPECT_EQ(with_constant(f32(kSignallingF32), f32(kOneF32), f32_div), kQuietedF32);
  EXPECT_EQ(with_constant(f32(kSignallingF32), f32(0), f32_sub), kQuietedF32);
  EXPECT_EQ(with_constant(f32(kSignallingF32), f32(kMinusZeroF32), f32_add), kQuietedF32);
  EXPECT_EQ(with_constant(f64(kSignallingF64), f64(kOneF64), f64_mul), kQuietedF64);
}

TEST(EmitNumeric, TimesMinusOneQuietsASignallingNan) {
  EXPECT_EQ(with_constant(f32(kSignallingF32), f32(0xBF80'0000), f32_mul) | 0x8000'0000u,
            0x8000'0000u | kQuietedF32);
}

TEST(EmitNumeric, AnIdentityMadeFromAnIntegerQuietsToo) {
  const auto outcome =
      run({constant_of(i32(1)), instruction_of(f32_convert_i32_s), instruction_of(f32_mul)},
          {f32(kSignallingF32)});
  EXPECT_EQ(value_of(outcome), kQuietedF32);
}

TEST(EmitNumeric, DemotingAPromotionQuietsASignallingNan) {
  const auto outcome =
      run({instruction_of(f64_promote_f32), instruction_of(f32_demote_f64)}, {f32(kSignallingF32)});
  EXPECT_EQ(value_of(outcome), kQuietedF32);
}

TEST(EmitNumeric, SignOperationsKeepASignallingNan) {
  EXPECT_EQ(value(f32_neg, {f32(kSignallingF32)}), kSignallingF32 | 0x8000'0000u);
  EXPECT_EQ(value(f32_abs, {f32(kSignallingF32 | 0x8000'0000)}), kSignallingF32);
  EXPECT_EQ(value(f32_copysign, {f32(kSignallingF32), f32(kMinusZeroF32)}),
            kSignallingF32 | 0x8000'0000u);
  EXPECT_EQ(value(i32_reinterpret_f32, {f32(kSignallingF32)}), kSignallingF32);
  EXPECT_EQ(value(f64_reinterpret_i64, {i64(kSignallingF64)}), kSignallingF64);
}

TEST(EmitNumeric, RoundingQuietsASignallingNan) {
  EXPECT_EQ(value(f32_nearest, {f32(kSignallingF32)}), kQuietedF32);
  EXPECT_EQ(value(f64_ceil, {f64(kSignallingF64)}), kQuietedF64);
}

TEST(EmitNumeric, NearestRoundsTiesToEven) {
  EXPECT_EQ(value(f32_nearest, {f32(0x3F00'0000)}), 0u);                     // 0.5 -> 0
  EXPECT_EQ(value(f32_nearest, {f32(0xBF00'0000)}), kMinusZeroF32);          // -0.5 -> -0
  EXPECT_EQ(value(f32_nearest, {f32(0x3FC0'0000)}), uint64_t{0x4000'0000});  // 1.5 -> 2
}

TEST(EmitNumeric, UnsignedConversionRoundsOnce) {
  EXPECT_EQ(value(f32_convert_i64_u, {i64(0x8000'0080'0000'0001)}), 0x5F00'0001u);
  EXPECT_EQ(value(f32_convert_i64_u, {i64(UINT64_MAX)}), 0x5F80'0000u);
  EXPECT_EQ(value(f64_convert_i64_u, {i64(0xFFFF'FFFF'FFFF'F400)}), 0x43EF'FFFF'FFFF'FFFEu);
}

TEST(EmitNumeric, WideArithmeticCarries) {
  const auto sum = run(i64_add128, {i64(UINT64_MAX), i64(1), i64(1), i64(2)});
  EXPECT_EQ(sum.values, (std::vector<Bits>{{0, 0}, {4, 0}}));
  const auto product = run(i64_mul_wide_s, {i64(UINT64_MAX), i64(2)});
  EXPECT_EQ(product.values, (std::vector<Bits>{{UINT64_MAX - 1, 0}, {UINT64_MAX, 0}}));
}

}  // namespace
}  // namespace mayfly::compiler
