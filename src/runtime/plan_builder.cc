// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// wasm-3.0 #valid-externtype and #exec-instantiation: what an import may be bound to. A minimum
// that is not met yet is no error here when the memory or table can still grow to it.
#include "runtime/plan_builder.h"

#include <optional>
#include <utility>

#include "base/check.h"
#include "runtime/import_advice.h"
#include "runtime/printable.h"

namespace mayfly::runtime {
namespace {

using image::Binding;
using wasm::ExternKind;

constexpr size_t kProblemsMax = 20;  // told of one module's imports

size_t place(ExternKind kind) { return static_cast<size_t>(kind); }

std::string quoted(const wasm::Import& import) {
  return "\"" + printable(import.module) + "\" \"" + printable(import.name) + "\"";
}

std::string type_text(const wasm::Module& module, ExternKind kind, uint32_t index) {
  switch (kind) {
    case ExternKind::kFunc:
      return wasm::to_string(module.func_type(index));
    case ExternKind::kTable:
      return wasm::to_string(module.tables[index].type);
    case ExternKind::kMemory:
      return wasm::to_string(module.memories[index]);
    case ExternKind::kGlobal:
      return wasm::to_string(module.globals[index].type);
    case ExternKind::kTag:
      return wasm::to_string(module.types[module.tags[index].type_index].func);
  }
  return "";
}

Error incompatible(const wasm::Import& import, const std::string& wanted,
                   const std::string& actual) {
  return link_error("incompatible import type: " + quoted(import) + " is imported as " +
                    std::string(to_string(import.kind)) + " " + wanted + ", but is " + actual);
}

// The declared minimum may still be reached by growing; the declared maximum never changes.
bool limits_can_match(const wasm::Limits& actual, const wasm::Limits& wanted) {
  if (wanted.max && (!actual.max || *actual.max > *wanted.max)) return false;
  return !actual.max || *actual.max >= wanted.min;
}

bool memories_match(const wasm::MemoryType& actual, const wasm::MemoryType& wanted) {
  return actual.address == wanted.address && actual.shared == wanted.shared &&
         actual.page_size_log2 == wanted.page_size_log2 &&
         limits_can_match(actual.limits, wanted.limits);
}

}  // namespace

uint32_t PlanBuilder::add_module(const wasm::Module& module) {
  ModuleEntry entry{&module, registry_.add(module.types), {}};
  for (uint32_t i = 0; i < module.imports.size(); ++i) {
    entry.import_places[place(module.imports[i].kind)].push_back(i);
  }
  modules_.push_back(std::move(entry));
  return static_cast<uint32_t>(modules_.size() - 1);
}

uint32_t PlanBuilder::define_host_function(std::string module, std::string name,
                                           wasm::FuncType type) {
  const auto index = static_cast<uint32_t>(plan_.host_functions.size());
  host_type_ids_.push_back(id_of(type));
  host_names_[{module, name}] = index;
  plan_.host_functions.push_back({std::move(module), std::move(name), std::move(type)});
  return index;
}

Result<uint32_t> PlanBuilder::instantiate(uint32_t module, std::string name) {
  CHECK(module < modules_.size(), module, modules_.size());
  const ModuleEntry& entry = modules_[module];
  image::InstanceStep step{module, std::move(name), {}};
  step.imports.reserve(entry.module->imports.size());
  std::optional<Error> problems;
  size_t count = 0;
  last_advice_.clear();
  for (const wasm::Import& import : entry.module->imports) {
    auto binding = resolve(entry, import);
    if (binding) {
      step.imports.push_back(std::move(*binding));
    } else if (!problems) {
      problems = std::move(binding).error();
    } else if (++count < kProblemsMax) {
      problems->message += "; " + binding.error().message;
    }
  }
  if (count >= kProblemsMax) {
    problems->message += "; and " + std::to_string(count + 1 - kProblemsMax) + " more";
  }
  if (problems) return std::move(*problems);
  plan_.steps.push_back(std::move(step));
  return static_cast<uint32_t>(plan_.steps.size() - 1);
}

void PlanBuilder::register_instance(std::string as, uint32_t instance) {
  CHECK(instance < plan_.steps.size(), instance, plan_.steps.size());
  registered_[std::move(as)] = instance;
}

Result<Binding> PlanBuilder::resolve(const ModuleEntry& importer, const wasm::Import& import) {
  const auto registered = registered_.find(import.module);
  if (registered != registered_.end()) {
    return resolve_export(importer, import, registered->second);
  }
  return resolve_function(importer, import);
}

Result<Binding> PlanBuilder::resolve_export(const ModuleEntry& importer, const wasm::Import& import,
                                            uint32_t provider) {
  const wasm::Module& module = *modules_[plan_.steps[provider].module].module;
  const wasm::Export* found = module.find_export(import.name);
  if (found == nullptr) return unknown_import(importer, import);
  if (found->kind != import.kind) {
    return incompatible(import, type_text(*importer.module, import.kind, import.index),
                        "a " + std::string(to_string(found->kind)));
  }
  Binding binding = definition_of(provider, found->kind, found->index);
  MAYFLY_TRY(check_types(importer, import, binding));
  return binding;
}

Result<Binding> PlanBuilder::resolve_function(const ModuleEntry& importer,
                                              const wasm::Import& import) {
  Binding binding;
  const auto host = host_names_.find({import.module, import.name});
  const GuestFunction* guest = find_guest_function(import.module, import.name);
  if (host != host_names_.end()) {
    binding.kind = Binding::Kind::kHost;
    binding.host_index = host->second;
  } else if (guest != nullptr && offers(library_, *guest)) {
    binding.kind = Binding::Kind::kGuest;
    binding.symbol = guest->symbol;
    binding.memories = {importer.module->memories.empty() ? image::kNoMemory : 0};
  } else {
    return unknown_import(importer, import);
  }
  if (import.kind != ExternKind::kFunc) {
    return incompatible(import, type_text(*importer.module, import.kind, import.index),
                        "a function");
  }
  MAYFLY_TRY(check_types(importer, import, binding));
  return binding;
}

Binding PlanBuilder::definition_of(uint32_t instance, ExternKind kind, uint32_t index) const {
  const image::InstanceStep& step = plan_.steps[instance];
  const auto& imported = modules_[step.module].import_places[place(kind)];
  // Bindings of a step name definitions already, so one hop is enough.
  if (index < imported.size()) return step.imports[imported[index]];
  Binding binding;
  binding.definition = {instance, index};
  return binding;
}

Result<void> PlanBuilder::check_types(const ModuleEntry& importer, const wasm::Import& import,
                                      const Binding& binding) {
  switch (binding.kind) {
    case Binding::Kind::kHost:
      return check_function(importer, import, plan_.host_functions[binding.host_index].type,
                            host_type_ids_[binding.host_index]);
    case Binding::Kind::kGuest: {
      const wasm::FuncType type = type_of(*find_guest_symbol(binding.symbol));
      return check_function(importer, import, type, id_of(type));
    }
    case Binding::Kind::kInstance:
      break;
  }
  const ModuleEntry& provider = modules_[plan_.steps[binding.definition.instance].module];
  const Entity actual{&provider, binding.definition.index};
  const Entity wanted{&importer, import.index};
  if (matches(import.kind, actual, wanted)) return {};
  return incompatible(import, type_text(*importer.module, import.kind, import.index),
                      type_text(*provider.module, import.kind, binding.definition.index));
}

Result<void> PlanBuilder::check_function(const ModuleEntry& importer, const wasm::Import& import,
                                         const wasm::FuncType& type, wasm::TypeId id) const {
  const uint32_t wanted = importer.module->functions[import.index].type_index;
  if (registry_.is_subtype(id, importer.type_ids[wanted])) return {};
  return incompatible(import, wasm::to_string(importer.module->func_type(import.index)),
                      wasm::to_string(type));
}

bool PlanBuilder::matches(ExternKind kind, const Entity& actual, const Entity& wanted) const {
  const wasm::Module& from = *actual.module->module;
  const wasm::Module& to = *wanted.module->module;
  switch (kind) {
    case ExternKind::kFunc:
      return registry_.is_subtype(actual.module->type_ids[from.functions[actual.index].type_index],
                                  wanted.module->type_ids[to.functions[wanted.index].type_index]);
    case ExternKind::kTable:
      return tables_match(actual, wanted);
    case ExternKind::kMemory:
      return memories_match(from.memories[actual.index], to.memories[wanted.index]);
    case ExternKind::kGlobal:
      return globals_match(actual, wanted);
    case ExternKind::kTag:
      return actual.module->type_ids[from.tags[actual.index].type_index] ==
             wanted.module->type_ids[to.tags[wanted.index].type_index];
  }
  return false;
}

bool PlanBuilder::globals_match(const Entity& actual, const Entity& wanted) const {
  const wasm::GlobalType& from = actual.module->module->globals[actual.index].type;
  const wasm::GlobalType& to = wanted.module->module->globals[wanted.index].type;
  if (from.is_mutable != to.is_mutable) return false;
  const wasm::TypeRegistry::Scoped from_scope{actual.module->type_ids};
  const wasm::TypeRegistry::Scoped to_scope{wanted.module->type_ids};
  return from.is_mutable ? registry_.equal(from.type, from_scope, to.type, to_scope)
                         : registry_.matches(from.type, from_scope, to.type, to_scope);
}

bool PlanBuilder::tables_match(const Entity& actual, const Entity& wanted) const {
  const wasm::TableType& from = actual.module->module->tables[actual.index].type;
  const wasm::TableType& to = wanted.module->module->tables[wanted.index].type;
  return from.address == to.address && limits_can_match(from.limits, to.limits) &&
         registry_.equal(wasm::ValType::of(from.element), {actual.module->type_ids},
                         wasm::ValType::of(to.element), {wanted.module->type_ids});
}

// What provides it, or would.
std::string PlanBuilder::advice_for(const wasm::Import& import) const {
  if (const GuestFunction* guest = find_guest_function(import.module, import.name)) {
    return guest->module == "bench" ? "--bench provides it" : "WASI is switched off";
  }
  if (registered_.contains(import.module)) {
    return "the instance named \"" + printable(import.module) + "\" has no such export";
  }
  return import_advice(import.module, import.name);
}

Error PlanBuilder::unknown_import(const ModuleEntry& importer, const wasm::Import& import) {
  std::string text = "unknown import: " + quoted(import) + ", " +
                     std::string(to_string(import.kind)) + " " +
                     type_text(*importer.module, import.kind, import.index);
  std::string advice = advice_for(import);
  if (advice != last_advice_) text += ": " + advice;
  last_advice_ = std::move(advice);
  return link_error(std::move(text));
}

wasm::TypeId PlanBuilder::id_of(const wasm::FuncType& type) {
  wasm::SubType sub_type;
  sub_type.func = type;
  return registry_.add({&sub_type, 1}).front();
}

}  // namespace mayfly::runtime
