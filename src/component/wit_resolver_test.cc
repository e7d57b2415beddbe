// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What WIT texts mean, and where wrong ones are wrong. Whole packages are in tests/component.
#include "component/wit_resolver.h"

#include <gtest/gtest.h>

#include <string>

#include "component/wit_printer.h"

namespace mayfly::component::wit {
namespace {

// The package printed again, or the error.
std::string again(const std::string& text, const WitLimits& limits = {}) {
  const auto resolved = resolve({{"a.wit", text}}, {SourceGroup{{0}}}, limits);
  return resolved ? print_package(resolved->model, resolved->root) : resolved.error().message;
}

std::string in_interface(const std::string& body) {
  return again("package a:b;\ninterface i {\n" + body + "\n}");
}

TEST(Wit, FindsTypesBeforeAndAfterTheirUse) {
  const auto resolved = resolve({{"a.wit",
                                  "package a:b; interface i { f: func() -> t; type t = list<u>; "
                                  "record u { x: u8 } }"}},
                                {SourceGroup{{0}}});
  ASSERT_TRUE(resolved) << resolved.error().message;
  const Model& model = resolved->model;
  const Interface& interface = model[model[resolved->root].interfaces[0]];
  ASSERT_EQ(interface.functions.size(), 1U);
  const Type& result = model[model.definition(interface.functions[0].result.type())];
  EXPECT_EQ(result.kind, TypeKind::kList);
  EXPECT_EQ(model[model.definition(result.fields[0].type.type())].kind, TypeKind::kRecord);
}

TEST(Wit, NamesTheLineAndColumnOfWhatIsNotThere) {
  EXPECT_EQ(in_interface("f: func(x: t);"), "a.wit:3:12: type `t` is not defined");
  EXPECT_EQ(in_interface("use j.{t};"), "a.wit:3:5: interface `j` is not defined in package `a:b`");
  EXPECT_EQ(again("package a:b; world w { include v; }"), "a.wit:1:32: world `v` is not defined");
}

TEST(Wit, RefusesWhatRefersToItself) {
  EXPECT_EQ(in_interface("type t = option<t>;"), "a.wit:3:17: type `t` refers to itself");
  EXPECT_EQ(again("package a:b; world w { include w; }"), "a.wit:1:32: world `w` includes itself");
}

TEST(Wit, RefusesOneNameForTwoThings) {
  EXPECT_EQ(in_interface("type t = u8; type t = u16;"), "a.wit:3:19: `t` is defined twice");
  EXPECT_EQ(in_interface("record r { x: u8, x: u8 }"), "a.wit:3:19: `x` is there twice");
}

TEST(Wit, TakesAKeywordAsANameOnlyEscaped) {
  EXPECT_EQ(in_interface("type record = u8;"),
            "a.wit:3:6: `record` is a keyword: write `%record` for the name");
  EXPECT_NE(in_interface("type %record = u8;").find("type %record = u8;"), std::string::npos);
}

TEST(Wit, KeepsDocsAndGates) {
  const std::string printed = in_interface("/// What f does.\n@since(version = 1.2.3)\nf: func();");
  EXPECT_NE(printed.find("/// What f does."), std::string::npos) << printed;
  EXPECT_NE(printed.find("@since(version = 1.2.3)"), std::string::npos) << printed;
}

TEST(Wit, RefusesTypesAndCommentsThatNestTooDeep) {
  std::string type = "u8";
  for (int i = 0; i < 200; ++i) type.insert(0, "list<").push_back('>');
  EXPECT_NE(in_interface("type t = " + type + ";").find("types nest deeper than 100"),
            std::string::npos);
  std::string comment;
  for (int i = 0; i < 200; ++i) comment += "/*";
  EXPECT_NE(again(comment).find("comments nest too deep"), std::string::npos);
}

TEST(Wit, CountsDefinitions) {
  const WitLimits limits = {.definitions_max = 2};
  EXPECT_NE(again("package a:b; interface i { type t = u8; type u = u8; type v = u8; }", limits)
                .find("more than 2 definitions"),
            std::string::npos);
}

}  // namespace
}  // namespace mayfly::component::wit
