// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rules of validation that the specification's scripts do not pin down to an offset, or at all.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wasm/test_module.h"

namespace mayfly::wasm {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(Validate, GivesTheOffsetOfTheInstruction) {
  const Bytes bytes = module_with_code({0x41, 0, 0x42, 0, 0x6A, 0x1A});
  const std::string message = message_of(bytes);
  EXPECT_EQ(message,
            "type mismatch: instruction requires [i32] but stack has [i64] at offset 0x20");
  EXPECT_EQ(bytes[0x20], 0x6A);
}

TEST(Validate, LetsUnreachableCodeMakeUpOperands) {
  EXPECT_EQ(message_of(module_with_code({0x00, 0x6A, 0x1A})), "valid");
  EXPECT_EQ(message_of(module_with_code({0x00, 0x41, 0, 0x6A, 0x1A})), "valid");
  EXPECT_THAT(message_of(module_with_code({0x00, 0x42, 0, 0x6A, 0x1A})),
              StartsWith("type mismatch"));
  EXPECT_EQ(message_of(module_with_code({0x00, 0x1B, 0x1A})), "valid");
  EXPECT_EQ(message_of(module_with_code({0x00, 0xD4, 0xD1, 0x1A})), "valid");
}

TEST(Validate, TracksLocalsThatMustBeSet) {
  const Bytes locals = {1, 1, 0x64, 0x70};  // one (ref func)
  EXPECT_THAT(message_of(module_with_code({0x20, 0, 0x1A}, locals)),
              StartsWith("uninitialized local 0"));
  // Set in a block, read after it.
  EXPECT_THAT(
      message_of(module_with_code({0x02, 0x40, 0x00, 0x21, 0, 0x0B, 0x20, 0, 0x1A}, locals)),
      StartsWith("uninitialized local 0"));
  EXPECT_EQ(message_of(module_with_code({0x00, 0x21, 0, 0x20, 0, 0x1A}, locals)), "valid");
  // Set in `then`, read in `else`.
  EXPECT_THAT(message_of(module_with_code(
                  {0x41, 0, 0x04, 0x40, 0x00, 0x21, 0, 0x05, 0x20, 0, 0x1A, 0x0B}, locals)),
              StartsWith("uninitialized local 0"));
}

TEST(Validate, ForgetsWhatTheFunctionBeforeHasSet) {
  const Bytes locals = {1, 1, 0x64, 0x70};
  const Bytes bytes =
      module_of({section(1, {1, 0x60, 0, 0}), section(3, {2, 0, 0}),
                 section(10, vec({body(locals, {0x00, 0x21, 0}), body(locals, {0x20, 0, 0x1A})}))});
  EXPECT_THAT(message_of(bytes), StartsWith("uninitialized local 0"));
}

TEST(Validate, FindsLocalsPastThoseThatAreSpreadOut) {
  // 20,000 i32, 20,000 i64, 5 f32 in a body of a few bytes.
  const Bytes locals = join({{3}, leb(20'000), {0x7F}, leb(20'000), {0x7E}, {5, 0x7D}});
  const auto type_of = [&](uint32_t index, uint8_t drop_as) {
    return message_of(module_with_code(join({{0x20}, leb(index), {drop_as, 0x1A}}), locals));
  };
  constexpr uint8_t kI32Eqz = 0x45;
  constexpr uint8_t kI64Eqz = 0x50;
  constexpr uint8_t kF32Abs = 0x8B;
  EXPECT_EQ(type_of(19'999, kI32Eqz), "valid");
  EXPECT_EQ(type_of(20'000, kI64Eqz), "valid");
  EXPECT_EQ(type_of(39'999, kI64Eqz), "valid");
  EXPECT_EQ(type_of(40'000, kF32Abs), "valid");
  EXPECT_EQ(type_of(40'004, kF32Abs), "valid");
  EXPECT_THAT(type_of(40'005, kF32Abs), StartsWith("unknown local 40005"));
}

TEST(Validate, RefersOnlyToDeclaredFunctions) {
  EXPECT_THAT(message_of(module_with_code({0xD2, 0, 0x1A})),
              StartsWith("undeclared function reference 0"));
  const Bytes exported = module_of({section(1, {1, 0x60, 0, 0}), section(3, {1, 0}),
                                    section(7, vec({join({name("f"), {0, 0}})})),
                                    section(10, join({{1}, body({0}, {0xD2, 0, 0x1A})}))});
  EXPECT_EQ(message_of(exported), "valid");
}

TEST(Validate, ReadsTheWholeMemarg) {
  EXPECT_EQ(message_of(module_with_code({0x41, 0, 0x28, 2, 0, 0x1A})), "valid");
  EXPECT_EQ(message_of(module_with_code({0x41, 0, 0x28, 0x42, 0, 0, 0x1A})), "valid");
  EXPECT_THAT(message_of(module_with_code({0x41, 0, 0x28, 0x42, 1, 0, 0x1A})),
              StartsWith("unknown memory 1"));
  EXPECT_THAT(message_of(module_with_code({0x41, 0, 0x28, 0x80, 1, 0, 0x1A})),
              StartsWith("malformed memop flags"));
  EXPECT_THAT(message_of(module_with_code({0x41, 0, 0x28, 3, 0, 0x1A})),
              StartsWith("alignment must not be larger than natural"));
  EXPECT_THAT(message_of(module_with_code({0x41, 0, 0x28, 2, 0x80, 0x80, 0x80, 0x80, 0x10, 0x1A})),
              StartsWith("offset out of range"));
}

TEST(Validate, ChecksEveryLabelOfABrTable) {
  // The function's label takes nothing, the block's takes an i32.
  const Bytes code = {0x02, 0x7F, 0x41, 0, 0x41, 0, 0x0E, 1, 0, 1, 0x0B, 0x1A};
  EXPECT_THAT(message_of(module_with_code(code)),
              HasSubstr("br_table has labels of 1 and of 0 values"));
  EXPECT_THAT(message_of(module_with_code({0x41, 0, 0x0E, 0, 7})), StartsWith("unknown label 7"));
}

TEST(Validate, CountsCatchLabelsFromOutside) {
  // Inside of the try_table label 0 would be its own, which takes an i32.
  const auto with_block = [](uint8_t result) {
    return module_with_code({0x1F, result, 1, 2, 0, 0x41, 0, 0x0B, 0x1A});
  };
  EXPECT_EQ(message_of(with_block(0x7F)), "valid");
  EXPECT_THAT(message_of(module_with_code({0x1F, 0x40, 1, 2, 1, 0x0B})),
              StartsWith("unknown label 1"));
}

TEST(Validate, ChecksCastsAndTheirLabels) {
  // block (result (ref i31)): ref.null any; br_on_cast 0 anyref (ref i31); drop; unreachable
  const Bytes up = {0x02, 0x64, 0x6C, 0xD0, 0x6E, 0xFB, 0x18, 1,
                    0,    0x6E, 0x6C, 0x1A, 0x00, 0x0B, 0x1A};
  EXPECT_EQ(message_of(module_with_code(up)), "valid");
  Bytes sideways = up;
  sideways[10] = 0x70;  // to (ref func)
  EXPECT_THAT(message_of(module_with_code(sideways)),
              StartsWith("type mismatch: cast from anyref"));
  Bytes odd_flags = up;
  odd_flags[7] = 4;
  EXPECT_THAT(message_of(module_with_code(odd_flags)), StartsWith("malformed br_on_cast flags"));
}

TEST(Validate, TakesEqualTypesOfTwoGroupsAsOne) {
  // Types 0 and 1 are both (struct i32); a value of one goes where the other is expected.
  const Bytes types = {3, 0x5F, 1, 0x7F, 0, 0x5F, 1, 0x7F, 0, 0x60, 0, 1, 0x63, 1};
  const Bytes bytes = module_of({section(1, types), section(3, {1, 2}),
                                 section(10, join({{1}, body({0}, {0xFB, 0x01, 0})}))});
  EXPECT_EQ(message_of(bytes), "valid");
}

TEST(Validate, RefusesWhatIsNotConstant) {
  EXPECT_EQ(message_of(module_of({section(6, {1, 0x7F, 0, 0x41, 1, 0x41, 2, 0x6A, 0x0B})})),
            "valid");
  EXPECT_THAT(message_of(module_of({section(6, {1, 0x7F, 0, 0x41, 1, 0x45, 0x0B})})),
              StartsWith("constant expression required, not i32.eqz"));
  EXPECT_THAT(message_of(module_of({section(6, {1, 0x7F, 0, 0x06, 0x0B})})),
              StartsWith("illegal opcode 06"));
}

TEST(Validate, RefusesLegacyExceptionHandling) {
  EXPECT_THAT(message_of(module_with_code({0x06, 0x40, 0x0B})), StartsWith("illegal opcode 06"));
}

TEST(Validate, RefusesBytesBehindTheEnd) {
  EXPECT_THAT(message_of(module_with_code({0x0B, 0x01})), HasSubstr("END opcode expected"));
}

}  // namespace
}  // namespace mayfly::wasm
