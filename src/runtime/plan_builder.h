// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// PlanBuilder: from modules and names to an image::Plan. It binds every import to what defines
// it, through any number of re-exports, and checks types; sizes are checked when a step runs.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "image/plan.h"
#include "runtime/guest_functions.h"
#include "wasm/module.h"
#include "wasm/type_registry.h"

namespace mayfly::runtime {

class PlanBuilder {
 public:
  explicit PlanBuilder(const GuestLibrary& library) : library_(library) {}

  // The module's number in InstanceStep::module. The module outlives the builder.
  uint32_t add_module(const wasm::Module& module);

  // A function that the embedder runs on the host; its number is its place in
  // Plan::host_functions. It comes before the guest library and after registered instances.
  // The type's references are abstract ones (no type index).
  uint32_t define_host_function(std::string module, std::string name, wasm::FuncType type);

  // Makes the next step: an instance of the module, with imports from what is registered now.
  // The answer is the step's number. Errors: kLink ("unknown import", "incompatible import type"),
  // and then nothing was added.
  Result<uint32_t> instantiate(uint32_t module, std::string name);

  // From now on the instance's exports can be imported from the module name `as`.
  void register_instance(std::string as, uint32_t instance);

  const image::Plan& plan() const { return plan_; }
  image::Plan take_plan() { return std::move(plan_); }

 private:
  struct ModuleEntry {
    const wasm::Module* module = nullptr;
    std::vector<wasm::TypeId> type_ids;
    // By ExternKind: for each imported index its place in Module::imports.
    std::array<std::vector<uint32_t>, 5> import_places;
  };
  // One side of a type check: something in a module's index space.
  struct Entity {
    const ModuleEntry* module = nullptr;
    uint32_t index = 0;
  };

  Result<image::Binding> resolve(const ModuleEntry& importer, const wasm::Import& import);
  Result<image::Binding> resolve_export(const ModuleEntry& importer, const wasm::Import& import,
                                        uint32_t provider);
  Result<image::Binding> resolve_function(const ModuleEntry& importer, const wasm::Import& import);
  // Follows imports to what defines the thing.
  image::Binding definition_of(uint32_t instance, wasm::ExternKind kind, uint32_t index) const;
  Result<void> check_types(const ModuleEntry& importer, const wasm::Import& import,
                           const image::Binding& binding);
  Result<void> check_function(const ModuleEntry& importer, const wasm::Import& import,
                              const wasm::FuncType& type, wasm::TypeId id) const;
  bool matches(wasm::ExternKind kind, const Entity& actual, const Entity& wanted) const;
  bool globals_match(const Entity& actual, const Entity& wanted) const;
  bool tables_match(const Entity& actual, const Entity& wanted) const;
  std::string advice_for(const wasm::Import& import) const;
  Error unknown_import(const ModuleEntry& importer, const wasm::Import& import);
  wasm::TypeId id_of(const wasm::FuncType& type);

  GuestLibrary library_;
  wasm::TypeRegistry registry_;
  std::vector<ModuleEntry> modules_;
  std::vector<wasm::TypeId> host_type_ids_;
  std::map<std::pair<std::string, std::string>, uint32_t> host_names_;
  std::map<std::string, uint32_t, std::less<>> registered_;
  std::string last_advice_;  // in the message of this step: neighbours often share it
  image::Plan plan_;
};

}  // namespace mayfly::runtime
