// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// InstructionReader on hand-written code, and facts about the table of instructions.
#include "wasm/instruction.h"

#include <gtest/gtest.h>

#include <vector>

namespace mayfly::wasm {
namespace {

Instruction read_one(const std::vector<uint8_t>& bytes) {
  InstructionReader reader(bytes, {0, bytes.size()});
  Instruction instruction = reader.next();
  EXPECT_TRUE(reader.at_end());
  return instruction;
}

TEST(InstructionReader, ReadsLocalsThenInstructionsToTheEnd) {
  const std::vector<uint8_t> body = {0x02, 0x03, 0x7F, 0x01, 0x63, 0x05,  // 3 i32, 1 (ref null 5)
                                     0x41, 0x7F, 0x1A, 0x0B};
  InstructionReader reader(body, {0, body.size()});
  const auto locals = reader.read_locals();
  ASSERT_EQ(locals.size(), 2u);
  EXPECT_EQ(locals[0].count, 3u);
  EXPECT_EQ(locals[0].type, kI32);
  EXPECT_EQ(locals[1].type, ValType::of(RefType{true, {HeapKind::kConcrete, 5}}));
  EXPECT_EQ(reader.next().opcode, Opcode::i32_const);
  EXPECT_EQ(reader.next().opcode, Opcode::drop);
  EXPECT_EQ(reader.next().opcode, Opcode::end);
  EXPECT_TRUE(reader.at_end());
}

TEST(InstructionReader, SignExtendsI32Constants) {
  EXPECT_EQ(read_one({0x41, 0x7F}).constant, ~uint64_t{0});
  EXPECT_EQ(read_one({0x41, 0x80, 0x80, 0x80, 0x80, 0x78}).constant, 0xFFFF'FFFF'8000'0000u);
}

TEST(InstructionReader, GivesIndicesInTheOrderOfTheTextFormat) {
  const Instruction call = read_one({0x11, 0x07, 0x02});  // type 7, table 2
  EXPECT_EQ(call.index, 2u);
  EXPECT_EQ(call.index2, 7u);
  const Instruction init = read_one({0xFC, 0x08, 0x03, 0x01});  // data 3, memory 1
  EXPECT_EQ(init.opcode, Opcode::memory_init);
  EXPECT_EQ(init.index, 1u);
  EXPECT_EQ(init.index2, 3u);
  const Instruction copy = read_one({0xFC, 0x0A, 0x04, 0x05});  // to memory 4 from memory 5
  EXPECT_EQ(copy.index, 4u);
  EXPECT_EQ(copy.index2, 5u);
}

TEST(InstructionReader, ReadsAMemargWithAMemoryIndex) {
  const Instruction load = read_one({0x28, 0x42, 0x03, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01});
  EXPECT_EQ(load.memarg.align_log2, 2u);
  EXPECT_EQ(load.memarg.memory_index, 3u);
  EXPECT_EQ(load.memarg.offset, uint64_t{1} << 35);
}

TEST(InstructionReader, ReadsLabelsWithTheDefaultLast) {
  EXPECT_EQ(read_one({0x0E, 0x02, 0x05, 0x06, 0x07}).labels, (std::vector<uint32_t>{5, 6, 7}));
}

TEST(InstructionReader, ReadsCatchClauses) {
  const Instruction instruction = read_one({0x1F, 0x40, 0x02, 0x01, 0x04, 0x05, 0x02, 0x06});
  ASSERT_EQ(instruction.catches.size(), 2u);
  EXPECT_EQ(instruction.catches[0].kind, CatchKind::kCatchRef);
  EXPECT_EQ(instruction.catches[0].tag_index, 4u);
  EXPECT_EQ(instruction.catches[0].label, 5u);
  EXPECT_EQ(instruction.catches[1].kind, CatchKind::kCatchAll);
  EXPECT_EQ(instruction.catches[1].label, 6u);
}

TEST(InstructionReader, TakesNullabilityFromTheOpcodeOrTheFlags) {
  EXPECT_FALSE(read_one({0xFB, 0x14, 0x6E}).ref.nullable);
  EXPECT_TRUE(read_one({0xFB, 0x15, 0x6E}).ref.nullable);
  EXPECT_TRUE(read_one({0xD0, 0x70}).ref.nullable);
  const Instruction cast = read_one({0xFB, 0x18, 0x01, 0x09, 0x6E, 0x6C});
  EXPECT_EQ(cast.index, 9u);
  EXPECT_EQ(cast.ref, (RefType{true, {HeapKind::kAny, kNoIndex}}));
  EXPECT_EQ(cast.ref2, (RefType{false, {HeapKind::kI31, kNoIndex}}));
}

TEST(InstructionReaderDeath, EndsTheProcessOnABrokenEncoding) {
  EXPECT_DEATH(read_one({0x41}), "CHECK failed");
  EXPECT_DEATH(read_one({0x06}), "CHECK failed");
  EXPECT_DEATH(read_one({0x41, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00}), "CHECK failed");
}

TEST(Opcodes, HaveTheNumbersOfTheSpec) {
  EXPECT_EQ(static_cast<uint32_t>(Opcode::i64_extend32_s), 0xC4u);
  EXPECT_EQ(static_cast<uint32_t>(Opcode::f64_promote_f32), 0xBBu);
  EXPECT_EQ(static_cast<uint32_t>(Opcode::i31_get_u), 0x100u + 30);
  EXPECT_EQ(static_cast<uint32_t>(Opcode::i64_mul_wide_u), 0x200u + 22);
  EXPECT_EQ(static_cast<uint32_t>(Opcode::f64x2_convert_low_i32x4_u), 0x300u + 255);
  EXPECT_EQ(static_cast<uint32_t>(Opcode::i32x4_relaxed_dot_i8x16_i7x16_add_s), 0x300u + 0x113);
  EXPECT_EQ(static_cast<uint32_t>(Opcode::i64_atomic_rmw32_cmpxchg_u), 0x500u + 0x4E);
}

TEST(Opcodes, NameThemselvesAsTheTextFormatDoes) {
  EXPECT_EQ(to_string(Opcode::i32_add), "i32.add");
  EXPECT_EQ(to_string(Opcode::if_), "if");
  EXPECT_EQ(to_string(Opcode::i64_atomic_rmw32_cmpxchg_u), "i64.atomic.rmw32.cmpxchg_u");
}

}  // namespace
}  // namespace mayfly::wasm
