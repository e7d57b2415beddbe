// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reading a script's JSON, and planning it without a compiler or a VM.
#include "runtime/wast_script.h"

#include <gtest/gtest.h>

#include <map>
#include <string_view>

#include "runtime/spectest_module.h"
#include "runtime/wast_plan.h"
#include "wasm/module.h"

namespace mayfly::runtime {
namespace {

Result<WastScript> parse(std::string_view json) {
  return parse_wast_script(std::vector<uint8_t>(json.begin(), json.end()));
}

TEST(WastScript, ReadsAnAssertion) {
  const auto script = parse(
      R"({"source_filename":"a.wast","commands":[{"type":"assert_return","line":7,
          "action":{"type":"invoke","field":"f","args":[{"type":"i32","value":"1"}]},
          "expected":[{"type":"i64","value":"2"}]}]})");
  ASSERT_TRUE(script) << script.error().message;
  const WastCommand& command = script->commands.at(0);
  EXPECT_EQ(command.kind, WastCommand::Kind::kAssertReturn);
  EXPECT_EQ(command.line, 7U);
  EXPECT_EQ(command.action.field, "f");
  EXPECT_EQ(command.action.arguments.at(0).bits.low, 1U);
  EXPECT_EQ(command.expected.at(0).lanes.at(0).bits, 2U);
}

TEST(WastScript, ReadsAChoiceOfResults) {
  const auto script = parse(
      R"({"commands":[{"type":"assert_return","action":{"type":"invoke","field":"f","args":[]},
          "expected":[{"type":"either","values":[{"type":"i32","value":"1"},
                                                 {"type":"i32","value":"2"}]}]}]})");
  ASSERT_TRUE(script) << script.error().message;
  const ExpectedValue& either = script->commands.at(0).expected.at(0);
  EXPECT_TRUE(matches(either, Value::i32(2)));
  EXPECT_FALSE(matches(either, Value::i32(3)));
}

TEST(WastScript, TakesTheBinaryFormOfATextModule) {
  const auto script = parse(
      R"({"commands":[{"type":"module","filename":"a.wat","module_type":"text",
          "binary_filename":"a.wasm"},{"type":"assert_malformed","filename":"b.wat",
          "module_type":"text"}]})");
  ASSERT_TRUE(script);
  EXPECT_EQ(script->commands.at(0).filename, "a.wasm");
  EXPECT_EQ(script->commands.at(1).filename, "");
}

TEST(WastScript, KeepsWhyAValueIsNoneOfACoreFunction) {
  const auto script = parse(
      R"({"commands":[{"type":"assert_return","line":1,"action":{"type":"invoke","field":"f",)"
      R"("args":[{"type":"record","value":[]}]},"expected":[{"type":"string","value":"a"}]}]})");
  ASSERT_TRUE(script);
  EXPECT_NE(script->commands[0].problem, "");
}

TEST(WastScript, RefusesWhatIsNoScript) {
  EXPECT_FALSE(parse("{"));
  EXPECT_FALSE(parse("[]"));
  EXPECT_FALSE(parse(R"({"commands":[1]})"));
}

constexpr std::string_view kEmptyModule{"\0asm\1\0\0\0", 8};
// Imports the function spectest.print.
constexpr std::string_view kPrints{"\0asm\1\0\0\0\1\4\1\x60\0\0\2\x12\1\10spectest\5print\0\0", 34};

WastPlan plan(std::string_view json, const std::map<std::string, std::string_view>& files,
              const std::map<std::string, std::string>& refused = {}) {
  const ModuleReader read = [&files](const std::string& name) -> Result<std::vector<uint8_t>> {
    const std::string_view bytes = files.at(name);
    return std::vector<uint8_t>(bytes.begin(), bytes.end());
  };
  return plan_wast(*parse(json), {}, read, refused);
}

using Verdict = PlannedCommand::Verdict;

TEST(WastPlan, CompilesModulesWithTheSameBytesOnce) {
  const WastPlan planned = plan(R"({"commands":[{"type":"module","filename":"a"},
                                               {"type":"module","filename":"b"}]})",
                                {{"a", kEmptyModule}, {"b", kEmptyModule}});
  EXPECT_EQ(planned.request.modules.size(), 1U);
  EXPECT_EQ(planned.request.plan.steps.size(), 2U);
}

TEST(WastPlan, ProvidesSpectestOnlyWhenItIsImported) {
  const WastPlan planned = plan(R"({"commands":[{"type":"module","filename":"a"},
                                               {"type":"module","filename":"b"}]})",
                                {{"a", kEmptyModule}, {"b", kPrints}});
  ASSERT_EQ(planned.request.plan.steps.size(), 3U) << planned.commands.at(1).reason;
  EXPECT_EQ(planned.request.plan.steps.at(1).name, "spectest");
  EXPECT_EQ(planned.spectest, 1U);
  EXPECT_EQ(planned.commands.at(1).step, 2U);
}

TEST(WastPlan, JudgesInvalidModulesAndSkipsText) {
  const WastPlan planned = plan(
      R"({"commands":[{"type":"assert_malformed","filename":"a","text":"unexpected end"},
                      {"type":"assert_malformed","filename":"b","module_type":"text"},
                      {"type":"assert_invalid","filename":"c","text":"type mismatch"}]})",
      {{"a", "\0asm"}, {"c", kEmptyModule}});
  EXPECT_EQ(planned.commands.at(0).verdict, Verdict::kPassed);
  EXPECT_EQ(planned.commands.at(1).verdict, Verdict::kSkipped);
  EXPECT_EQ(planned.commands.at(2).verdict, Verdict::kFailed);
}

TEST(WastPlan, ValidatesComponentsAndSkipsWhatRunsThem) {
  const auto script =
      parse(R"({"commands":[{"type":"module","line":1,"filename":"good"},)"
            R"({"type":"assert_return","line":2,"action":{"type":"invoke","field":"f","args":[)"
            R"({"type":"string","value":"a"}]},"expected":[]},)"
            R"({"type":"assert_invalid","line":3,"filename":"bad","text":"t"},)"
            R"({"type":"assert_invalid","line":4,"filename":"good","text":"t"}]})");
  ASSERT_TRUE(script);
  const ModuleReader read = [](const std::string& name) -> Result<std::vector<uint8_t>> {
    std::vector<uint8_t> bytes = {0x00, 'a', 's', 'm', 0x0d, 0x00, 0x01, 0x00};
    if (name == "bad") bytes.push_back(0x63);
    return bytes;
  };
  const WastPlan plan = plan_wast(*script, {}, read, {});
  ASSERT_EQ(plan.commands.size(), 4U);
  EXPECT_EQ(plan.commands[0].verdict, Verdict::kSkipped);
  EXPECT_EQ(plan.commands[1].verdict, Verdict::kSkipped);
  EXPECT_NE(plan.commands[1].reason, "");
  EXPECT_EQ(plan.commands[2].verdict, Verdict::kPassed);
  EXPECT_EQ(plan.commands[3].verdict, Verdict::kFailed);
}

TEST(WastPlan, FailsTheActionsOfAModuleThatTheCompilerRefused) {
  const WastPlan planned = plan(R"({"commands":[{"type":"module","filename":"a"},
               {"type":"action","action":{"type":"invoke","field":"f","args":[]}}]})",
                                {{"a", kEmptyModule}}, {{"a", "not compiled yet: gc"}});
  EXPECT_EQ(planned.commands.at(0).verdict, Verdict::kFailed);
  EXPECT_EQ(planned.commands.at(0).reason, "not compiled yet: gc");
  EXPECT_EQ(planned.commands.at(1).verdict, Verdict::kFailed);
}

TEST(Spectest, IsAValidModuleWithAllItsExports) {
  const auto bytes = spectest_module({});
  const auto module = wasm::decode(bytes);
  ASSERT_TRUE(module) << module.error().message;
  EXPECT_EQ(module->exports.size(), 14U);
  ASSERT_NE(module->find_export("table64"), nullptr);
  EXPECT_EQ(module->tables.at(1).type.address, wasm::AddressType::kI64);
}

TEST(Spectest, HasASharedMemoryWithThreads) {
  const wasm::Features features{.threads = true};
  const auto bytes = spectest_module(features);
  const auto module = wasm::decode(bytes, {.limits = {}, .features = features});
  ASSERT_TRUE(module) << module.error().message;
  EXPECT_NE(module->find_export("shared_memory"), nullptr);
}

}  // namespace
}  // namespace mayfly::runtime
