// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What texts mean, what is printed, and where texts are wrong. Random values go round in
// fuzz/wave_fuzz.cc and tests/component/abi_test.cc.
#include "component/wave.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "component/test_types.h"

namespace mayfly::component {
namespace {

using Values = std::vector<ComponentValue>;

ValType prim(Prim kind) { return ValType::of(kind); }

// The text again, as the value prints; or the error.
std::string again(const TestTypes& types, ValType type, std::string_view text) {
  const auto value = parse_wave(types.arena, type, text);
  return value ? to_string(*value) : value.error().message;
}

TEST(Wave, ReadsNumbersInTheRangeOfTheirType) {
  const TestTypes types;
  EXPECT_EQ(again(types, prim(Prim::kS8), "-128"), "-128");
  EXPECT_EQ(again(types, prim(Prim::kS8), "128"), "128 is out of range for s8 at byte 0");
  EXPECT_EQ(again(types, kU8, "-1"), "expected a number of type u8 at byte 0");
  EXPECT_EQ(again(types, kU8, "1.5"), "expected a number of type u8 at byte 0");
  EXPECT_EQ(again(types, kU8, "01"), "a number must not begin with 0 at byte 0");
  EXPECT_EQ(again(types, prim(Prim::kU64), "18446744073709551615"), "18446744073709551615");
}

TEST(Wave, ReadsFloats) {
  const TestTypes types;
  EXPECT_EQ(again(types, prim(Prim::kF64), "6.022e+23"), "6.022e+23");
  EXPECT_EQ(again(types, prim(Prim::kF64), "-0"), "-0");
  EXPECT_EQ(again(types, prim(Prim::kF32), "-inf"), "-inf");
  EXPECT_EQ(again(types, prim(Prim::kF32), "nan"), "nan");
  EXPECT_EQ(again(types, prim(Prim::kF32), "0.1"), "0.1");
  EXPECT_EQ(again(types, prim(Prim::kF32), "1e999"), "1e999 is out of range for f32 at byte 0");
  EXPECT_EQ(again(types, prim(Prim::kF32), "1."), "expected digits at byte 2");
}

TEST(Wave, ReadsEscapes) {
  const TestTypes types;
  EXPECT_EQ(*parse_wave(types.arena, kString, R"("a\t\"\u{1F642}'")"),
            ComponentValue("a\t\"\xf0\x9f\x99\x82'"));
  EXPECT_EQ(*parse_wave(types.arena, prim(Prim::kChar), R"('\u{0}')"), ComponentValue(U'\0'));
  EXPECT_EQ(again(types, prim(Prim::kChar), "'\xe2\x98\x83'"), "'\xe2\x98\x83'");
  EXPECT_EQ(again(types, prim(Prim::kChar), R"('\'')"), R"('\'')");
  EXPECT_EQ(again(types, kString, R"("\u{d800}")"), "invalid escape at byte 1");
  EXPECT_EQ(again(types, kString, R"("\u{110000}")"), "invalid escape at byte 1");
  EXPECT_EQ(again(types, kString, R"("\x")"), "invalid escape at byte 1");
  EXPECT_EQ(again(types, kString, "\"a\n\""), "a character that must be escaped at byte 2");
  EXPECT_EQ(again(types, kString, "\"a"), "expected '\"' at byte 2");
  EXPECT_EQ(again(types, prim(Prim::kChar), "'ab'"), "expected ''' at byte 2");
  EXPECT_EQ(again(types, kString, "\"\xff\""), "the text is not UTF-8");
}

TEST(Wave, ReadsStringsOfManyLines) {
  const TestTypes types;
  EXPECT_EQ(again(types, kString, "\"\"\"\n   a\n    b\r\n  \"\"\""), R"(" a\n  b")");
  EXPECT_EQ(again(types, kString, "\"\"\"\n\n\\u{41}\n\"\"\""), R"("\nA")");
  EXPECT_EQ(again(types, kString, "\"\"\"\n \"\"\""), R"("")");
  EXPECT_EQ(again(types, kString, "\"\"\"a\n\"\"\""),
            "expected a line break after the quotes at byte 3");
  EXPECT_EQ(again(types, kString, "\"\"\"\na\n  \"\"\""), "expected 2 spaces at byte 4");
  EXPECT_EQ(again(types, kString, "\"\"\"\na"), "a string without an end at byte 0");
}

TEST(Wave, ReadsFieldsInAnyOrderAndWithoutOptionalOnes) {
  TestTypes types;
  const ValType record = types.add(
      TypeKind::kRecord, {types.member("a", kU8), types.member("b", types.option(kString))});
  EXPECT_EQ(again(types, record, R"({b: "x", a: 1,})"), R"({a: 1, b: some("x")})");
  EXPECT_EQ(again(types, record, "{ %a : 1 } // no b"), "{a: 1, b: none}");
  EXPECT_EQ(again(types, record, "{b: none}"), "the field \"a\" is missing at byte 8");
  EXPECT_EQ(again(types, record, "{a: 1, a: 2}"), "the field \"a\" a second time at byte 7");
  EXPECT_EQ(again(types, record, "{c: 1}"), "there is no field \"c\" at byte 1");
  EXPECT_EQ(again(types, record, "{a: 1 b: none}"), "expected ',' or '}' at byte 6");
  const ValType optional = types.add(TypeKind::kRecord, {types.member("b", types.option(kString))});
  EXPECT_EQ(again(types, optional, "{:}"), "{b: none}");
}

TEST(Wave, ReadsListsTuplesAndMaps) {
  TestTypes types;
  EXPECT_EQ(again(types, types.list(kU8), "[1,2 , 3,]"), "[1, 2, 3]");
  EXPECT_EQ(again(types, types.list(kU8), "[]"), "[]");
  EXPECT_EQ(again(types, types.list(kU8), "[1"), "expected ',' or ']' at byte 2");
  EXPECT_EQ(again(types, types.list(kU8), "[,]"), "expected a number at byte 1");
  EXPECT_EQ(again(types, types.tuple({kU8, kString}), "(1, \"a\",)"), "(1, \"a\")");
  EXPECT_EQ(again(types, types.tuple({kU8, kString}), "(1)"), "expected ',' at byte 2");
  EXPECT_EQ(again(types, types.map(kString, kU8), R"({"a": 1, "b": 2})"),
            R"([("a", 1), ("b", 2)])");
  EXPECT_EQ(again(types, types.map(kString, kU8), R"([("a", 1)])"), R"([("a", 1)])");
  EXPECT_EQ(again(types, types.map(kString, kU8), "{:}"), "[]");
}

TEST(Wave, ReadsCasesWithKeywordsEscaped) {
  TestTypes types;
  const ValType variant = types.add(
      TypeKind::kVariant,
      {types.member("empty"), types.member("body", types.list(kU8)), types.member("err", kString)});
  EXPECT_EQ(again(types, variant, "empty"), "empty");
  EXPECT_EQ(again(types, variant, "body([7])"), "body([7])");
  EXPECT_EQ(again(types, variant, "%err(\"oops\")"), "%err(\"oops\")");
  EXPECT_EQ(again(types, variant, "err(\"oops\")"), "the case err is written %err, at byte 0");
  EXPECT_EQ(again(types, variant, "body"), "expected '(' at byte 4");
  EXPECT_EQ(again(types, variant, "empty(1)"), "expected the end at byte 5");
  EXPECT_EQ(again(types, variant, "other"), "there is no case \"other\" at byte 0");
  EXPECT_EQ(again(types, types.names(TypeKind::kEnum, {"ok", "no"}), "%ok"), "%ok");
  const ValType flags = types.names(TypeKind::kFlags, {"r", "w"});
  EXPECT_EQ(again(types, flags, "{w, r,}"), "{w, r}");
  EXPECT_EQ(again(types, flags, "{}"), "{}");
  EXPECT_EQ(again(types, flags, "{r, r}"), "twice the flag \"r\" at byte 4");
}

TEST(Wave, ReadsOptionsAndResultsWithoutTheirNames) {
  TestTypes types;
  EXPECT_EQ(again(types, types.option(kU8), "1"), "some(1)");
  EXPECT_EQ(again(types, types.option(kU8), "none"), "none");
  EXPECT_EQ(again(types, types.option(types.option(kU8)), "some(1)"), "some(some(1))");
  EXPECT_EQ(again(types, types.option(types.option(kU8)), "1"),
            "expected some(...) or none at byte 0");
  EXPECT_EQ(again(types, types.result(kU8, kString), "1"), "ok(1)");
  EXPECT_EQ(again(types, types.result({}, kString), "ok"), "ok");
  EXPECT_EQ(again(types, types.result(kU8, {}), "err"), "err");
  EXPECT_EQ(again(types, types.result({}, kString), "1"), "expected ok or err at byte 0");
}

TEST(Wave, HasNoTextForHandles) {
  TestTypes types;
  const ValType stream = types.add(TypeKind::kStream, {{StringId{kNoIndex}, kU8}});
  EXPECT_EQ(again(types, stream, "1"),
            "expected a value that has text, not one of type stream at byte 0");
  EXPECT_EQ(to_string(ComponentValue::own(3)), "own(3)");
}

TEST(Wave, StopsRecordsThatLeaveOutTooMuch) {
  TestTypes types;
  std::vector<Member> members;
  const ValType optional = types.option(kU8);
  for (int i = 0; i < 1000; ++i) {
    members.push_back(types.member("a" + std::to_string(i), optional));
  }
  const ValType list = types.list(types.add(TypeKind::kRecord, members));
  std::string text = "[";
  for (int i = 0; i < 1001; ++i) text += "{:},";
  EXPECT_EQ(again(types, list, text + "]"), "records leave out more than 1000000 optional fields");
}

TEST(Wave, PrintsWhatATerminalWouldObeyEscaped) {
  EXPECT_EQ(to_string(ComponentValue("\x1b[2J\x7f")), R"("\u{1b}[2J\u{7f}")");
  EXPECT_EQ(to_string(ComponentValue("\xe2\x80\xae")), R"("\u{202e}")");
  EXPECT_EQ(to_string(ComponentValue("\xff")), "\"\xef\xbf\xbd\"");
  EXPECT_EQ(to_string(ComponentValue::list(std::vector<uint8_t>{1, 2})), "[1, 2]");
}

TEST(WaveCall, SplitsNames) {
  const auto parts = [](std::string_view text) {
    const auto call = parse_wave_call(text);
    if (!call) return call.error().message;
    return call->interface + "|" + call->function + "|" + std::string(call->arguments);
  };
  EXPECT_EQ(parts("f"), "|f|");
  EXPECT_EQ(parts("f()"), "|f|");
  EXPECT_EQ(parts("iface.f({a: 1.5})"), "iface|f|{a: 1.5}");
  EXPECT_EQ(parts("ns:pkg/iface@1.0.0.f(1) "), "ns:pkg/iface@1.0.0|f|1");
  EXPECT_EQ(parts("ns:pkg/i@1.0.0.[method]r.get(1)"), "ns:pkg/i@1.0.0|[method]r.get|1");
  EXPECT_EQ(parts("[method]r.get()"), "|[method]r.get|");
  EXPECT_EQ(parts("f(1"), "expected ')' at byte 3");
  EXPECT_EQ(parts(".f"), "expected the name of an interface at byte 0");
  EXPECT_EQ(parts("i.()"), "expected the name of a function at byte 2");
  EXPECT_EQ(parts(""), "expected the name of a function at byte 0");
  EXPECT_EQ(parts("i[method]r.f"), "expected '.' at byte 1");
}

TEST(WaveCall, ReadsArgumentsByTheirTypes) {
  TestTypes types;
  const std::vector<Member> params = {types.member("a", kU8),
                                      types.member("b", types.option(kString))};
  const auto arguments = [&](std::string_view text) -> std::string {
    const auto values = parse_wave_arguments(types.arena, params, *parse_wave_call(text));
    return values ? to_string(ComponentValue::tuple(*values)) : values.error().message;
  };
  EXPECT_EQ(arguments("f(1, \"x\")"), "(1, some(\"x\"))");
  EXPECT_EQ(arguments("f(1)"), "(1, none)");
  EXPECT_EQ(arguments("f()"), "expected argument 1 of 2 at byte 2");
  EXPECT_EQ(arguments("f(1, none, 3)"), "expected no more than 2 arguments at byte 11");
  EXPECT_EQ(arguments("f(1; none)"), "expected ',' or ')' at byte 3");
  EXPECT_EQ(arguments("f(300)"), "300 is out of range for u8 at byte 2");
}

}  // namespace
}  // namespace mayfly::component
