// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Identical modules with identical placements are compiled once, however many steps use them.
#include "compiler/image_builder.h"

#include <algorithm>
#include <chrono>
#include <map>

#include "compiler/compile_module.h"
#include "compiler/link_image.h"
#include "compiler/plan_view.h"
#include "compiler/window_plan.h"

namespace mayfly::compiler {
namespace {

using Clock = std::chrono::steady_clock;

uint64_t ns_since(Clock::time_point start) {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count());
}

Result<std::vector<wasm::Module>> decode_all(const image::BuildRequest& request) {
  wasm::DecodeOptions options;
  options.features = request.options.features;
  std::vector<wasm::Module> modules;
  for (size_t i = 0; i < request.modules.size(); ++i) {
    auto module = wasm::decode(request.modules[i], options);
    if (!module) return with_context(request.module_names[i], std::move(module).error());
    modules.push_back(*std::move(module));
  }
  return modules;
}

// The first module of the request with the same bytes, for each.
std::vector<uint32_t> find_equal(const image::BuildRequest& request) {
  std::map<std::span<const uint8_t>, uint32_t, decltype([](const auto& a, const auto& b) {
             return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end());
           })>
      first;
  std::vector<uint32_t> equal;
  for (uint32_t i = 0; i < request.modules.size(); ++i) {
    equal.push_back(first.emplace(request.modules[i], i).first->second);
  }
  return equal;
}

class ObjectCache {
 public:
  ObjectCache(const image::BuildRequest& request, const std::vector<wasm::Module>& modules)
      : request_(request), modules_(modules), equal_(find_equal(request)) {}

  Result<const CompiledModule*> compile(uint32_t module_index,
                                        const std::vector<Placement>& placements) {
    const uint32_t index = equal_[module_index];
    const auto [place, added] = compiled_.try_emplace({index, placements});
    if (!added) return &place->second;
    CompileOptions options;
    options.placements = placements;
    options.opt_level = request_.options.opt_level;
    options.cpu = request_.options.cpu;
    options.fuel = request_.options.fuel;
    options.name = request_.module_names[index];
    auto compiled = compile_module(modules_[index], request_.modules[index], options);
    if (!compiled) return with_context(options.name, std::move(compiled).error());
    place->second = *std::move(compiled);
    return &place->second;
  }

 private:
  const image::BuildRequest& request_;
  const std::vector<wasm::Module>& modules_;
  std::vector<uint32_t> equal_;
  std::map<std::pair<uint32_t, std::vector<Placement>>, CompiledModule> compiled_;
};

}  // namespace

Result<BuiltImage> build(const image::BuildRequest& request) {
  const auto start = Clock::now();
  const std::vector<wasm::Module> modules = MAYFLY_TRY(decode_all(request));
  const PlanView plan = MAYFLY_TRY(PlanView::create(request.plan, modules));
  WindowPlan windows = MAYFLY_TRY(WindowPlan::place_memories(plan, request.options));
  ObjectCache objects(request, modules);
  std::vector<const CompiledModule*> compiled;
  for (uint32_t step = 0; step < plan.step_count(); ++step) {
    compiled.push_back(
        MAYFLY_TRY(objects.compile(request.plan.steps[step].module, windows.placements(step))));
  }
  BuiltImage built;
  built.compile_ns = ns_since(start);
  const auto link_start = Clock::now();
  built.bytes = MAYFLY_TRY(link_image(
      {plan, std::move(windows), request.options, request.module_names, std::move(compiled)}));
  built.link_ns = ns_since(link_start);
  return built;
}

}  // namespace mayfly::compiler
