// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What decode() puts into a Module, and the rules between sections, with hand-written bytes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wasm/test_module.h"

namespace mayfly::wasm {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(Decode, AcceptsTheEmptyModule) { EXPECT_EQ(message_of(module_of({})), "valid"); }

TEST(Decode, SaysWhereTheHeaderIsWrong) {
  EXPECT_EQ(message_of({}), "unexpected end at offset 0x0");
  EXPECT_EQ(message_of({0, 'a', 's', 'n', 1, 0, 0, 0}), "magic header not detected at offset 0x0");
  EXPECT_EQ(message_of({0, 'a', 's', 'm', 2, 0, 0, 0}), "unknown binary version at offset 0x4");
}

TEST(Decode, PutsImportsFirstInEachIndexSpace) {
  const Bytes bytes = module_of({section(1, {1, 0x60, 1, 0x7F, 1, 0x7E}),
                                 section(2, vec({join({name("env"), name("f"), {0, 0}}),
                                                 join({name("env"), name("m"), {2, 1, 1, 2}}),
                                                 join({name("env"), name("g"), {3, 0x7F, 1}})})),
                                 section(3, {1, 0}), section(5, {1, 4, 1}),
                                 section(7, vec({join({name("run"), {0, 1}})})),
                                 section(10, join({{1}, body({0}, {0x42, 0})}))});
  const auto module = decode(bytes);
  ASSERT_TRUE(module) << module.error().message;
  ASSERT_EQ(module->functions.size(), 2u);
  EXPECT_EQ(module->imported_functions, 1u);
  EXPECT_EQ(module->functions[0].body.size, 0u);
  EXPECT_EQ(module->functions[1].body.size, 4u);
  EXPECT_EQ(module->imports[1].module, "env");
  EXPECT_EQ(module->imports[1].kind, ExternKind::kMemory);
  EXPECT_EQ(module->memories[0].limits.max, 2u);
  EXPECT_EQ(module->memories[1].address, AddressType::kI64);
  EXPECT_TRUE(module->globals[0].type.is_mutable);
  ASSERT_NE(module->find_export("run"), nullptr);
  EXPECT_EQ(module->find_export("run")->index, 1u);
  EXPECT_EQ(module->find_export("walk"), nullptr);
  EXPECT_TRUE(module->functions[1].is_declared_ref);
  EXPECT_FALSE(module->functions[0].is_declared_ref);
  EXPECT_EQ(to_string(module->func_type(1)), "(i32) -> (i64)");
}

TEST(Decode, KeepsRecursionGroupsAndSupertypes) {
  const Bytes bytes = module_of({section(
      1, vec({{0x4E, 2, 0x50, 0, 0x5F, 1, 0x63, 0x01, 0, 0x50, 1, 0, 0x5F, 1, 0x63, 0x01, 0},
              {0x5E, 0x78, 1}}))});
  const auto module = decode(bytes);
  ASSERT_TRUE(module) << module.error().message;
  ASSERT_EQ(module->types.size(), 3u);
  EXPECT_EQ(module->types[1].supertype, 0u);
  EXPECT_EQ(module->types[1].rec_group_first, 0u);
  EXPECT_EQ(module->types[1].rec_group_size, 2u);
  EXPECT_FALSE(module->types[1].is_final);
  EXPECT_TRUE(module->types[2].is_final);
  EXPECT_EQ(module->types[2].array.element.storage.kind, ValKind::kI8);
}

TEST(Decode, KeepsSegmentsOfEveryKind) {
  const Bytes bytes = module_of({section(1, {1, 0x60, 0, 0}), section(3, {1, 0}),
                                 section(4, {1, 0x70, 0, 9}), section(5, {1, 0, 1}),
                                 section(9, vec({{0, 0x41, 3, 0x0B, 1, 0},
                                                 {1, 0, 2, 0, 0},
                                                 {3, 0, 1, 0},
                                                 {5, 0x70, 2, 0xD0, 0x70, 0x0B, 0xD2, 0, 0x0B}})),
                                 section(12, {2}), section(10, join({{1}, body({0}, {})})),
                                 section(11, vec({{0, 0x41, 8, 0x0B, 2, 'h', 'i'}, {1, 1, '!'}}))});
  const auto module = decode(bytes);
  ASSERT_TRUE(module) << module.error().message;
  ASSERT_EQ(module->elements.size(), 4u);
  EXPECT_EQ(module->elements[0].mode, SegmentMode::kActive);
  EXPECT_EQ(module->elements[1].mode, SegmentMode::kPassive);
  EXPECT_FALSE(module->elements[1].type.nullable);
  EXPECT_EQ(module->elements[1].func_indices.size(), 2u);
  EXPECT_EQ(module->elements[2].mode, SegmentMode::kDeclarative);
  EXPECT_EQ(module->elements[3].expressions.size(), 2u);
  EXPECT_EQ(module->elements[3].expressions[0].code.size, 3u);
  ASSERT_EQ(module->data.size(), 2u);
  EXPECT_EQ(bytes[module->data[0].bytes.offset], 'h');
  EXPECT_EQ(module->data[0].bytes.size, 2u);
  EXPECT_EQ(module->data[1].mode, SegmentMode::kPassive);
}

TEST(Decode, TakesCustomSectionsAnywhere) {
  const Bytes custom = section(0, join({name("note"), {1, 2, 3}}));
  const auto module = decode(module_of({custom, section(1, {0}), custom, section(7, {0}), custom}));
  ASSERT_TRUE(module);
  ASSERT_EQ(module->customs.size(), 3u);
  EXPECT_EQ(module->customs[2].name, "note");
  EXPECT_EQ(module->customs[2].contents.size, 3u);
}

Bytes module_with_names(const Bytes& names) {
  return module_of({section(1, {1, 0x60, 0, 0}), section(3, {1, 0}),
                    section(7, vec({join({name("exported"), {0, 0}})})),
                    section(10, join({{1}, body({0}, {})})),
                    section(0, join({name("name"), names}))});
}

TEST(Names, ComeFromTheNameSection) {
  const auto module = decode(module_with_names(
      join({section(0, name("mod")), section(1, vec({join({{0}, name("first")})}))})));
  ASSERT_TRUE(module);
  EXPECT_EQ(module->names.module, "mod");
  EXPECT_EQ(module->function_name(0), "first");
}

TEST(Names, AreIgnoredAsAWholeWhereIllFormed) {
  const Bytes good = section(0, name("mod"));
  const Bytes past_the_functions = section(1, vec({join({{1}, name("second")})}));
  const auto module = decode(module_with_names(join({good, past_the_functions})));
  ASSERT_TRUE(module);
  EXPECT_EQ(module->names.module, "");
  EXPECT_EQ(module->function_name(0), "exported");
  EXPECT_EQ(message_of(module_with_names({0, 200})), "valid");
  EXPECT_EQ(message_of(module_with_names({0, 2, 1, 0xFF})), "valid");
}

TEST(Decode, RefusesSectionsOutOfOrder) {
  EXPECT_THAT(message_of(module_of({section(3, {0}), section(1, {0})})),
              StartsWith("unexpected content after last section"));
  EXPECT_EQ(message_of(module_of({section(5, {0}), section(13, {0}), section(6, {0})})), "valid");
  EXPECT_EQ(message_of(module_of({section(9, {0}), section(12, {0}), section(10, {0})})), "valid");
}

TEST(Decode, RefusesADuplicateExportAtItsOffset) {
  const Bytes bytes = module_of(
      {section(5, {1, 0, 1}), section(7, vec({join({name("a"), {2, 0}}), join({name("b"), {2, 0}}),
                                              join({name("a"), {2, 0}})}))});
  EXPECT_EQ(message_of(bytes), "duplicate export name of exports 0 and 2 at offset 0x18");
}

TEST(Decode, RefusesAStartFunctionWithParameters) {
  const Bytes bytes = module_of({section(1, {1, 0x60, 1, 0x7F, 0}), section(3, {1, 0}),
                                 section(8, {0}), section(10, join({{1}, body({0}, {})}))});
  EXPECT_THAT(message_of(bytes), StartsWith("start function 0 has type (i32) -> ()"));
}

TEST(Decode, RefusesAGlobalThatUsesALaterOne) {
  const Bytes bytes = module_of({section(6, {2, 0x7F, 0, 0x23, 1, 0x0B, 0x7F, 0, 0x41, 1, 0x0B})});
  EXPECT_THAT(message_of(bytes), StartsWith("unknown global 1"));
}

TEST(Decode, KeepsProposalsBehindTheirFeatures) {
  const Bytes shared = module_of({section(5, {1, 3, 1, 2})});
  EXPECT_THAT(message_of(shared), StartsWith("malformed limits flags"));
  EXPECT_EQ(message_of(shared, {{}, {.threads = true}}), "valid");
  const Bytes small_pages = module_of({section(5, {1, 8, 5, 0})});
  EXPECT_THAT(message_of(small_pages), StartsWith("malformed limits flags"));
  EXPECT_EQ(message_of(small_pages, {{}, {.custom_page_sizes = true}}), "valid");
  const Bytes fence = module_with_code({0xFE, 0x03, 0x00});
  EXPECT_THAT(message_of(fence), StartsWith("illegal opcode fe 03"));
  EXPECT_EQ(message_of(fence, {{}, {.threads = true}}), "valid");
  const Bytes wide = module_with_code({0x42, 0, 0x42, 0, 0xFC, 0x15, 0x1A, 0x1A});
  EXPECT_THAT(message_of(wide), StartsWith("illegal opcode fc 15"));
  EXPECT_EQ(message_of(wide, {{}, {.wide_arithmetic = true}}), "valid");
}

TEST(Decode, NamesTheLimitThatIsReached) {
  DecodeOptions options;
  options.limits.types_max = 1;
  EXPECT_THAT(message_of(module_of({section(1, {2, 0x60, 0, 0, 0x60, 0, 0})}), options),
              StartsWith("too many types: 2 is more than 1 at offset"));
  options = {};
  options.limits.function_locals_max = 10;
  EXPECT_THAT(message_of(module_with_code({}, {1, 11, 0x7F}), options),
              StartsWith("too many locals: 11 is more than 10"));
  options = {};
  options.limits.subtype_depth_max = 1;
  const Bytes chain = {3, 0x50, 0, 0x5F, 0, 0x50, 1, 0, 0x5F, 0, 0x50, 1, 1, 0x5F, 0};
  EXPECT_THAT(message_of(module_of({section(1, chain)}), options),
              HasSubstr("sub type chain too deep: 2 is more than 1"));
}

TEST(Decode, MarksALimitAsALimit) {
  DecodeOptions options;
  options.limits.module_bytes_max = 4;
  const auto module = decode(module_of({}), options);
  ASSERT_FALSE(module);
  EXPECT_EQ(module.error().kind, ErrorKind::kLimit);
}

}  // namespace
}  // namespace mayfly::wasm
