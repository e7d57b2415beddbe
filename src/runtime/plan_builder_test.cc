// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How imports are bound, and what is refused.
#include "runtime/plan_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mayfly::runtime {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using wasm::ExternKind;

// Builds what decode() would, one entity at a time; imports come first.
class ModuleMaker {
 public:
  ModuleMaker& import_function(std::string module, std::string name, wasm::FuncType type) {
    module_.imports.push_back({std::move(module), std::move(name), ExternKind::kFunc,
                               static_cast<uint32_t>(module_.functions.size())});
    ++module_.imported_functions;
    return function(std::move(type));
  }
  ModuleMaker& import_memory(std::string module, std::string name, wasm::MemoryType type) {
    module_.imports.push_back({std::move(module), std::move(name), ExternKind::kMemory,
                               static_cast<uint32_t>(module_.memories.size())});
    ++module_.imported_memories;
    return memory(type);
  }
  ModuleMaker& import_global(std::string module, std::string name, wasm::GlobalType type) {
    module_.imports.push_back({std::move(module), std::move(name), ExternKind::kGlobal,
                               static_cast<uint32_t>(module_.globals.size())});
    ++module_.imported_globals;
    return global(type);
  }
  ModuleMaker& function(wasm::FuncType type) {
    wasm::SubType sub_type;
    sub_type.func = std::move(type);
    sub_type.rec_group_first = static_cast<uint32_t>(module_.types.size());
    module_.functions.push_back({.type_index = sub_type.rec_group_first, .body = {}});
    module_.types.push_back(std::move(sub_type));
    return *this;
  }
  ModuleMaker& memory(wasm::MemoryType type) {
    module_.memories.push_back(type);
    return *this;
  }
  ModuleMaker& global(wasm::GlobalType type) {
    module_.globals.push_back({type, {}});
    return *this;
  }
  ModuleMaker& exported(std::string name, ExternKind kind, uint32_t index) {
    module_.exports.push_back({std::move(name), kind, index});
    return *this;
  }
  wasm::Module make() { return std::move(module_); }

 private:
  wasm::Module module_;
};

wasm::MemoryType memory_type(uint64_t min, std::optional<uint64_t> max) {
  wasm::MemoryType type;
  type.limits = {min, max};
  return type;
}

const wasm::FuncType kI32ToNothing{{wasm::kI32}, {}};
const wasm::FuncType kNothing{{}, {}};

// Instantiates `provider` as "p" and then `importer`.
Result<image::Plan> link(const wasm::Module& provider, const wasm::Module& importer) {
  PlanBuilder builder({});
  const uint32_t first = builder.add_module(provider);
  const uint32_t second = builder.add_module(importer);
  builder.register_instance("p", MAYFLY_TRY(builder.instantiate(first, "provider")));
  MAYFLY_TRY(builder.instantiate(second, "importer"));
  return builder.take_plan();
}

std::string link_message(const wasm::Module& provider, const wasm::Module& importer) {
  const auto plan = link(provider, importer);
  return plan ? "linked" : plan.error().message;
}

TEST(PlanBuilder, BindsAnImportToTheDefiningIndex) {
  const auto provider = ModuleMaker()
                            .function(kNothing)
                            .function(kI32ToNothing)
                            .exported("f", ExternKind::kFunc, 1)
                            .make();
  const auto plan = link(provider, ModuleMaker().import_function("p", "f", kI32ToNothing).make());
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->steps[1].imports[0].definition, (image::Definition{0, 1}));
}

TEST(PlanBuilder, FollowsAReExportToTheDefiningInstance) {
  const auto first = ModuleMaker().function(kNothing).exported("f", ExternKind::kFunc, 0).make();
  const auto second = ModuleMaker()
                          .import_function("a", "f", kNothing)
                          .function(kI32ToNothing)
                          .exported("g", ExternKind::kFunc, 0)
                          .make();
  const auto third = ModuleMaker().import_function("b", "g", kNothing).make();
  PlanBuilder builder({});
  builder.register_instance("a", *builder.instantiate(builder.add_module(first), "first"));
  builder.register_instance("b", *builder.instantiate(builder.add_module(second), "second"));
  ASSERT_TRUE(builder.instantiate(builder.add_module(third), "third"));
  EXPECT_EQ(builder.plan().steps[2].imports[0].definition, (image::Definition{0, 0}));
}

TEST(PlanBuilder, BindsWasiToTheGuestLibrary) {
  const auto module =
      ModuleMaker().import_function("wasi_snapshot_preview1", "proc_exit", kI32ToNothing).make();
  PlanBuilder builder({});
  ASSERT_TRUE(builder.instantiate(builder.add_module(module), "main"));
  const image::Binding& binding = builder.plan().steps[0].imports[0];
  EXPECT_EQ(binding.kind, image::Binding::Kind::kGuest);
  EXPECT_EQ(binding.symbol, "mayfly_wasi_p1_proc_exit");
  EXPECT_EQ(binding.memories, std::vector<uint32_t>{image::kNoMemory});
}

TEST(PlanBuilder, KeepsTheFunctionsForComponentsFromModulesOfUsers) {
  const auto module =
      ModuleMaker().import_function("mayfly:component", "trap", kI32ToNothing).make();
  PlanBuilder builder({});
  const auto refused = builder.instantiate(builder.add_module(module), "main");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, StartsWith("unknown import: \"mayfly:component\" \"trap\""));
}

TEST(PlanBuilder, PrefersAHostFunctionToTheGuestLibrary) {
  const auto module =
      ModuleMaker().import_function("wasi_snapshot_preview1", "proc_exit", kI32ToNothing).make();
  PlanBuilder builder({});
  builder.define_host_function("wasi_snapshot_preview1", "proc_exit", kI32ToNothing);
  ASSERT_TRUE(builder.instantiate(builder.add_module(module), "main"));
  EXPECT_EQ(builder.plan().steps[0].imports[0].kind, image::Binding::Kind::kHost);
}

TEST(PlanBuilder, NamesTheFlagThatProvidesTheMarksOfABenchmark) {
  const auto module = ModuleMaker().import_function("bench", "start", kNothing).make();
  PlanBuilder without({});
  const auto refused = without.instantiate(without.add_module(module), "main");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("--bench provides it"));
  PlanBuilder with({.wasi = true, .bench = true});
  EXPECT_TRUE(with.instantiate(with.add_module(module), "main"));
}

TEST(PlanBuilder, RefusesAnUnknownModuleAndAnUnknownName) {
  const auto provider = ModuleMaker().make();
  const auto module = ModuleMaker().import_function("q", "f", kNothing).make();
  EXPECT_THAT(link_message(provider, module),
              StartsWith("unknown import: \"q\" \"f\", function () -> ()"));
  const auto name = ModuleMaker().import_function("p", "f", kNothing).make();
  EXPECT_THAT(link_message(provider, name), HasSubstr("has no such export"));
}

TEST(PlanBuilder, SaysOnceWhatHelpsForSeveralImports) {
  const auto module = ModuleMaker()
                          .import_function("wbg", "f", kNothing)
                          .import_function("wbg", "g", kNothing)
                          .make();
  PlanBuilder builder({});
  const std::string message =
      builder.instantiate(builder.add_module(module), "main").error().message;
  EXPECT_THAT(message, AllOf(HasSubstr("\"f\""), HasSubstr("\"g\"")));
  EXPECT_EQ(message.find("built by"), message.rfind("built by"));
}

TEST(PlanBuilder, RefusesAFunctionOfAnotherTypeAndNamesBoth) {
  const auto provider = ModuleMaker().function(kNothing).exported("f", ExternKind::kFunc, 0).make();
  const auto importer = ModuleMaker().import_function("p", "f", kI32ToNothing).make();
  EXPECT_EQ(link_message(provider, importer),
            "incompatible import type: \"p\" \"f\" is imported as function (i32) -> (), but is "
            "() -> ()");
}

TEST(PlanBuilder, RefusesAnotherKind) {
  const auto provider =
      ModuleMaker().memory(memory_type(1, 2)).exported("f", ExternKind::kMemory, 0).make();
  const auto importer = ModuleMaker().import_function("p", "f", kNothing).make();
  EXPECT_THAT(link_message(provider, importer), StartsWith("incompatible import type"));
}

std::string link_memories(wasm::MemoryType actual, wasm::MemoryType wanted) {
  return link_message(ModuleMaker().memory(actual).exported("m", ExternKind::kMemory, 0).make(),
                      ModuleMaker().import_memory("p", "m", wanted).make());
}

TEST(PlanBuilder, RefusesAMemoryThatMayGrowPastTheImportsMaximum) {
  EXPECT_THAT(link_memories(memory_type(1, 3), memory_type(1, 2)),
              StartsWith("incompatible import type"));
  EXPECT_THAT(link_memories(memory_type(1, std::nullopt), memory_type(1, 2)),
              StartsWith("incompatible import type"));
}

TEST(PlanBuilder, LeavesAMinimumThatGrowingCanReachToTheStep) {
  EXPECT_EQ(link_memories(memory_type(1, 2), memory_type(2, 2)), "linked");
}

TEST(PlanBuilder, RefusesAMinimumThatGrowingCannotReach) {
  EXPECT_THAT(link_memories(memory_type(1, 2), memory_type(3, std::nullopt)),
              StartsWith("incompatible import type"));
}

std::string link_globals(wasm::GlobalType actual, wasm::GlobalType wanted) {
  return link_message(ModuleMaker().global(actual).exported("g", ExternKind::kGlobal, 0).make(),
                      ModuleMaker().import_global("p", "g", wanted).make());
}

TEST(PlanBuilder, RefusesAGlobalOfAnotherTypeOrMutability) {
  EXPECT_EQ(link_globals({wasm::kI32, false}, {wasm::kI32, false}), "linked");
  EXPECT_THAT(link_globals({wasm::kI32, true}, {wasm::kI32, false}),
              StartsWith("incompatible import type"));
  EXPECT_THAT(link_globals({wasm::kI32, false}, {wasm::kI64, false}),
              StartsWith("incompatible import type"));
}

TEST(PlanBuilder, AddsNothingWhenAnImportFails) {
  const auto module = ModuleMaker().import_function("q", "f", kNothing).make();
  PlanBuilder builder({});
  ASSERT_FALSE(builder.instantiate(builder.add_module(module), "main"));
  EXPECT_TRUE(builder.plan().steps.empty());
}

}  // namespace
}  // namespace mayfly::runtime
