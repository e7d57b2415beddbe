// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is printed of each kind of item, and what is left of it on the way through a component.
#include "component/wit_printer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "component/component.h"
#include "component/wit_decode.h"
#include "component/wit_encode.h"
#include "component/wit_resolver.h"

namespace mayfly::component::wit {
namespace {

using testing::HasSubstr;

Resolved resolved(const std::string& text) {
  auto made = resolve({{"a.wit", text}}, {SourceGroup{{0}}});
  EXPECT_TRUE(made) << made.error().message;
  return std::move(*made);
}
std::string printed(const std::string& text) {
  const Resolved made = resolved(text);
  return print_package(made.model, made.root);
}
// Through the binary form.
std::string encoded(const std::string& text) {
  const Resolved made = resolved(text);
  const auto bytes = encode_package(made.model, made.root);
  const auto component = decode(bytes);
  EXPECT_TRUE(component) << component.error().message;
  if (!component) return "";
  EXPECT_TRUE(is_package(*component));
  const auto again = decode_component(*component);
  EXPECT_TRUE(again) << again.error().message;
  return again ? print_package(again->model, again->root) : "";
}

constexpr const char* kTypes = R"(package a:b@1.2.3;

interface types {
  record point {
    x: f32,
    label: option<string>,
  }

  variant shape {
    none,
    dot(point),
  }

  enum color {
    red,
    green,
  }

  flags mode {
    read,
    write,
  }

  type points = list<point>;

  type pair = tuple<u8, char>;

  type answer = result<_, string>;

  f: func(p: point, q: points) -> answer;

  g: func(x: result<u8>, y: result);
}
)";

TEST(WitPrinter, PrintsEachKindOfTypeAsItWasWritten) { EXPECT_EQ(printed(kTypes), kTypes); }

TEST(WitEncode, KeepsEachKindOfType) { EXPECT_EQ(encoded(kTypes), kTypes); }

constexpr const char* kResources = R"(package a:b;

interface r {
  resource %resource {
    constructor(x: u8);
    get: func() -> u8;
    make: static func() -> %resource;
  }

  take: func(r: borrow<%resource>, s: %resource);
}

interface s {
  use r.{%resource as thing};

  f: func(t: thing);
}

world w {
  import r;
  import s;
  import log: func(m: string);

  export run: func();
  export inside: interface {
    f: func();
  }
}
)";

TEST(WitPrinter, PrintsResourcesUsesAndWorldsAsTheyWereWritten) {
  EXPECT_EQ(printed(kResources), kResources);
}

TEST(WitEncode, KeepsResourcesUsesAndWorlds) {
  const std::string text = encoded(kResources);
  for (const char* part :
       {"constructor(x: u8);", "make: static func() -> %resource;", "use r.{%resource as thing};",
        "take: func(r: borrow<%resource>, s: %resource);", "export run: func();",
        "export inside: interface {"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

TEST(WitPrinter, PrintsPackagesThatAreNeededBehindTheFirst) {
  const std::string text = printed(R"(package a:b;
    world w { import c:d/i; }
    package c:d { interface i { f: func(); } })");
  EXPECT_LT(text.find("import c:d/i;"), text.find("package c:d {"));
  const Resolved made = resolved("package a:b; world w {} package c:d { interface i {} }");
  EXPECT_EQ(print_package_alone(made.model, made.root).find("c:d"), std::string::npos);
}

TEST(WitDecode, RefusesWhatIsNoPackage) {
  const std::vector<uint8_t> empty = {0x00, 'a', 's', 'm', 0x0d, 0x00, 0x01, 0x00};
  const auto component = decode(empty);
  ASSERT_TRUE(component);
  EXPECT_FALSE(is_package(*component));
  const auto decoded = decode_component(*component);
  ASSERT_TRUE(decoded);
  EXPECT_FALSE(decoded->is_package);
  EXPECT_THAT(print_package(decoded->model, decoded->root), HasSubstr("world root"));
}

}  // namespace
}  // namespace mayfly::component::wit
