// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// PlanView: a plan together with its modules, checked, and the question that linking asks of it
// all the time: what does index N of this kind mean in that instance?
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "image/plan.h"
#include "wasm/module.h"
#include "wasm/type_registry.h"

namespace mayfly::compiler {

// Where an index of an instance leads.
struct Target {
  image::Binding::Kind kind = image::Binding::Kind::kInstance;
  image::Definition definition;             // kInstance: what defines it
  const image::Binding* binding = nullptr;  // the import's, null for an own definition
};

class PlanView {
 public:
  // The arguments outlive the view. Errors: kInvalid where a binding names what does not exist,
  // kLink where types differ, kUnsupported for a guest function with other types than numbers.
  static Result<PlanView> create(const image::Plan& plan, std::span<const wasm::Module> modules);

  const image::Plan& plan() const { return *plan_; }
  std::span<const wasm::Module> modules() const { return modules_; }
  const wasm::Module& module_of(uint32_t step) const { return modules_[plan_->steps[step].module]; }
  uint32_t step_count() const { return static_cast<uint32_t>(plan_->steps.size()); }

  // Precondition: index is in the index space of that kind.
  Target resolve(uint32_t step, wasm::ExternKind kind, uint32_t index) const;
  // TypeId + 1 of a type of the step's module.
  uint32_t type_number(uint32_t step, uint32_t type_index) const;

 private:
  PlanView(const image::Plan& plan, std::span<const wasm::Module> modules);
  Result<void> check_step(uint32_t step) const;
  Result<void> check_binding(uint32_t step, const wasm::Import& import,
                             const image::Binding& binding) const;
  Result<void> check_definition(uint32_t step, const wasm::Import& import,
                                const image::Definition& definition) const;

  const image::Plan* plan_;
  std::span<const wasm::Module> modules_;
  wasm::TypeRegistry registry_;
  std::vector<std::vector<wasm::TypeId>> type_ids_;  // by module
  // By module, by ExternKind: the positions of the imports of that kind, by index.
  std::vector<std::vector<std::vector<uint32_t>>> imports_;
};

// The number of imports of a kind, which is the first index that the module defines itself.
uint32_t imported_count(const wasm::Module& module, wasm::ExternKind kind);
uint32_t index_count(const wasm::Module& module, wasm::ExternKind kind);

}  // namespace mayfly::compiler
