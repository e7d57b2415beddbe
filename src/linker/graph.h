// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Graph: the component instances of an image, and what each index of each of them leads to.
// All of it is known before anything runs: components are instantiated by following their steps.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "component/component.h"
#include "image/plan.h"
#include "linker/side.h"

namespace mayfly::linker {

struct Scope;

// A component file and its bytes, which the modules in it refer to.
struct ComponentFile {
  std::string name;  // for messages
  component::Component component;
  std::vector<uint8_t> bytes;
};

// Instead of an entry's number: the scope itself is the instance.
inline constexpr uint32_t kWholeScope = UINT32_MAX;

// A definition of a scope: what an index leads to when all aliases, exports and arguments on the
// way have been followed. What the host provides has no scope.
struct Item {
  const Scope* scope = nullptr;
  component::Space space = component::Space::kFunc;
  // Of the index space's entry, which is kDefined; of the host: HostItem's number.
  uint32_t index = 0;

  bool is_of_host() const { return scope == nullptr; }
};

// Something that a root component imports and the host provides.
struct HostItem {
  std::string module;  // the instance's name, "$root" outside of instances
  std::string name;
  const Scope* importer = nullptr;          // its types are those of this scope
  component::EntityType type;               // a function, an instance or a resource type
  std::map<std::string, uint32_t> exports;  // kInstance: numbers of other items
  ResourceRef resource;                     // kType: a resource
};

// A component instance, finished or under way. A component refers to definitions of the components
// around it in the file, so a scope knows the scope that its component was defined in.
struct Scope {
  uint32_t instance = 0;          // its number, which its handle table and its flags have too
  const Scope* parent = nullptr;  // the instance that made this one
  const Scope* outer = nullptr;
  const ComponentFile* file = nullptr;
  uint32_t number = 0;  // of the component in the file
  std::map<std::string, Item, std::less<>> arguments;
  std::vector<uint32_t> core_steps;     // by core instance; kNoIndex: only exports
  std::vector<const Scope*> instances;  // by instance; nullptr: only exports
  std::map<component::TypeId, ResourceRef> own_resources;
  mutable std::map<uint32_t, image::Definition> canons;  // core functions that exist by now

  const component::ComponentDef& def() const { return file->component.components[number]; }
  const component::TypeArena& types() const { return file->component.types; }
};

// A core definition: of a core instance, or a canonical function that has yet to be written.
struct CoreItem {
  wasm::ExternKind kind = wasm::ExternKind::kFunc;
  const Scope* scope = nullptr;  // of `canon`; nullptr: a definition
  uint32_t canon = 0;
  image::Definition definition;
};

// Where a core instance's exports come from; PlanModules knows the modules of a plan.
class CoreExportFinder {
 public:
  virtual ~CoreExportFinder() = default;
  virtual Result<image::Definition> find_export(uint32_t step, wasm::ExternKind kind,
                                                std::string_view name) const = 0;
};

class Graph {
 public:
  Scope& add_scope();
  const std::deque<Scope>& scopes() const { return scopes_; }
  uint32_t add_host_item(HostItem item);
  const HostItem& host_item(uint32_t number) const { return host_items_[number]; }
  // A new resource type; nullptr: the host's.
  ResourceRef add_resource(const Scope* implementer, component::TypeId type);
  // Who implements it, and as which type there.
  struct Implementation {
    const Scope* scope = nullptr;
    component::TypeId type{component::kNoIndex};
  };
  const Implementation& implementation(ResourceRef resource) const {
    return resources_[resource.number - 1];
  }

  // What an entry of a component-level index space leads to.
  Result<Item> resolve(const Scope& scope, component::SpaceIndex at) const;
  // What an instance, which `instance` is, exports.
  Result<Item> find_export(const Item& instance, std::string_view name) const;
  // What an entry of a core index space leads to.
  Result<CoreItem> resolve_core(const Scope& scope, component::SpaceIndex at,
                                const CoreExportFinder& finder) const;
  Result<CoreItem> find_core_export(const Scope& scope, uint32_t core_instance,
                                    std::string_view name, wasm::ExternKind kind,
                                    const CoreExportFinder& finder) const;
  // The resource that a type of a scope's file stands for in that scope.
  Result<ResourceRef> resource(const Scope& scope, component::TypeId type) const;
  // The resource that a type is, which resolve() has found; nullopt: another type.
  std::optional<ResourceRef> resource_of(const Item& type) const;
  // Every export of the instance, in order.
  std::vector<std::string> export_names(const Item& instance) const;

 private:
  // Names to what they stand for, of a list of definitions; made when first asked for.
  using NameMap = std::map<std::string_view, component::SpaceIndex>;
  const NameMap& exports_of(const Scope& scope) const;
  const NameMap& names_of(const Scope& scope, const void* list,
                          std::span<const component::NamedIndex> items) const;
  // One step; a scope and index, or an answer.
  struct Place {
    const Scope* scope = nullptr;
    component::SpaceIndex at;
  };
  Result<Place> export_place(const Scope& scope, uint32_t instance_entry,
                             std::string_view name) const;
  Result<void> count_step() const;
  // The type entries of a component by the resource that each stands for.
  const std::map<component::TypeId, uint32_t>& resource_entries(const Scope& scope) const;

  std::deque<Scope> scopes_;
  std::deque<HostItem> host_items_;
  std::vector<Implementation> resources_;
  mutable uint64_t steps_left_ = uint64_t{100} << 20;  // of walks, over the linker's life
  mutable std::map<const void*, NameMap> names_;
  mutable std::map<const void*, std::map<component::TypeId, uint32_t>> resource_entries_;
};

// Whom a call from one instance into another enters, the outermost last
// (definitions.py: entering_set). `caller` is nullptr for the host.
std::vector<uint32_t> entering_set(const Scope& callee, const Scope* caller);

}  // namespace mayfly::linker
