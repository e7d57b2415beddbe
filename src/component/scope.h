// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scope: what is known while a component, a component type or an instance type is read.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "component/component.h"
#include "component/visibility.h"

namespace mayfly::component {

// The names of the imports, or of the exports, of one scope.
struct ScopeNames {
  std::map<std::string, StringId> by_key;  // uniqueness_key
  std::map<TypeId, StringId> resources;    // the resource types that have a name here
  std::map<StringId, TypeId> resource_by_name;
  std::vector<Declaration> declarations;
};

struct Scope {
  enum class Kind : uint8_t { kComponent, kComponentType, kInstanceType };
  Kind kind = Kind::kComponent;
  uint32_t number = 0;  // of the component that this is, or is in
  uint64_t offset = 0;
  // Of a type only the index spaces count.
  ComponentDef def;
  ScopeNames imports;
  ScopeNames exports;
  Visibility visibility;
  std::vector<TypeId> imported_resources;  // introduced by imports
  std::vector<TypeId> own_resources;       // defined, or introduced by exports and instances
  std::vector<bool> used_values;           // by value index
  std::optional<bool> context_is_64;       // of all context.get and context.set

  ScopeNames& names(Direction direction) {
    return direction == Direction::kImport ? imports : exports;
  }
};

}  // namespace mayfly::component
