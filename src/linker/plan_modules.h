// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// PlanModules: a plan that grows step by step, with the modules that go with it.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "image/plan.h"
#include "linker/graph.h"
#include "linker/module_writer.h"
#include "wasm/module.h"

namespace mayfly::linker {

class PlanModules final : public CoreExportFinder {
 public:
  // A core module of a component file, added once; its number.
  uint32_t add_core_module(const ComponentFile& file, uint32_t index);
  uint32_t add_step(uint32_t module, std::string name, std::vector<image::Binding> imports);
  // A generated module and its one instance.
  uint32_t add_generated(GeneratedModule generated, std::string name);
  // Keeps the place of a step whose module comes last.
  void reserve_state_step();
  void set_state_module(GeneratedModule generated);

  Result<image::Definition> find_export(uint32_t step, wasm::ExternKind kind,
                                        std::string_view name) const override;
  const wasm::Module& core_module(uint32_t module) const { return *infos_[module].module; }
  // The type of a memory that some core module defines.
  const wasm::MemoryType& memory_type(image::Definition memory) const;

  image::Plan& plan() { return plan_; }
  const image::Plan& plan() const { return plan_; }
  std::vector<std::vector<uint8_t>>& bytes() { return bytes_; }
  std::vector<std::string>& names() { return names_; }

 private:
  struct ModuleInfo {
    const wasm::Module* module = nullptr;  // nullptr: generated
    // By ExternKind: for each imported index its place in Module::imports.
    std::array<std::vector<uint32_t>, 5> import_places;
    std::map<std::string_view, uint32_t> exports;  // places in Module::exports
  };
  image::Plan plan_;
  std::vector<std::vector<uint8_t>> bytes_;
  std::vector<std::string> names_;
  std::deque<ModuleInfo> infos_;
  std::map<std::pair<const void*, uint32_t>, uint32_t> numbers_;
};

}  // namespace mayfly::linker
