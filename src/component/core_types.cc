// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Matching of core types between modules that one component links.
#include "component/core_types.h"

#include <algorithm>

namespace mayfly::component {
namespace {

using wasm::ExternKind;

// wasm-3.0 #match-limits
bool limits_match(const wasm::Limits& actual, const wasm::Limits& expected) {
  if (actual.min < expected.min) return false;
  return !expected.max || (actual.max && *actual.max <= *expected.max);
}

Error wrong_kind(ExternKind actual, ExternKind expected) {
  return invalid("expected " + std::string(to_string(expected)) + ", found " +
                 std::string(to_string(actual)));
}

template <typename T>
Error mismatch(std::string_view what, const T& actual, const T& expected) {
  return invalid("expected " + std::string(what) + " " + to_string(expected) + ", found " +
                 to_string(actual));
}

}  // namespace

CoreExports::CoreExports(std::vector<CoreDeclaration> items) : items_(std::move(items)) {
  std::ranges::sort(items_, {}, &CoreDeclaration::name);
}

std::optional<CoreEntityId> CoreExports::find(StringId name) const {
  const auto found = std::ranges::lower_bound(items_, name, {}, &CoreDeclaration::name);
  if (found == items_.end() || found->name != name) return std::nullopt;
  return found->entity;
}

// Scope 0 has no types: it is that of entities without any.
CoreTypes::CoreTypes() : scopes_(1) {}

uint32_t CoreTypes::add_scope(std::span<const wasm::SubType> types) {
  scopes_.push_back({types, registry_.add(types)});
  return static_cast<uint32_t>(scopes_.size() - 1);
}

CoreEntityId CoreTypes::add(const CoreEntity& entity) {
  entities_.push_back(entity);
  return CoreEntityId{static_cast<uint32_t>(entities_.size() - 1)};
}

CoreEntityId CoreTypes::add_func(const wasm::FuncType& type) {
  wasm::SubType sub_type;
  sub_type.func = type;
  const wasm::TypeId id = registry_.add({&sub_type, 1}).front();
  const auto known = own_funcs_.find(id);
  if (known != own_funcs_.end()) return known->second;
  own_types_.push_back(std::move(sub_type));
  scopes_.push_back({{&own_types_.back(), 1}, {id}});
  CoreEntity entity;
  entity.scope = static_cast<uint32_t>(scopes_.size() - 1);
  const CoreEntityId result = add(entity);
  own_funcs_.emplace(id, result);
  return result;
}

const wasm::FuncType& CoreTypes::func_type(CoreEntityId id) const {
  const CoreEntity& entity = (*this)[id];
  return scopes_[entity.scope].types[entity.type_index].func;
}

CoreModuleTypeId CoreTypes::add_module(CoreModuleType type) {
  modules_.push_back(std::move(type));
  return CoreModuleTypeId{static_cast<uint32_t>(modules_.size() - 1)};
}

CoreEntity CoreTypes::entity_of(const wasm::Module& module, ExternKind kind, uint32_t index,
                                uint32_t scope) const {
  CoreEntity entity;
  entity.kind = kind;
  entity.scope = scope;
  switch (kind) {
    case ExternKind::kFunc:
      entity.type_index = module.functions[index].type_index;
      break;
    case ExternKind::kTable:
      entity.table = module.tables[index].type;
      break;
    case ExternKind::kMemory:
      entity.memory = module.memories[index];
      break;
    case ExternKind::kGlobal:
      entity.global = module.globals[index].type;
      break;
    case ExternKind::kTag:
      entity.type_index = module.tags[index].type_index;
      break;
  }
  return entity;
}

Result<CoreModuleTypeId> CoreTypes::add_module(const wasm::Module& module, TypeArena& arena) {
  const uint32_t scope = add_scope(module.types);
  CoreModuleType type;
  for (const wasm::Import& import : module.imports) {
    type.imports.push_back({arena.intern(import.module), arena.intern(import.name),
                            add(entity_of(module, import.kind, import.index, scope))});
  }
  std::ranges::sort(type.imports, {},
                    [](const CoreImport& import) { return std::pair(import.module, import.name); });
  for (size_t i = 1; i < type.imports.size(); ++i) {
    const CoreImport& import = type.imports[i];
    if (type.imports[i - 1].module != import.module || type.imports[i - 1].name != import.name) {
      continue;
    }
    return invalid("duplicate import name `" + std::string(arena.text(import.module)) + ":" +
                   std::string(arena.text(import.name)) + "`");
  }
  std::vector<CoreDeclaration> exports;
  exports.reserve(module.exports.size());
  for (const wasm::Export& item : module.exports) {
    exports.push_back(
        {arena.intern(item.name), add(entity_of(module, item.kind, item.index, scope))});
  }
  type.exports = CoreExports(std::move(exports));
  return add_module(std::move(type));
}

CoreInstanceTypeId CoreTypes::add_instance(CoreExports exports) {
  instances_.push_back({std::nullopt, std::move(exports)});
  return CoreInstanceTypeId{static_cast<uint32_t>(instances_.size() - 1)};
}

CoreInstanceTypeId CoreTypes::add_instance_of(CoreModuleTypeId module) {
  instances_.push_back({module, {}});
  return CoreInstanceTypeId{static_cast<uint32_t>(instances_.size() - 1)};
}

const CoreExports& CoreTypes::exports(CoreInstanceTypeId id) const {
  const Instance& instance = instances_[static_cast<size_t>(id)];
  return instance.module ? module(*instance.module).exports : instance.exports;
}

bool CoreTypes::globals_match(const CoreEntity& actual, const CoreEntity& expected) const {
  if (actual.global.is_mutable != expected.global.is_mutable) return false;
  return actual.global.is_mutable ? registry_.equal(actual.global.type, scoped(actual),
                                                    expected.global.type, scoped(expected))
                                  : registry_.matches(actual.global.type, scoped(actual),
                                                      expected.global.type, scoped(expected));
}

Result<void> CoreTypes::check_matches(CoreEntityId actual_id, CoreEntityId expected_id) const {
  const CoreEntity& actual = (*this)[actual_id];
  const CoreEntity& expected = (*this)[expected_id];
  if (actual.kind != expected.kind) return wrong_kind(actual.kind, expected.kind);
  const auto type_id = [&](const CoreEntity& entity) {
    return scopes_[entity.scope].ids[entity.type_index];
  };
  switch (expected.kind) {
    case ExternKind::kFunc:
      if (registry_.is_subtype(type_id(actual), type_id(expected))) return {};
      return mismatch("function type", func_type(actual_id), func_type(expected_id));
    case ExternKind::kTag:
      if (type_id(actual) == type_id(expected)) return {};
      return mismatch("tag type", func_type(actual_id), func_type(expected_id));
    case ExternKind::kTable:
      if (actual.table.address == expected.table.address &&
          limits_match(actual.table.limits, expected.table.limits) &&
          registry_.equal(wasm::ValType::of(actual.table.element), scoped(actual),
                          wasm::ValType::of(expected.table.element), scoped(expected))) {
        return {};
      }
      return mismatch("table type", actual.table, expected.table);
    case ExternKind::kMemory:
      if (actual.memory.address == expected.memory.address &&
          actual.memory.shared == expected.memory.shared &&
          actual.memory.page_size_log2 == expected.memory.page_size_log2 &&
          limits_match(actual.memory.limits, expected.memory.limits)) {
        return {};
      }
      return mismatch("memory type", actual.memory, expected.memory);
    case ExternKind::kGlobal:
      if (globals_match(actual, expected)) return {};
      return mismatch("global type", actual.global, expected.global);
  }
  return {};
}

Result<void> CoreTypes::check_module_matches(CoreModuleTypeId actual_id,
                                             CoreModuleTypeId expected_id,
                                             const TypeArena& arena) const {
  const CoreModuleType& actual = module(actual_id);
  const CoreModuleType& expected = module(expected_id);
  const auto names = [](const CoreImport& import) { return std::pair(import.module, import.name); };
  for (const CoreImport& import : actual.imports) {
    const std::string name =
        std::string(arena.text(import.module)) + "::" + std::string(arena.text(import.name));
    const auto given = std::ranges::lower_bound(expected.imports, names(import), {}, names);
    if (given == expected.imports.end() || names(*given) != names(import)) {
      return invalid("missing expected import `" + name + "`");
    }
    auto matched = check_matches(given->entity, import.entity);
    if (!matched) {
      return with_context("type mismatch in import `" + name + "`", std::move(matched).error());
    }
  }
  for (const CoreDeclaration& item : expected.exports.items()) {
    const auto given = actual.exports.find(item.name);
    const std::string name(arena.text(item.name));
    if (!given) return invalid("missing expected export `" + name + "`");
    auto matched = check_matches(*given, item.entity);
    if (!matched) {
      return with_context("type mismatch in export `" + name + "`", std::move(matched).error());
    }
  }
  return {};
}

}  // namespace mayfly::component
