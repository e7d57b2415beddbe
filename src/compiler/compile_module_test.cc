// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the objects of a module hold: symbols, the form of accesses, their order, tail calls.
#include "compiler/compile_module.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compiler/compiled_code.h"
#include "wasm/module.h"

namespace mayfly::compiler {
namespace {

using testing::ContainsRegex;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::Not;

CompileOptions at(image::OptLevel level) {
  CompileOptions options;
  options.opt_level = level;
  return options;
}

CompileOptions in_high_window() {
  CompileOptions options;
  options.placements = {Placement::kHigh};
  return options;
}

std::string code_of(const std::string& wat, const CompileOptions& options = {}) {
  const auto compiled = compile_text(wat, options);
  EXPECT_TRUE(compiled) << compiled.error().message;
  return disassemble(*compiled, "func.0");
}

size_t count_of(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(CompileModule, LoadsFromTheLowWindowWithOneDisplacement) {
  EXPECT_EQ(code_of(R"((module (memory 1)
              (func (param i32) (result i32) (i32.load offset=16 (local.get 0)))))"),
            "movl %edi, %eax\n"
            "movl (%rax), %eax ; mem.0+16\n"
            "retq $8\n");
}

TEST(CompileModule, LoadsFromAHighWindowThroughOneConstant) {
  EXPECT_EQ(code_of(R"((module (memory 1)
              (func (param i32) (result i32) (i32.load (local.get 0)))))",
                    in_high_window()),
            "movl %edi, %eax\n"
            "movabsq $0, %rcx ; mem.0\n"
            "movl (%rax,%rcx), %eax\n"
            "retq $8\n");
}

TEST(CompileModule, KeepsAnOffsetThatMayPass2GiBOutOfTheDisplacement) {
  EXPECT_THAT(code_of(R"((module (memory 1)
                (func (param i32) (result i32) (i32.load offset=0xfffffff0 (local.get 0)))))"),
              HasSubstr("movl $4294967280, %ecx\n"
                        "movl (%rax,%rcx), %eax ; mem.0\n"));
}

TEST(CompileModule, KeepsAConstantAddressThatMayPass2GiBOutOfTheDisplacement) {
  EXPECT_THAT(code_of(R"((module (memory 1)
                (func (result i32) (i32.load offset=8 (i32.const 0x7ffffff0)))))"),
              HasSubstr("movl $2147483640, %eax\n"
                        "movl (%rax), %eax ; mem.0\n"));
}

TEST(CompileModule, AddsIndicesModulo32BitsBeforeTheOffset) {
  EXPECT_THAT(code_of(R"((module (memory 1) (func (param i32) (result i32)
                (i32.load offset=4 (i32.add (local.get 0) (i32.const 4))))))"),
              HasSubstr("addl $4, %edi\n"
                        "movl (%rdi), %eax ; mem.0+4\n"));
}

TEST(CompileModule, KeepsADeadLoadBetweenTwoWritesOfAGlobal) {
  EXPECT_EQ(code_of(R"((module (memory 1) (global $g (mut i32) (i32.const 0))
              (func (param i32)
                (global.set $g (i32.const 1))
                (drop (i32.load (local.get 0)))
                (global.set $g (i32.const 2)))))"),
            "movl $1, (%rip) ; global.0\n"
            "movl %edi, %eax\n"
            "movl (%rax), %eax ; mem.0\n"
            "movl $2, (%rip) ; global.0\n"
            "retq $8\n");
}

TEST(CompileModule, WritesAGlobalInEachRoundOfALoopOfLoads) {
  const std::string code = code_of(R"((module (memory 1) (global $g (mut i32) (i32.const 0))
    (func (param i32) (loop
      (global.set $g (i32.add (global.get $g) (i32.load (local.get 0))))
      (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 4))))))))");
  EXPECT_EQ(count_of(code, "(%rip), %") + count_of(code, "(%rip) ; global.0"),
            count_of(code, "; mem.0") * 2)
      << code;
}

TEST(CompileModule, CopiesASmallFunctionThatCannotTrapIntoItsCaller) {
  EXPECT_EQ(code_of(R"((module
              (func (param i32) (result i32) (call $low (local.get 0)))
              (func $low (param i32) (result i32) (i32.and (local.get 0) (i32.const 255)))))"),
            "movzbl %dil, %eax\n"
            "retq $8\n");
}

TEST(CompileModule, CopiesASmallFunctionOfAnotherPartition) {
  std::string wat = R"((module (func (param i32) (result i32) (call $low (local.get 0))) (func)";
  for (int i = 0; i < 40'000; ++i) wat += " nop nop";
  wat += ") (func $low (param i32) (result i32) (i32.and (local.get 0) (i32.const 255))))";
  const auto compiled = compile_text(wat);
  ASSERT_TRUE(compiled) << compiled.error().message;
  EXPECT_EQ(disassemble(*compiled, "func.0"), "movzbl %dil, %eax\nretq $8\n");
  EXPECT_EQ(symbols_of(*compiled).defined.count("func.2"), 1U);
}

std::string code_that_calls(const std::string& body) {
  return code_of(
      "(module (memory 1) (func (param i32) (result i32) (call 1 (local.get 0)))"
      "(func (param i32) (result i32) " +
      body + "))");
}

TEST(CompileModule, CopiesASmallFunctionThatMayTrap) {
  for (const char* body : {"(i32.load (local.get 0))", "(i32.div_u (i32.const 7) (local.get 0))",
                           "(i32.trunc_f32_s (f32.reinterpret_i32 (local.get 0)))"}) {
    EXPECT_THAT(code_that_calls(body), Not(HasSubstr("callq"))) << body;
  }
}

TEST(CompileModule, KeepsTheLoadOfACopyWhoseValueIsNotUsed) {
  EXPECT_THAT(code_that_calls("(drop (i32.load offset=4 (local.get 0))) (local.get 0)"),
              HasSubstr("; mem.0+4"));
}

TEST(CompileModule, KeepsTheCallOfAFunctionThatLoopsOrCallsOrIsLarge) {
  std::string large;
  for (int i = 0; i < 50; ++i)
    large += "(local.set 0 (i32.load offset=" + std::to_string(i) + " (local.get 0)))";
  for (const std::string& body : {std::string("(loop (br_if 0 (local.get 0))) (local.get 0)"),
                                  std::string("(call 0 (local.get 0))"), large + "(local.get 0)"}) {
    EXPECT_THAT(code_that_calls(body), HasSubstr("callq")) << body;
  }
}

TEST(CompileModule, KeepsCallsWhereCopiesWouldOutweighTheCaller) {
  std::string wat = "(module (memory 1) (func (param i32)";
  for (int i = 0; i < 500; ++i) wat += "(call 1 (local.get 0))";
  wat += ") (func (param i32)";
  for (int i = 0; i < 10; ++i) wat += "(i32.store offset=300 (local.get 0) (i32.const 1000000))";
  const std::string code = code_of(wat + "))");
  EXPECT_GT(count_of(code, "callq"), 400U);
  EXPECT_LT(count_of(code, "callq"), 500U);
}

TEST(CompileModule, GivesAFoldedLoadItsOwnPlace) {
  const std::string wat = R"((module (memory 1) (func (param i32) (result i32)
    (i32.add (i32.load (local.get 0)) (i32.load offset=4 (local.get 0))))))";
  const auto compiled = compile_text(wat);
  ASSERT_TRUE(compiled);
  // Two loads, of which the addition does one, and the return, which comes after the addition.
  EXPECT_THAT(lines_of(*compiled, "func.0"), ElementsAre(32, 37, 40));
}

TEST(CompileModule, AddsNothingButTheIndexToAnAddressInALoop) {
  const std::string code = code_of(R"((module (memory 1)
    (func (param $from i32) (local $i i32) (loop
      (drop (i32.load (i32.add (local.get $from) (local.get $i))))
      (br_if 0 (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 4)))
                       (local.get $from)))))))");
  EXPECT_EQ(count_of(code, "leal "), 1U) << code;
}

TEST(CompileModule, KeepsAnEndlessLoop) {
  EXPECT_THAT(code_of("(module (func (loop (br 0))))"), ContainsRegex("^(nop.*\n)*jmp -2\n$"));
}

TEST(CompileModule, GivesEachTrapAnInstructionWithItsCode) {
  const std::string code = code_of(R"((module (func (param i32)
    (if (local.get 0) (then unreachable)) (if (i32.eqz (local.get 0)) (then unreachable)))))");
  EXPECT_EQ(count_of(code, "ud1l 1(%eax), %eax"), 2U) << code;
}

TEST(CompileModule, ChecksATableAndOneTypeBeforeAnIndirectCall) {
  EXPECT_THAT(
      code_of(R"((module (table 4 4 funcref) (type $t (func))
                (func (param i32) (call_indirect (type $t) (local.get 0)))))"),
      testing::AllOf(HasSubstr("cmpl $4, %edi\n"), HasSubstr("; table.0"), HasSubstr("; type.0"),
                     HasSubstr("ud1l 4(%eax), %eax"), HasSubstr("ud1l 6(%eax), %eax")));
}

TEST(CompileModule, DefinesAndLeavesOpenTheSymbolsOfTheAbi) {
  const auto compiled = compile_text(R"((module
    (import "a" "f" (func)) (import "a" "g" (global i32)) (import "a" "m" (memory 1))
    (memory $own 1) (table 3 3 funcref) (table $grows 1 funcref) (elem (i32.const 0) 0 1)
    (global (mut i64) (i64.const 7)) (export "t" (table $grows))
    (func (export "run") (call 0))))");
  ASSERT_TRUE(compiled) << compiled.error().message;
  EXPECT_THAT(compiled->table_is_far, ElementsAre(false, true));
  const Symbols symbols = symbols_of(*compiled);
  EXPECT_THAT(symbols.defined, IsSupersetOf({"func.1", "funcref.1", "mem.1.info", "table.0",
                                             "table.0.info", "table.1.info", "global.1",
                                             "instantiate", "thunk.0", "thunk.instantiate"}));
  EXPECT_THAT(symbols.undefined,
              ElementsAre("func.0", "funcref.0", "mem.1", "mem.1.bytes_max", "mem.1.region",
                          "table.1", "table.1.region", "table.1.size_max", "type.0"));
}

TEST(CompileModule, GivesByteOffsetsAsLines) {
  const auto compiled = compile_text(R"((module (memory 1) (func (param i32) (result i32)
    (i32.load (local.get 0)))))");
  ASSERT_TRUE(compiled);
  EXPECT_THAT(lines_of(*compiled, "func.0"), ElementsAre(32));
}

TEST(CompileModule, GivesTheSameBytesOnAnyNumberOfThreads) {
  std::string wat = "(module (memory 1)";
  for (int i = 0; i < 3000; ++i) {
    wat += "(func (param i32) (result i32) (i32.load offset=" + std::to_string(i) +
           " (i32.add (local.get 0) (i32.const " + std::to_string(i * 7) + "))))";
  }
  wat += ")";
  CompileOptions alone = at(image::OptLevel::kO1);
  alone.threads_max = 1;
  CompileOptions together = at(image::OptLevel::kO1);
  together.threads_max = 4;
  const auto first = compile_text(wat, alone);
  const auto second = compile_text(wat, together);
  ASSERT_TRUE(first && second);
  EXPECT_GT(first->objects.size(), 3U);
  EXPECT_EQ(first->objects, second->objects);
}

TEST(CompileModule, RefusesWhatItDoesNotCompileByName) {
  const std::vector<uint8_t> bytes = {
      0,  'a', 's', 'm',  1,    0,    0,    0,        // module
      1,  7,   2,   0x5e, 0x7f, 0,    0x60, 0,    0,  // types: (array i32), ()
      3,  2,   1,   1,                                // function of type 1
      10, 10,  1,   8,    0,    0x41, 1,    0xfb, 7, 0, 0x1a, 0x0b};
  const auto module = wasm::decode(bytes);
  ASSERT_TRUE(module) << module.error().message;
  const auto compiled = compile_module(*module, bytes, {});
  ASSERT_FALSE(compiled);
  EXPECT_EQ(compiled.error().kind, ErrorKind::kUnsupported);
  EXPECT_EQ(compiled.error().message,
            "function 0 uses array.new_default at offset 0x1c, which needs garbage collection: "
            "not compiled by this version");
}

class TailCall : public testing::TestWithParam<image::OptLevel> {};

std::string many(const std::string& what, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += " " + what;
  return all;
}

TEST_P(TailCall, ReachesAnySignatureByAJump) {
  const std::string results = "(result" + many("i32", 8) + ")";
  const auto compiled = compile_text(
      "(module (table 1 funcref) (type $t (func (param" + many("i64", 26) + ")" + results + "))" +
          "(func $few (param i64 i32) " + results + many("(local.get 0)", 26) +
          "return_call $all)" + "(func $all (type $t) unreachable)" +
          "(func $indirect (param i64 i32) " + results + many("(local.get 0)", 26) +
          "(return_call_indirect (type $t) (local.get 1))))",
      at(GetParam()));
  ASSERT_TRUE(compiled) << compiled.error().message;
  const std::string direct = disassemble(*compiled, "func.0");
  EXPECT_THAT(direct, ContainsRegex("jmp .*; func.1"));
  EXPECT_THAT(direct, Not(HasSubstr("call")));
  const std::string indirect = disassemble(*compiled, "func.2");
  EXPECT_THAT(indirect, ContainsRegex("jmpq \\*"));
  EXPECT_THAT(indirect, Not(HasSubstr("call")));
}

INSTANTIATE_TEST_SUITE_P(Levels, TailCall,
                         testing::Values(image::OptLevel::kO0, image::OptLevel::kO1,
                                         image::OptLevel::kO2));

TEST(CompileModule, TakesAThousandParametersAndResults) {
  const std::string signature =
      "(param" + many("i32", 1000) + ") (result" + many("i32", 1000) + ")";
  const auto compiled =
      compile_text("(module (func " + signature + many("(i32.const 1)", 1000) + ") (func " +
                       signature + many("(local.get 7)", 1000) + "call 0))",
                   at(image::OptLevel::kO1));
  EXPECT_TRUE(compiled) << compiled.error().message;
}

TEST(CompileModule, TakesFiftyThousandLocals) {
  std::string wat = "(module (func (result i32) (local" + many("i32", 50'000) + ")";
  for (int i = 1; i < 50'000; i += 10) {
    wat += "(local.set " + std::to_string(i) + " (local.get " + std::to_string(i - 1) + "))";
  }
  const auto compiled = compile_text(wat + "(local.get 49991)))");
  EXPECT_TRUE(compiled) << compiled.error().message;
}

TEST(CompileModule, TakesABranchTableOfAHundredThousandTargets) {
  const std::string code =
      code_of("(module (func (param i32) (result i32) (block (block (br_table" +
              many("0 1", 50'000) + " 0 (local.get 0))) (return (i32.const 1))) (i32.const 2)))");
  EXPECT_LT(code.size(), 2000U);
}

}  // namespace
}  // namespace mayfly::compiler
