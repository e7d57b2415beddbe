// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The grammar of names and versions, and which names are too much alike.
#include "component/names.h"

#include <gtest/gtest.h>

namespace mayfly::component {
namespace {

TEST(Label, TakesWordsAndAcronyms) {
  for (const char* text : {"a", "a-b-c", "a1-2-3", "A", "A-B-C", "A1-2-3", "a11-w0rds",
                           "A11-4CR0NYMS", "m1x3d-4CR0NYMS", "is-XML"}) {
    EXPECT_TRUE(is_label(text)) << text;
  }
}

TEST(Label, RefusesOtherCasingsAndEmptyWords) {
  for (const char* text : {"", "1", "1-a", "a-", "-a", "a--b", "aBc", "a_b", "a.b", "é"}) {
    EXPECT_FALSE(is_label(text)) << text;
  }
}

TEST(Words, HaveNoAcronyms) {
  EXPECT_TRUE(is_words("wasi-1"));
  EXPECT_FALSE(is_words("WASI"));
}

TEST(SemVer, TakesPrereleaseAndBuild) {
  const auto version = parse_semver("1.20.3-rc.1+build.05");
  ASSERT_TRUE(version);
  EXPECT_EQ(version->minor, "20");
  EXPECT_EQ(version->prerelease, "rc.1");
  EXPECT_EQ(version->build, "build.05");
}

TEST(SemVer, RefusesWhatTheSpecificationRefuses) {
  for (const char* text : {"", "1", "1.2", "1.2.", "01.2.3", "1.2.3-", "1.2.3+", "1.2.3-01",
                           "1.2.3-a..b", "1.2.3 ", "a.b.c", "1.2.3-é"}) {
    EXPECT_FALSE(parse_semver(text)) << text;
  }
}

TEST(SemVer, ComparesByPrecedence) {
  const char* ordered[] = {"1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta",
                           "1.0.0-beta",  "1.0.0-beta.2",  "1.0.0-beta.11",
                           "1.0.0-rc.1",  "1.0.0",         "1.0.10",
                           "1.2.0",       "10.0.0"};
  for (size_t i = 1; i < std::size(ordered); ++i) {
    EXPECT_LT(compare(*parse_semver(ordered[i - 1]), *parse_semver(ordered[i])), 0) << ordered[i];
    EXPECT_GT(compare(*parse_semver(ordered[i]), *parse_semver(ordered[i - 1])), 0) << ordered[i];
  }
}

TEST(SemVer, IsCompatibleByItsFirstNumberThatIsNotZero) {
  const auto compatible = [](const char* a, const char* b) {
    return is_compatible(*parse_semver(a), *parse_semver(b));
  };
  EXPECT_TRUE(compatible("1.2.3", "1.9.0"));
  EXPECT_FALSE(compatible("1.2.3", "2.2.3"));
  EXPECT_TRUE(compatible("0.2.0", "0.2.6"));
  EXPECT_FALSE(compatible("0.2.0", "0.3.0"));
  EXPECT_TRUE(compatible("0.0.1", "0.0.1"));
  EXPECT_FALSE(compatible("0.0.1", "0.0.2"));
  EXPECT_FALSE(compatible("0.2.0-rc.1", "0.2.0"));
}

TEST(ExternName, TakesInterfaceNamesApart) {
  const auto name = parse_extern_name("wasi:http/types@0.2.1");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->kind, ExternName::Kind::kInterface);
  EXPECT_EQ(name->package, "wasi:http");
  EXPECT_EQ(name->label, "types");
  EXPECT_EQ(name->version, "0.2.1");
}

TEST(ExternName, TakesMethodsApart) {
  const auto name = parse_extern_name("[method]file.read-at");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->kind, ExternName::Kind::kMethod);
  EXPECT_EQ(name->label, "file");
  EXPECT_EQ(name->member, "read-at");
}

TEST(ExternName, TakesNestedNamesOnlyWhenEnabled) {
  EXPECT_FALSE(parse_extern_name("a:b:c/d/e"));
  EXPECT_TRUE(parse_extern_name("a:b:c/d/e", {.nested = true}));
}

TEST(ExternName, TakesCanonicalVersionsOnlyWhenEnabled) {
  for (const char* text : {"a:b/c@1", "a:b/c@0.2", "a:b/c@0.0.7"}) {
    EXPECT_TRUE(parse_extern_name(text, {.canonical = true})) << text;
  }
  EXPECT_FALSE(parse_extern_name("a:b/c@1"));
  EXPECT_FALSE(parse_extern_name("a:b/c@0", {.canonical = true}));
}

TEST(ExternName, TakesDependenciesOnlyWhenEnabled) {
  EXPECT_FALSE(parse_extern_name("unlocked-dep=<a:b>"));
  EXPECT_TRUE(parse_extern_name("unlocked-dep=<a:b>", {.dependencies = true}));
  EXPECT_FALSE(parse_extern_name("unlocked-dep=<a<b>>", {.dependencies = true}));
}

// Explainer.md #name-uniqueness
TEST(UniquenessKey, IsTheSameForNamesThatAreTooMuchAlike) {
  EXPECT_EQ(uniqueness_key("foo"), uniqueness_key("FOO"));
  EXPECT_EQ(uniqueness_key("foo"), uniqueness_key("[method]foo.foo"));
  EXPECT_EQ(uniqueness_key("foo-bar"), uniqueness_key("[static]foo-BAR.FOO-bar"));
  EXPECT_EQ(uniqueness_key("[method]foo.bar"), uniqueness_key("[static]foo.BAR"));
  EXPECT_EQ(uniqueness_key("foo:bar/baz"), uniqueness_key("foo:bar/BAZ"));
  EXPECT_NE(uniqueness_key("foo"), uniqueness_key("[constructor]foo"));
  EXPECT_NE(uniqueness_key("foo-bar"), uniqueness_key("[method]foo.bar"));
  EXPECT_NE(uniqueness_key("a:b/c@1.0.0"), uniqueness_key("a:b/c@2.0.0"));
}

}  // namespace
}  // namespace mayfly::component
