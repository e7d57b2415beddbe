// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checks a plan against its modules: wasm-3.0 #match-externtype, but for the limits of memories
// and tables, which count at the moment when a step runs.
#include "compiler/plan_view.h"

#include <algorithm>

#include "base/check.h"

namespace mayfly::compiler {
namespace {

using image::Binding;
using wasm::ExternKind;

constexpr size_t kKinds = 5;

bool is_number(const wasm::ValType& type) {
  return type.kind == wasm::ValKind::kI32 || type.kind == wasm::ValKind::kI64 ||
         type.kind == wasm::ValKind::kF32 || type.kind == wasm::ValKind::kF64;
}

// The guest library is C: numbers in registers, at most one result.
bool is_c_type(const wasm::FuncType& type) {
  return type.results.size() <= 1 && std::ranges::all_of(type.params, is_number) &&
         std::ranges::all_of(type.results, is_number);
}

// A host function's type has no types of a module in it; the import's may.
bool same_kinds(const std::vector<wasm::ValType>& a, const std::vector<wasm::ValType>& b) {
  return std::ranges::equal(a, b, {}, &wasm::ValType::kind, &wasm::ValType::kind);
}

Result<void> check_memories(const wasm::Module& module, const Binding& binding) {
  for (const uint32_t memory : binding.memories) {
    if (memory != image::kNoMemory && memory >= module.memories.size()) {
      return invalid("it passes memory " + std::to_string(memory) + " of " +
                     std::to_string(module.memories.size()));
    }
  }
  return {};
}

std::string import_name(const wasm::Import& import) {
  return "import '" + import.module + "." + import.name + "'";
}

}  // namespace

uint32_t imported_count(const wasm::Module& module, ExternKind kind) {
  switch (kind) {
    case ExternKind::kFunc:
      return module.imported_functions;
    case ExternKind::kTable:
      return module.imported_tables;
    case ExternKind::kMemory:
      return module.imported_memories;
    case ExternKind::kGlobal:
      return module.imported_globals;
    case ExternKind::kTag:
      return module.imported_tags;
  }
  return 0;
}

uint32_t index_count(const wasm::Module& module, ExternKind kind) {
  switch (kind) {
    case ExternKind::kFunc:
      return static_cast<uint32_t>(module.functions.size());
    case ExternKind::kTable:
      return static_cast<uint32_t>(module.tables.size());
    case ExternKind::kMemory:
      return static_cast<uint32_t>(module.memories.size());
    case ExternKind::kGlobal:
      return static_cast<uint32_t>(module.globals.size());
    case ExternKind::kTag:
      return static_cast<uint32_t>(module.tags.size());
  }
  return 0;
}

PlanView::PlanView(const image::Plan& plan, std::span<const wasm::Module> modules)
    : plan_(&plan), modules_(modules) {
  for (const wasm::Module& module : modules) {
    type_ids_.push_back(registry_.add(module.types));
    std::vector<std::vector<uint32_t>> positions(kKinds);
    for (uint32_t i = 0; i < module.imports.size(); ++i) {
      positions[static_cast<size_t>(module.imports[i].kind)].push_back(i);
    }
    imports_.push_back(std::move(positions));
  }
}

Result<PlanView> PlanView::create(const image::Plan& plan, std::span<const wasm::Module> modules) {
  PlanView view(plan, modules);
  for (uint32_t step = 0; step < plan.steps.size(); ++step) {
    auto checked = view.check_step(step);
    if (!checked) {
      return with_context("instance " + std::to_string(step) + " '" + plan.steps[step].name + "'",
                          std::move(checked).error());
    }
  }
  return view;
}

Result<void> PlanView::check_step(uint32_t step) const {
  const image::InstanceStep& instance = plan_->steps[step];
  if (instance.module >= modules_.size()) {
    return invalid("it is of module " + std::to_string(instance.module) + " of " +
                   std::to_string(modules_.size()));
  }
  const wasm::Module& module = module_of(step);
  if (instance.imports.size() != module.imports.size()) {
    return invalid("the plan binds " + std::to_string(instance.imports.size()) + " of " +
                   std::to_string(module.imports.size()) + " imports");
  }
  for (size_t i = 0; i < module.imports.size(); ++i) {
    auto checked = check_binding(step, module.imports[i], instance.imports[i]);
    if (!checked) {
      return with_context(import_name(module.imports[i]), std::move(checked).error());
    }
  }
  return {};
}

Result<void> PlanView::check_binding(uint32_t step, const wasm::Import& import,
                                     const Binding& binding) const {
  if (binding.kind == Binding::Kind::kInstance) {
    return check_definition(step, import, binding.definition);
  }
  if (import.kind != ExternKind::kFunc) {
    return link_error("only a function can be bound to the guest library or the host");
  }
  const wasm::FuncType& type = module_of(step).func_type(import.index);
  if (binding.kind == Binding::Kind::kGuest) {
    if (!is_c_type(type)) {
      return unsupported("a guest library function of type " + wasm::to_string(type));
    }
    return check_memories(module_of(step), binding);
  }
  if (binding.host_index >= plan_->host_functions.size()) {
    return invalid("host function " + std::to_string(binding.host_index) + " of " +
                   std::to_string(plan_->host_functions.size()));
  }
  const wasm::FuncType& offered = plan_->host_functions[binding.host_index].type;
  if (!same_kinds(type.params, offered.params) || !same_kinds(type.results, offered.results)) {
    return link_error("incompatible import type: it is " + wasm::to_string(type) +
                      ", the host offers " + wasm::to_string(offered));
  }
  return {};
}

Result<void> PlanView::check_definition(uint32_t step, const wasm::Import& import,
                                        const image::Definition& definition) const {
  if (definition.instance >= step) {
    return invalid("it is bound to step " + std::to_string(definition.instance) +
                   ", which is not before it");
  }
  const wasm::Module& to = module_of(definition.instance);
  const uint32_t first = imported_count(to, import.kind);
  const uint32_t end = index_count(to, import.kind);
  if (definition.index < first || definition.index >= end) {
    return invalid("step " + std::to_string(definition.instance) + " defines indices " +
                   std::to_string(first) + " to " + std::to_string(end) + " of that kind, not " +
                   std::to_string(definition.index));
  }
  const wasm::Module& from = module_of(step);
  const auto& from_ids = type_ids_[plan_->steps[step].module];
  const auto& to_ids = type_ids_[plan_->steps[definition.instance].module];
  bool matches = false;
  switch (import.kind) {
    case ExternKind::kFunc: {
      const auto wanted = from_ids[from.functions[import.index].type_index];
      const auto offered = to_ids[to.functions[definition.index].type_index];
      matches = registry_.is_subtype(offered, wanted);
      break;
    }
    case ExternKind::kTable: {
      const wasm::TableType& wanted = from.tables[import.index].type;
      const wasm::TableType& offered = to.tables[definition.index].type;
      matches = wanted.address == offered.address &&
                registry_.equal(wasm::ValType::of(offered.element), {to_ids},
                                wasm::ValType::of(wanted.element), {from_ids});
      break;
    }
    case ExternKind::kMemory: {
      const wasm::MemoryType& wanted = from.memories[import.index];
      const wasm::MemoryType& offered = to.memories[definition.index];
      matches = wanted.address == offered.address && wanted.shared == offered.shared &&
                wanted.page_size_log2 == offered.page_size_log2;
      break;
    }
    case ExternKind::kGlobal: {
      const wasm::GlobalType& wanted = from.globals[import.index].type;
      const wasm::GlobalType& offered = to.globals[definition.index].type;
      matches =
          wanted.is_mutable == offered.is_mutable &&
          (wanted.is_mutable ? registry_.equal(offered.type, {to_ids}, wanted.type, {from_ids})
                             : registry_.matches(offered.type, {to_ids}, wanted.type, {from_ids}));
      break;
    }
    case ExternKind::kTag:
      return unsupported("an imported tag");
  }
  if (!matches) return link_error("incompatible import type");
  return {};
}

Target PlanView::resolve(uint32_t step, ExternKind kind, uint32_t index) const {
  const image::InstanceStep& instance = plan_->steps[step];
  const auto& positions = imports_[instance.module][static_cast<size_t>(kind)];
  if (index >= positions.size()) {
    CHECK(index < index_count(module_of(step), kind), step, index);
    return Target{Binding::Kind::kInstance, {step, index}, nullptr};
  }
  const Binding& binding = instance.imports[positions[index]];
  return Target{binding.kind, binding.definition, &binding};
}

uint32_t PlanView::type_number(uint32_t step, uint32_t type_index) const {
  const auto& ids = type_ids_[plan_->steps[step].module];
  CHECK(type_index < ids.size(), type_index, ids.size());
  return static_cast<uint32_t>(ids[type_index]) + 1;
}

}  // namespace mayfly::compiler
