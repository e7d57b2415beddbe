// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ComponentLinker: from components to a plan of core modules. What components are made of besides
// core modules, lifts, lowers, handle tables, becomes generated modules ("adapters"), so that one
// image holds all of it and nothing in it is interpreted.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "component/component.h"
#include "image/plan.h"
#include "linker/call_adapter.h"
#include "linker/graph.h"
#include "linker/guest_functions.h"
#include "linker/plan_modules.h"

namespace mayfly::linker {

// A resource that the type of a function speaks of.
struct ResourceUse {
  component::TypeId type{component::kNoIndex};  // resolved, in the arena of the function's file
  uint32_t number = 0;                          // ResourceRef's
};

// A function that the host can call: of an instance that a root component exports, or its own.
struct ComponentExport {
  std::string interface;  // name of the exported instance; "" for the component's own
  std::string name;       // "[resource-drop]R": drops the host's handle of a resource
  component::TypeId type{component::kNoIndex};  // kFunc, in the arena of `file`; kNoIndex: a drop
  const ComponentFile* file = nullptr;
  uint32_t step = 0;        // whose export it is in the image,
  std::string export_name;  // under this name
  uint32_t dropped = 0;     // a drop: the resource's number
  std::vector<ResourceUse> resources = {};
};

// A function that the host has to provide, by its number in Plan::host_functions.
struct ComponentImport {
  std::string interface;  // "$root" for the component's own
  std::string name;       // "[resource-drop]R" for the destructor of a resource of the host
  component::TypeId type{component::kNoIndex};  // kFunc; kNoIndex for a destructor
  const ComponentFile* file = nullptr;
  std::vector<ResourceUse> resources = {};
};

// A name of a resource of the host. One resource may have several.
struct HostResource {
  std::string interface;  // "$root" for the component's own
  std::string name;
  uint32_t number = 0;
};

// A root component instance.
struct RootInstance {
  const Scope* scope = nullptr;
  uint32_t first_step = 0;  // steps [first_step, last_step) make it
  uint32_t last_step = 0;
  std::vector<ComponentExport> exports;
};

struct ComponentLinkOptions {
  bool wasi = true;    // WASI 0.2 of the guest library is known by its names
  bool bench = false;  // and so are the marks of a benchmark
  // What the guest library does not provide traps when it is called, and is nothing that the host
  // has to provide.
  bool trap_missing = false;
  // What the host defines by (interface, name) comes before those. May be empty.
  std::function<bool(std::string_view, std::string_view)> is_defined = {};
};

class ComponentLinker {
 public:
  explicit ComponentLinker(const ComponentLinkOptions& options = {});

  // Makes an instance of a component that outlives the linker and what it says of it. An import
  // that `given` names comes from that root instance (one that an earlier call made); functions and
  // resources of the others are the host's. Errors: kLink, kUnsupported, kLimit; then the linker is
  // of no more use.
  Result<uint32_t> instantiate(const ComponentFile& file,
                               const std::map<std::string, uint32_t>& given);
  const RootInstance& root(uint32_t number) const { return roots_[number]; }
  const std::vector<ComponentImport>& imports() const { return imports_; }
  const std::vector<HostResource>& host_resources() const { return host_resources_; }

  // The plan and its modules, the state module (step 0) among them.
  PlanModules finish();

 private:
  Result<const Scope*> instantiate_component(const ComponentFile& file, uint32_t number,
                                             const Scope* parent, const Scope* outer,
                                             std::map<std::string, Item, std::less<>> arguments);
  Result<void> run_step(Scope& scope, const component::Step& step);
  Result<void> make_core_instance(Scope& scope, uint32_t number);
  Result<void> make_instance(Scope& scope, uint32_t number);
  void define_resources(Scope& scope);

  // What the host provides for an import of a root component, whose types are of `importer`.
  Result<Item> provide(Scope& importer, std::string_view name, component::EntityType type);
  Result<Item> provide_item(Scope& importer, const std::string& module, std::string_view name,
                            component::EntityType type);

  // Canonical functions become functions of an adapter module.
  Result<void> make_canons(std::span<const CoreItem> items);
  Result<FunctionRef> add_canon(AdapterModule& module, const CoreItem& item);
  Result<void> make_functions(const Scope& scope, std::span<const uint32_t> core_functions);
  Result<void> collect_needs(const CoreItem& item, std::vector<CoreItem>& needs) const;
  Result<FunctionRef> add_lower(AdapterModule& module, const Scope& scope,
                                const component::Canon& canon);
  Result<DropSpec> drop_spec(ResourceRef resource, uint32_t instance, const Scope* caller);
  Result<image::Definition> definition(const CoreItem& item) const;
  Result<Side> side(const Scope& scope, const component::CanonOptions& options) const;
  Result<CallSpec> call_spec(const Item& callee, const Side& caller, const Scope* caller_scope);
  Result<image::Binding> core_binding(const Scope& scope, uint32_t core_func) const;
  // What the guest library provides under these names.
  std::optional<ComponentFunction> guest_provides(std::string_view interface,
                                                  std::string_view name) const;
  Result<void> bind_host_function(const HostItem& item, CallSpec& spec);
  uint32_t host_function(const HostItem& item, wasm::FuncType type);
  Result<std::vector<ResourceUse>> resources_of(const Scope& scope, component::TypeId func) const;
  uint32_t host_destructor(const HostItem& item);

  Result<void> export_root(RootInstance& root);
  Result<void> export_item(RootInstance& root, AdapterModule& module, const std::string& interface,
                           const std::string& name, const Item& item);
  Result<void> export_drop(RootInstance& root, AdapterModule& module, const std::string& interface,
                           const std::string& name, ResourceRef resource);
  Result<void> export_function(RootInstance& root, AdapterModule& module,
                               const std::string& interface, const std::string& name,
                               const Item& item);

  ComponentLinkOptions options_;
  Graph graph_;
  PlanModules modules_;
  std::vector<ComponentImport> imports_;
  std::vector<HostResource> host_resources_;
  std::map<std::pair<std::string, std::string>, uint32_t> host_functions_;
  std::vector<RootInstance> roots_;
  std::map<uint32_t, uint32_t> resource_items_;  // resource number to the host's item
  uint32_t depth_ = 0;
  uint32_t chain_ = 0;
};

}  // namespace mayfly::linker
