// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the specification's scripts do not test: features that are off by default, what comes out,
// and where errors say they are.
#include <gtest/gtest.h>

#include "component/component.h"
#include "component/test_component.h"

namespace mayfly::component {
namespace {

std::string error_of(const Bytes& bytes, const DecodeOptions& options = {}) {
  const auto component = decode(bytes, options);
  return component ? "accepted" : component.error().message;
}

TEST(Decode, NamesTheOffsetInTheFileOfAnErrorInANestedModule) {
  // The module's function section declares a function that no code section defines.
  const Bytes module = {0x00, 'a', 's', 'm', 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 9};
  const Bytes inner = component_of({section(1, module)});
  const Bytes bytes = component_of({section(kComponentSection, inner)});
  EXPECT_NE(error_of(bytes).find("unknown type 9 at offset 0x25"), std::string::npos)
      << error_of(bytes);
}

TEST(Decode, RefusesValuesUnlessTheyAreEnabled) {
  const Bytes value = join({{0x7d}, leb(1), {0x05}});  // u8 5
  const Bytes bytes =
      component_of({items(kValueSection, {value}),
                    items(kExportSection, {join({extern_name("v"), {0x02, 0, 0}})})});
  EXPECT_NE(error_of(bytes).find("malformed section id 12"), std::string::npos);
  DecodeOptions options;
  options.features.values = true;
  EXPECT_EQ(error_of(bytes, options), "accepted");
}

TEST(Decode, WantsEachValueUsedOnce) {
  const Bytes value = join({{0x7d}, leb(1), {0x05}});
  DecodeOptions options;
  options.features.values = true;
  const Bytes unused = component_of({items(kValueSection, {value})});
  EXPECT_NE(error_of(unused, options).find("value 0 is never used"), std::string::npos);
  const Bytes twice = component_of({items(kValueSection, {value}),
                                    items(kExportSection, {join({extern_name("v"), {2, 0, 0}}),
                                                           join({extern_name("w"), {2, 0, 0}})})});
  EXPECT_NE(error_of(twice, options).find("value 0 is used more than once"), std::string::npos);
}

TEST(Decode, RefusesAValueWithBytesPastItsEnd) {
  DecodeOptions options;
  options.features.values = true;
  const Bytes value = join({{0x7d}, leb(2), {0x05, 0x06}});
  const Bytes bytes = component_of({items(kValueSection, {value})});
  EXPECT_NE(error_of(bytes, options).find("bytes past a value's end"), std::string::npos);
}

TEST(Decode, RefusesWhatThreadsAndErrorContextsNeedWhenTheyAreOff) {
  DecodeOptions options;
  options.features.threads = false;
  options.features.error_context = false;
  options.features.fixed_length_lists = false;
  EXPECT_NE(error_of(component_of({items(8, {{0x26}})}), options), "accepted");
  EXPECT_NE(error_of(component_of({items(8, {{0x1e}})}), options), "accepted");
  EXPECT_NE(error_of(component_of({items(kTypeSection, {{0x64}})}), options), "accepted");
  EXPECT_NE(error_of(component_of({items(kTypeSection, {{0x67, 0x7d, 3}})}), options), "accepted");
  EXPECT_EQ(error_of(component_of({items(8, {{0x26}, {0x1e}})})), "accepted");
}

TEST(Decode, GivesEqualDefinitionsOneStructure) {
  const Bytes list = {0x70, 0x7d};  // (list u8), twice
  const auto component = decode(component_of({items(kTypeSection, {list, list})}));
  ASSERT_TRUE(component);
  const auto& types = component->root().space(Space::kType);
  ASSERT_EQ(types.size(), 2U);
  EXPECT_NE(types[0].type, types[1].type);
  EXPECT_EQ(component->types.canonical(TypeId{types[0].type}),
            component->types.canonical(TypeId{types[1].type}));
}

TEST(Decode, ListsTheStepsOfInstantiationInOrder) {
  const Bytes inner = component_of({});
  const auto component = decode(component_of({section(kComponentSection, inner),
                                              items(kInstanceSection, {{0x00, 0, 0}, {0x01, 0}}),
                                              items(kInstanceSection, {{0x00, 0, 0}})}));
  ASSERT_TRUE(component);
  ASSERT_EQ(component->components.size(), 2U);
  EXPECT_EQ(component->components[1].parent, 0U);
  ASSERT_EQ(component->root().steps.size(), 2U);
  EXPECT_EQ(component->root().steps[0].number, 0U);
  EXPECT_EQ(component->root().steps[1].number, 2U);
}

TEST(Decode, FreshensTheResourcesOfEachInstance) {
  // The component defines a resource and exports it; two instances have two resources.
  const Bytes inner = component_of({items(kTypeSection, {{0x3f, 0x7f, 0x00}}),
                                    items(kExportSection, {join({extern_name("r"), {3, 0, 0}})})});
  const Bytes alias_0 = join({{0x03, 0x00, 0x00}, name("r")});
  const Bytes alias_1 = join({{0x03, 0x00, 0x01}, name("r")});
  const auto component = decode(component_of({section(kComponentSection, inner),
                                              items(kInstanceSection, {{0, 0, 0}, {0, 0, 0}}),
                                              items(kAliasSection, {alias_0, alias_1, alias_0})}));
  ASSERT_TRUE(component) << component.error().message;
  const auto& types = component->root().space(Space::kType);
  const auto resource = [&](size_t index) {
    return component->types.canonical(TypeId{types[index].type});
  };
  EXPECT_NE(resource(0), resource(1));
  EXPECT_EQ(resource(0), resource(2));
}

TEST(Decode, HasOneLineForAnErrorAboutANameWithManyLines) {
  const std::string text = "a\n\x1b[2J" + std::string(5'000, 'b');
  const std::string message = error_of(component_of({items(kImportSection, {type_import(text)})}));
  EXPECT_EQ(message.find('\n'), std::string::npos);
  EXPECT_NE(message.find("a\\x0a\\x1b[2Jbbb"), std::string::npos) << message;
  EXPECT_LT(message.size(), 800U);
  EXPECT_NE(message.find(" at offset 0xc"), std::string::npos) << message;
}

TEST(Decode, SaysWhereTwoTypesDiffer) {
  // A child that imports (record (field "x" (tuple u32))), given (record (field "x" (tuple u8))).
  const auto types = [](uint8_t element) {
    return items(kTypeSection, {{0x6f, 1, element}, join({{0x72, 1}, name("x"), {0x00}})});
  };
  const Bytes child = component_of(
      {types(0x79), items(kImportSection, {join({extern_name("t"), {0x03, 0x00, 0x00}}),
                                           join({extern_name("r"), {0x03, 0x00, 0x01}})})});
  const Bytes argument_t = join({name("t"), {0x03, 0x00}});
  const Bytes argument_r = join({name("r"), {0x03, 0x01}});
  const Bytes bytes =
      component_of({section(kComponentSection, child), types(0x7d),
                    items(kInstanceSection, {join({{0x00, 0x00, 0x02}, argument_t, argument_r})})});
  EXPECT_NE(error_of(bytes).find("expected u32, found u8 in part 0 of tuple"), std::string::npos)
      << error_of(bytes);
}

}  // namespace
}  // namespace mayfly::component
