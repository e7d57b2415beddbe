// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The state module is module 0 and step 0: all adapters import from it, and what it holds is known
// when they are all written.
#include "linker/plan_modules.h"

#include "base/check.h"
#include "linker/adapter_module.h"
#include "linker/state_module.h"

namespace mayfly::linker {

using image::Binding;
using image::Definition;

uint32_t PlanModules::add_core_module(const ComponentFile& file, uint32_t index) {
  const auto number = static_cast<uint32_t>(bytes_.size());
  const auto [found, is_new] = numbers_.try_emplace({&file, index}, number);
  if (!is_new) return found->second;
  const component::CoreModuleDef& def = file.component.modules[index];
  const auto begin = file.bytes.begin() + static_cast<ptrdiff_t>(def.bytes.offset);
  bytes_.emplace_back(begin, begin + static_cast<ptrdiff_t>(def.bytes.size));
  names_.push_back(file.name + " module " + std::to_string(index));
  ModuleInfo& info = infos_.emplace_back();
  info.module = &def.module;
  for (uint32_t i = 0; i < def.module.imports.size(); ++i) {
    info.import_places[static_cast<size_t>(def.module.imports[i].kind)].push_back(i);
  }
  for (uint32_t i = 0; i < def.module.exports.size(); ++i) {
    info.exports.emplace(def.module.exports[i].name, i);
  }
  return number;
}

uint32_t PlanModules::add_step(uint32_t module, std::string name, std::vector<Binding> imports) {
  plan_.steps.push_back({module, std::move(name), std::move(imports)});
  return static_cast<uint32_t>(plan_.steps.size() - 1);
}

uint32_t PlanModules::add_generated(GeneratedModule generated, std::string name) {
  const auto number = static_cast<uint32_t>(bytes_.size());
  bytes_.push_back(std::move(generated.bytes));
  names_.push_back(name);
  infos_.emplace_back();
  return add_step(number, std::move(name), std::move(generated.imports));
}

void PlanModules::reserve_state_step() {
  CHECK(plan_.steps.empty(), plan_.steps.size());
  add_generated({}, std::string(kStateName));
}

void PlanModules::set_state_module(GeneratedModule generated) {
  bytes_[kStateStep] = std::move(generated.bytes);
}

Result<Definition> PlanModules::find_export(uint32_t step, wasm::ExternKind kind,
                                            std::string_view name) const {
  const image::InstanceStep& instance = plan_.steps[step];
  const ModuleInfo& info = infos_[instance.module];
  const auto found = info.exports.find(name);
  if (found == info.exports.end() || info.module->exports[found->second].kind != kind) {
    return link_error("a core instance has no export named \"" + std::string(name) + "\"");
  }
  const uint32_t index = info.module->exports[found->second].index;
  const auto& imported = info.import_places[static_cast<size_t>(kind)];
  // Bindings name definitions already, so one hop is enough.
  if (index < imported.size()) return instance.imports[imported[index]].definition;
  return Definition{step, index};
}

const wasm::MemoryType& PlanModules::memory_type(Definition memory) const {
  return core_module(plan_.steps[memory.instance].module).memories[memory.index];
}

}  // namespace mayfly::linker
