// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// CoreTypes: types of core definitions across all core modules of a component file, and when one
// can stand for another (wasm-3.0 #match-externtype).
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "component/type_arena.h"
#include "wasm/module.h"
#include "wasm/type_registry.h"

namespace mayfly::component {

enum class CoreEntityId : uint32_t {};
enum class CoreModuleTypeId : uint32_t {};
enum class CoreInstanceTypeId : uint32_t {};

// The type of a core function, table, memory, global or tag. Its type indices, which only
// functions, tags and references have, count in the list of types that `scope` numbers.
struct CoreEntity {
  wasm::ExternKind kind = wasm::ExternKind::kFunc;
  uint32_t scope = 0;
  uint32_t type_index = 0;  // kFunc, kTag
  wasm::TableType table;
  wasm::MemoryType memory;
  wasm::GlobalType global;
};

struct CoreDeclaration {
  StringId name;
  CoreEntityId entity;
};

// Sorted by name.
class CoreExports {
 public:
  CoreExports() = default;
  explicit CoreExports(std::vector<CoreDeclaration> items);
  const std::vector<CoreDeclaration>& items() const { return items_; }
  std::optional<CoreEntityId> find(StringId name) const;

 private:
  std::vector<CoreDeclaration> items_;
};

struct CoreImport {
  StringId module;
  StringId name;
  CoreEntityId entity;
};

struct CoreModuleType {
  std::vector<CoreImport> imports;  // sorted by module, then name
  CoreExports exports;
};

class CoreTypes {
 public:
  CoreTypes();

  // A list of types that entities may refer to. The span must live as long as this object.
  uint32_t add_scope(std::span<const wasm::SubType> types);
  // A function type of the component's own: `core type` definitions, built-ins.
  CoreEntityId add_func(const wasm::FuncType& type);
  CoreEntityId add(const CoreEntity& entity);
  const CoreEntity& operator[](CoreEntityId id) const { return entities_[static_cast<size_t>(id)]; }
  const wasm::FuncType& func_type(CoreEntityId id) const;

  CoreModuleTypeId add_module(CoreModuleType type);
  const CoreModuleType& module(CoreModuleTypeId id) const {
    return modules_[static_cast<size_t>(id)];
  }
  // The type of a decoded module, whose types must outlive this object.
  // Errors: kInvalid when two imports have the same two names; the message has no offset.
  Result<CoreModuleTypeId> add_module(const wasm::Module& module, TypeArena& arena);

  CoreInstanceTypeId add_instance(CoreExports exports);
  // The instance of a module of this type: its exports are not copied.
  CoreInstanceTypeId add_instance_of(CoreModuleTypeId module);
  const CoreExports& exports(CoreInstanceTypeId id) const;

  // Errors: kInvalid, the message without offset.
  Result<void> check_matches(CoreEntityId actual, CoreEntityId expected) const;
  Result<void> check_module_matches(CoreModuleTypeId actual, CoreModuleTypeId expected,
                                    const TypeArena& arena) const;

 private:
  struct Scope {
    std::span<const wasm::SubType> types;
    std::vector<wasm::TypeId> ids;
  };
  struct Instance {
    std::optional<CoreModuleTypeId> module;
    CoreExports exports;
  };
  wasm::TypeRegistry::Scoped scoped(const CoreEntity& entity) const {
    return {scopes_[entity.scope].ids};
  }
  bool globals_match(const CoreEntity& actual, const CoreEntity& expected) const;
  CoreEntity entity_of(const wasm::Module& module, wasm::ExternKind kind, uint32_t index,
                       uint32_t scope) const;

  wasm::TypeRegistry registry_;
  std::vector<Scope> scopes_;
  // Function types of the component's own, one scope each, by number in the registry.
  std::deque<wasm::SubType> own_types_;
  std::map<wasm::TypeId, CoreEntityId> own_funcs_;
  std::vector<CoreEntity> entities_;
  std::vector<CoreModuleType> modules_;
  std::vector<Instance> instances_;
};

}  // namespace mayfly::component
