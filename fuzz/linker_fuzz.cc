// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Fuzzes linker::ComponentLinker with components that decode.
//
// Strategy: as component_fuzz, whose seeds serve here too; what decodes is linked.
//
// Invariants:
//  1. Linking answers for any valid component: no crash, no CHECK, no sanitizer report.
//  2. Every module that it generates is valid, and a step has a binding for each import.
//  3. Steps bind to steps before them.
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <utility>

#include "base/check.h"
#include "component/component.h"
#include "linker/component_linker.h"
#include "wasm/module.h"

namespace mayfly::linker {
namespace {

component::DecodeOptions fuzz_options() {
  component::DecodeOptions options;
  options.limits.derived_types_min = 2'000;
  options.limits.type_steps_min = 50'000;
  options.limits.core.function_operands_max = 100'000;
  return options;
}

void check(PlanModules modules) {
  wasm::DecodeOptions options;
  options.features = component::Features().core;
  std::vector<size_t> imports;
  for (const auto& bytes : modules.bytes()) {
    const auto module = wasm::decode(bytes, options);
    CHECK(module.has_value(), module.has_value() ? "" : module.error().message);
    imports.push_back(module->imports.size());
  }
  const image::Plan& plan = modules.plan();
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    CHECK(plan.steps[i].imports.size() == imports[plan.steps[i].module], i);
    for (const image::Binding& binding : plan.steps[i].imports) {
      if (binding.kind == image::Binding::Kind::kInstance) CHECK(binding.definition.instance < i);
    }
  }
}

void run(std::span<const uint8_t> bytes) {
  auto component = component::decode(bytes, fuzz_options());
  if (!component) return;
  const ComponentFile file{"fuzz", std::move(*component), {bytes.begin(), bytes.end()}};
  ComponentLinker linker;
  const auto made = linker.instantiate(file, {});
  if (!made) {
    CHECK(made.error().message.find('\n') == std::string::npos, made.error().message);
    return;
  }
  check(linker.finish());
}

}  // namespace
}  // namespace mayfly::linker

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  mayfly::linker::run({data, size});
  return 0;
}
