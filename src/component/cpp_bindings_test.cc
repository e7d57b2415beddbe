// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Parts of what is written. That all of it compiles, and works, is shown by tests/e2e and
// tests/library.
#include "component/cpp_bindings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "component/wit_resolver.h"

namespace mayfly::component::wit {
namespace {

using testing::HasSubstr;
using testing::Not;

Result<std::string> bindings(const std::string& text) {
  const Resolved resolved = MAYFLY_TRY(resolve({{"test.wit", text}}, {SourceGroup{{0}}}));
  BindingOptions options;
  options.source = "test.wit";
  options.is_provided = [](std::string_view name) { return name.starts_with("wasi:"); };
  return cpp_bindings(resolved.model, resolved.model[resolved.root].worlds.front(), options);
}

std::string written(const std::string& text) {
  auto made = bindings("package a:b;\n" + text);
  EXPECT_TRUE(made) << made.error().message;
  return made ? *made : "";
}
std::string refused(const std::string& text) {
  const auto made = bindings("package a:b;\n" + text);
  EXPECT_FALSE(made);
  return made ? "" : made.error().message;
}

TEST(CppBindings, HaveRecordsInTheOrderThatCppNeeds) {
  const std::string text = written(R"(
    interface i { record outer { in: inner } record inner { class: u8 } f: func(o: outer); }
    world w { import i; })");
  EXPECT_LT(text.find("struct Inner {"), text.find("struct Outer {"));
  EXPECT_THAT(text, HasSubstr("::std::uint8_t class_{};"));
  EXPECT_THAT(text, HasSubstr("field(\"class\", &::w::imports::a::b::i::Inner::class_)"));
}

TEST(CppBindings, CarryDocsOver) {
  const std::string text = written(R"(
    interface i {
      /// What it is.
      record r {
        /// How many.
        n: u8,
      }
      /// What it does.
      f: func() -> r;
    }
    world w { export i; })");
  EXPECT_THAT(text, HasSubstr("// What it is.\nstruct R {"));
  EXPECT_THAT(text, HasSubstr("// How many.\n  ::std::uint8_t n{};"));
  EXPECT_THAT(text,
              HasSubstr("// What it does.\n  ::mayfly::Outcome<::w::exports::a::b::i::R> f()"));
}

TEST(CppBindings, TellHostResourcesFromThoseOfTheComponent) {
  const std::string text = written(R"(
    interface i { resource r { constructor(); } f: func(r: borrow<r>); }
    world w { import i; export i; })");
  EXPECT_THAT(text,
              HasSubstr("linker.define_resource<::w::imports::a::b::i::R>(\"a:b/i\", \"r\")"));
  EXPECT_THAT(text, HasSubstr("::mayfly::Own<::w::imports::a::b::i::R>"));
  EXPECT_THAT(text, HasSubstr("::mayfly::GuestBorrow<::w::exports::a::b::i::R>"));
  EXPECT_THAT(text, HasSubstr("::mayfly::wit::resource(\"a:b/i\", \"r\")"));
}

TEST(CppBindings, HaveNoHostForWhatIsProvided) {
  auto made = bindings(R"(
    package a:b;
    world w { import wasi:x/y; }
    package wasi:x { interface y { f: func(); } })");
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_THAT(*made, Not(HasSubstr("class Host")));
}

TEST(CppBindings, TellVersionsOfAnInterfaceApart) {
  auto made = bindings(R"(
    package a:b;
    world w { import x:y/i@1.0.0; import x:y/i@2.0.0; }
    package x:y@1.0.0 { interface i { f: func(); } }
    package x:y@2.0.0 { interface i { f: func(); } })");
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_THAT(*made, HasSubstr("namespace w::imports::x::y::i_v1_0_0 {"));
  EXPECT_THAT(*made, HasSubstr("namespace w::imports::x::y::i_v2_0_0 {"));
}

TEST(CppBindings, RefuseWhatTypedCallsHaveNot) {
  EXPECT_THAT(refused("world w { import f: async func(); }"), HasSubstr("no async functions"));
  EXPECT_THAT(refused("world w { import f: func(x: stream<u8>); }"), HasSubstr("no stream"));
  EXPECT_THAT(refused("world w { import f: func(x: future<u8>); }"), HasSubstr("no future"));
  EXPECT_THAT(refused("world w { import f: func(x: error-context); }"),
              HasSubstr("no error-context"));
}

TEST(CppBindings, AvoidNamespacesOfOthers) {
  EXPECT_THAT(written("world std { import f: func(); }"), HasSubstr("namespace std_world {"));
}

}  // namespace
}  // namespace mayfly::component::wit
