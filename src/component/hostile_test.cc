// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Inputs that are small and want much: depth, repetition, growth by instantiation. Each has an
// answer soon, and with bounded memory.
#include <gtest/gtest.h>

#include <string>

#include "component/component.h"
#include "component/test_component.h"

namespace mayfly::component {
namespace {

std::string error_of(const Bytes& bytes) {
  const auto component = decode(bytes);
  return component ? "accepted" : component.error().message;
}

TEST(HostileComponent, IsRefusedWhenComponentsNestTooDeep) {
  Bytes bytes = component_of({});
  for (int i = 0; i < 200; ++i) bytes = component_of({section(kComponentSection, bytes)});
  EXPECT_NE(error_of(bytes).find("nesting is too deep"), std::string::npos);
}

TEST(HostileComponent, IsRefusedWhenComponentTypesNestTooDeep) {
  Bytes type = {0x41, 0x00};
  for (int i = 0; i < 1'000; ++i) type = join({{0x41, 0x01, 0x01}, type});
  EXPECT_NE(error_of(component_of({items(kTypeSection, {type})})).find("nesting is too deep"),
            std::string::npos);
}

TEST(HostileComponent, IsRefusedWhenValueTypesAreTooDeep) {
  std::vector<Bytes> types = {{0x70, 0x7d}};
  for (uint32_t i = 0; i < 1'000; ++i) types.push_back(join({{0x6b}, type_index(i)}));
  EXPECT_NE(error_of(component_of({items(kTypeSection, types)})).find("type nesting is too deep"),
            std::string::npos);
}

TEST(HostileComponent, MayHaveTypesWhoseTreesAreExponential) {
  // Each type is a variant with the one before it in both cases: 2^150 leaves.
  std::vector<Bytes> types = {{0x7d}};
  for (uint32_t i = 0; i < 150; ++i) {
    const Bytes payload = join({{1}, type_index(i), {0}});
    types.push_back(join({{0x71, 2}, name("a"), payload, name("b"), payload}));
  }
  EXPECT_EQ(error_of(component_of({items(kTypeSection, types)})), "accepted");
}

TEST(HostileComponent, IsRefusedWhenATupleOfTuplesIsTooLarge) {
  std::vector<Bytes> types = {{0x7d}};
  for (uint32_t i = 0; i < 150; ++i) {
    types.push_back(join({{0x6f, 2}, type_index(i), type_index(i)}));
  }
  EXPECT_NE(error_of(component_of({items(kTypeSection, types)})).find("exceeds maximum byte size"),
            std::string::npos);
}

// Component i holds two instances of component i - 1 and exports both: 2^i resources.
Bytes doubling(int levels) {
  Bytes component = component_of({items(kTypeSection, {{0x3f, 0x7f, 0x00}}),
                                  items(kExportSection, {join({extern_name("r"), {3, 0, 0}})})});
  for (int i = 0; i < levels; ++i) {
    component = component_of(
        {section(kComponentSection, component), items(kInstanceSection, {{0, 0, 0}, {0, 0, 0}}),
         items(kExportSection,
               {join({extern_name("a"), {5, 0, 0}}), join({extern_name("b"), {5, 1, 0}})})});
  }
  return component;
}

TEST(HostileComponent, MayDoubleItsResourcesAFewTimes) {
  EXPECT_EQ(error_of(doubling(8)), "accepted");
}

TEST(HostileComponent, IsRefusedWhenInstantiationMakesTooManyTypes) {
  EXPECT_NE(error_of(doubling(40)).find("too many"), std::string::npos);
}

TEST(HostileComponent, IsRefusedWhenItRepeatsALargeComparison) {
  // A child that imports an instance with many functions, instantiated many times with another
  // instance of the same type.
  std::vector<Bytes> declarations = {{0x01, 0x40, 0x00, 0x01, 0x00}};
  for (int i = 0; i < 2'000; ++i) {
    declarations.push_back(join({{0x04}, extern_name("f" + std::to_string(i)), {0x01, 0x00}}));
  }
  Bytes type = join({{0x42}, leb(declarations.size())});
  for (const Bytes& declaration : declarations) type = join({type, declaration});
  const Bytes import = items(kImportSection, {join({extern_name("i"), {0x05, 0x00}})});
  const Bytes child = component_of({items(kTypeSection, {type}), import});
  const std::vector<Bytes> instances(20'000, join({{0x00, 0x00, 0x01}, name("i"), {0x05, 0x00}}));
  const Bytes bytes =
      component_of({items(kTypeSection, {type}), import, section(kComponentSection, child),
                    items(kInstanceSection, instances)});
  EXPECT_NE(error_of(bytes).find("too many steps"), std::string::npos) << error_of(bytes);
}

TEST(HostileComponent, ReservesNothingByItsCounts) {
  const Bytes count = {0xff, 0xff, 0xff, 0xff, 0x0f};
  for (const uint8_t id : Bytes{2, 3, 5, 6, 7, 8, 10, 11}) {
    EXPECT_NE(error_of(component_of({section(id, count)})).find("unexpected end"),
              std::string::npos);
  }
}

TEST(HostileComponent, AnswersForManyNames) {
  std::vector<Bytes> imports;
  for (int i = 0; i < 50'000; ++i) imports.push_back(type_import("r" + std::to_string(i)));
  EXPECT_EQ(error_of(component_of({items(kImportSection, imports)})), "accepted");
}

}  // namespace
}  // namespace mayfly::component
