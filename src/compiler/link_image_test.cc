// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whole builds of small modules, and what the images that come out say of themselves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "compiler/compile_module.h"
#include "compiler/image_builder.h"
#include "guest_abi/layout.h"
#include "image/cpu_features_x86_64.h"
#include "image/image.h"

namespace mayfly::compiler {
namespace {

using image::Binding;
using image::RegionKind;
using testing::HasSubstr;

// (module (memory (export "memory") 1 2)
//   (func (export "f") (result i32) i32.const 42))
const std::vector<uint8_t> kDefines = {0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x05,
                                       0x01, 0x60, 0x00, 0x01, 0x7f, 0x03, 0x02, 0x01, 0x00, 0x05,
                                       0x04, 0x01, 0x01, 0x01, 0x02, 0x07, 0x0e, 0x02, 0x06, 0x6d,
                                       0x65, 0x6d, 0x6f, 0x72, 0x79, 0x02, 0x00, 0x01, 0x66, 0x00,
                                       0x00, 0x0a, 0x06, 0x01, 0x04, 0x00, 0x41, 0x2a, 0x0b};
// (module (import "a" "f" (func (result i32))) (import "a" "memory" (memory 1)) (export "g" (func
// 0))
//   (func (export "h") (result i32) (call 0)))
const std::vector<uint8_t> kImports = {
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7f,
    0x02, 0x13, 0x02, 0x01, 0x61, 0x01, 0x66, 0x00, 0x00, 0x01, 0x61, 0x06, 0x6d, 0x65, 0x6d,
    0x6f, 0x72, 0x79, 0x02, 0x00, 0x01, 0x03, 0x02, 0x01, 0x00, 0x07, 0x09, 0x02, 0x01, 0x67,
    0x00, 0x00, 0x01, 0x68, 0x00, 0x01, 0x0a, 0x06, 0x01, 0x04, 0x00, 0x10, 0x00, 0x0b};
// (module (import "env" "log" (func (param i32))) (func (export "run") (call 0 (i32.const 1))))
const std::vector<uint8_t> kLogs = {
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x02, 0x60, 0x01, 0x7f,
    0x00, 0x60, 0x00, 0x00, 0x02, 0x0b, 0x01, 0x03, 0x65, 0x6e, 0x76, 0x03, 0x6c, 0x6f,
    0x67, 0x00, 0x00, 0x03, 0x02, 0x01, 0x01, 0x07, 0x07, 0x01, 0x03, 0x72, 0x75, 0x6e,
    0x00, 0x01, 0x0a, 0x08, 0x01, 0x06, 0x00, 0x41, 0x01, 0x10, 0x00, 0x0b};
// (module (table (export "t") 1 funcref))
const std::vector<uint8_t> kGrowingTable = {0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00,
                                            0x00, 0x04, 0x04, 0x01, 0x70, 0x00, 0x01,
                                            0x07, 0x05, 0x01, 0x01, 0x74, 0x01, 0x00};

Binding to_instance(uint32_t step, uint32_t index) {
  Binding binding;
  binding.definition = {step, index};
  return binding;
}
Binding to_guest(const char* symbol) {
  Binding binding;
  binding.kind = Binding::Kind::kGuest;
  binding.symbol = symbol;
  return binding;
}
Binding to_host(uint32_t index) {
  Binding binding;
  binding.kind = Binding::Kind::kHost;
  binding.host_index = index;
  return binding;
}

image::BuildRequest request_of(std::vector<std::vector<uint8_t>> modules) {
  image::BuildRequest request;
  request.options.opt_level = image::OptLevel::kO0;
  request.modules = std::move(modules);
  for (uint32_t i = 0; i < request.modules.size(); ++i) {
    request.module_names.push_back("module " + std::to_string(i));
    request.plan.steps.push_back({i, "step " + std::to_string(i), {}});
  }
  return request;
}

std::unique_ptr<image::Image> open(const std::vector<uint8_t>& bytes) {
  auto file = create_memfd("image", 0);
  EXPECT_TRUE(file.has_value() && write_whole(file->get(), bytes).has_value());
  auto image = image::Image::open(*std::move(file));
  EXPECT_TRUE(image.has_value()) << image.error().message;
  return image ? *std::move(image) : nullptr;
}

std::unique_ptr<image::Image> image_of(const image::BuildRequest& request) {
  auto built = build(request);
  EXPECT_TRUE(built.has_value()) << built.error().message;
  return built ? open(built->bytes) : nullptr;
}

std::string error_of(const image::BuildRequest& request) {
  auto built = build(request);
  return built ? "no error" : built.error().message;
}

const image::ImageExport& export_of(const image::Image& image, uint32_t step,
                                    const std::string& name) {
  const auto& exports = image.instances()[step].exports;
  const auto found = std::ranges::find(exports, name, &image::ImageExport::name);
  EXPECT_NE(found, exports.end()) << name;
  return *found;
}

TEST(LinkImage, DescribesWhatAModuleExports) {
  const auto image = image_of(request_of({kDefines}));
  ASSERT_NE(image, nullptr);
  const image::FuncExport& f = export_of(*image, 0, "f").func;
  EXPECT_EQ(f.type, (wasm::FuncType{{}, {wasm::kI32}}));
  EXPECT_EQ(image->find_location(f.code)->function, "f");
  EXPECT_EQ(image->find_location(f.code)->module, 0u);
  EXPECT_EQ(image->find_location(f.thunk)->module, wasm::kNoIndex);
  ASSERT_TRUE(image->find_unwind(f.code).has_value());
  EXPECT_FALSE(image->find_unwind(f.code)->from_rbp);
  EXPECT_EQ(image->find_unwind(f.code)->cfa_offset, 8);
  const image::Region& memory = image->regions()[export_of(*image, 0, "memory").memory.region];
  EXPECT_EQ(memory.kind, RegionKind::kMemory);
  EXPECT_EQ(memory.address, guest_abi::kLowMemory);
  EXPECT_EQ(memory.bytes, 0x1'0000u);
  EXPECT_EQ(memory.bytes_reserved, 0x2'0000u);
}

TEST(LinkImage, GivesTheSameBytesForTheSameRequest) {
  image::BuildRequest request = request_of({kDefines, kLogs});
  request.plan.host_functions.push_back({"env", "log", {{wasm::kI32}, {}}});
  request.plan.steps[1].imports = {to_host(0)};
  const auto one = build(request);
  const auto two = build(request);
  ASSERT_TRUE(one.has_value() && two.has_value());
  EXPECT_EQ(one->bytes, two->bytes);
}

TEST(LinkImage, PlacesOneMemoryLowAndTheOthersInHighWindows) {
  image::BuildRequest request = request_of({kDefines, kDefines});
  const auto image = image_of(request);
  ASSERT_NE(image, nullptr);
  EXPECT_EQ(image->regions()[0].address, guest_abi::kLowMemory);
  EXPECT_EQ(image->regions()[1].address, guest_abi::kHighWindows);
  EXPECT_NE(export_of(*image, 0, "memory").memory.region,
            export_of(*image, 1, "memory").memory.region);
  request.options.memory_class = image::MemoryClass::kHigh;
  const auto high = image_of(request);
  ASSERT_NE(high, nullptr);
  EXPECT_EQ(high->regions()[0].address, guest_abi::kHighWindows);
  EXPECT_EQ(high->regions()[1].address, guest_abi::kHighWindows + guest_abi::kWindowBytes);
}

TEST(LinkImage, BindsImportsToWhatAnEarlierInstanceDefines) {
  image::BuildRequest request = request_of({kDefines, kImports});
  request.plan.steps[1].imports = {to_instance(0, 0), to_instance(0, 0)};
  const auto image = image_of(request);
  ASSERT_NE(image, nullptr);
  EXPECT_EQ(export_of(*image, 1, "g").func.code, export_of(*image, 0, "f").func.code);
  EXPECT_EQ(export_of(*image, 1, "g").func.funcref, export_of(*image, 0, "f").func.funcref);
  const image::ImageInstance& importer = image->instances()[1];
  EXPECT_EQ(importer.depends_on, std::vector<uint32_t>{0});
  ASSERT_EQ(importer.limit_checks.size(), 1u);
  EXPECT_EQ(importer.limit_checks[0].import, "a.memory");
  EXPECT_EQ(importer.limit_checks[0].min, 0x1'0000u);
  EXPECT_EQ(importer.limit_checks[0].info, export_of(*image, 0, "memory").memory.info);
}

TEST(LinkImage, GivesATableThatCanGrowAWindow) {
  const auto image = image_of(request_of({kGrowingTable}));
  ASSERT_NE(image, nullptr);
  ASSERT_FALSE(image->regions().empty());
  EXPECT_EQ(image->regions()[0].kind, RegionKind::kTable);
  EXPECT_EQ(image->regions()[0].bytes, 8u);
}

TEST(LinkImage, KeepsHostFunctionsAndWhatImportsAreBoundTo) {
  image::BuildRequest request = request_of({kLogs});
  request.plan.host_functions.push_back({"env", "log", {{wasm::kI32}, {}}});
  request.plan.steps[0].imports = {to_host(0)};
  const auto image = image_of(request);
  ASSERT_NE(image, nullptr);
  ASSERT_EQ(image->host_functions().size(), 1u);
  EXPECT_EQ(image->host_functions()[0].name, "log");
  ASSERT_EQ(image->imports().size(), 1u);
  EXPECT_EQ(image->imports()[0].bound_to, "host");
}

TEST(LinkImage, NamesAFunctionThatTheGuestLibraryLacks) {
  image::BuildRequest request = request_of({kLogs});
  request.plan.steps[0].imports = {to_guest("mayfly_nothing")};
  EXPECT_THAT(error_of(request), HasSubstr("the guest library has no function 'mayfly_nothing'"));
}

TEST(LinkImage, RefusesToPassAMemoryThatTheInstanceLacks) {
  image::BuildRequest request = request_of({kDefines, kImports});
  request.plan.steps[1].imports = {to_guest("memset"), to_instance(0, 0)};
  request.plan.steps[1].imports[0].memories = {0, image::kNoMemory, 1};
  EXPECT_THAT(error_of(request), HasSubstr("import 'a.f': it passes memory 1 of 1"));
}

TEST(LinkImage, RefusesAnImportBoundToAnotherType) {
  image::BuildRequest request = request_of({kDefines, kLogs});
  request.plan.steps[1].imports = {to_instance(0, 0)};
  EXPECT_THAT(error_of(request),
              HasSubstr("instance 1 'step 1': import 'env.log': incompatible import type"));
}

TEST(LinkImage, RefusesABindingToAnIndexThatIsNotDefined) {
  image::BuildRequest request = request_of({kDefines, kLogs});
  request.plan.steps[1].imports = {to_instance(0, 1)};
  EXPECT_THAT(error_of(request), HasSubstr("defines indices 0 to 1 of that kind, not 1"));
}

TEST(LinkImage, RefusesAPlanThatLeavesAnImportOpen) {
  EXPECT_THAT(error_of(request_of({kLogs})), HasSubstr("the plan binds 0 of 1 imports"));
}

TEST(LinkImage, RefusesAHostFunctionOfAnotherType) {
  image::BuildRequest request = request_of({kLogs});
  request.plan.host_functions.push_back({"env", "log", {{wasm::kI64}, {}}});
  request.plan.steps[0].imports = {to_host(0)};
  EXPECT_THAT(error_of(request), HasSubstr("the host offers (i64) -> ()"));
}

TEST(CpuFeatures, AreAllKnownToTheReaderOfImages) {
  for (const image::CpuLevel level : {image::CpuLevel::kBaseline, image::CpuLevel::kX86_64V3}) {
    for (const std::string& name : cpu_features(level)) {
      EXPECT_NE(image::cpu_feature(name), image::CpuFeature::kUnknownName) << name;
    }
  }
}

}  // namespace
}  // namespace mayfly::compiler
