// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which canonical functions are written when. A core module's imports come to be in one adapter
// module just before its instance; what their code calls exists before that.
#include <set>
#include <utility>

#include "base/check.h"
#include "component/flatten.h"
#include "component/resource_use.h"
#include "linker/component_linker.h"

namespace mayfly::linker {

using component::Canon;
using component::CanonOp;
using component::CanonOptions;
using component::FlattenContext;
using component::Space;
using component::TypeId;
using image::Binding;

namespace {

// Functions that are lowered, lifted and lowered again.
constexpr uint32_t kChainMax = 100;

constexpr std::string_view kAsyncText =
    "needs the asynchronous part of the component model (0.3), which Mayfly does not run";

const Canon& canon_of(const Item& function) {
  const component::ComponentDef& def = function.scope->def();
  return def.canons[def.space(Space::kFunc)[function.index].a];
}

// The core functions that the options name.
std::vector<uint32_t> functions_of(const CanonOptions& options) {
  std::vector<uint32_t> functions;
  if (options.realloc != component::kNoIndex) functions.push_back(options.realloc);
  if (options.post_return != component::kNoIndex) functions.push_back(options.post_return);
  return functions;
}

}  // namespace

Result<image::Definition> ComponentLinker::definition(const CoreItem& item) const {
  if (item.scope == nullptr) return item.definition;
  const auto found = item.scope->canons.find(item.canon);
  if (found == item.scope->canons.end()) return link_error("a core function is not there yet");
  return found->second;
}

Result<Binding> ComponentLinker::core_binding(const Scope& scope, uint32_t core_func) const {
  const CoreItem item =
      MAYFLY_TRY(graph_.resolve_core(scope, {Space::kCoreFunc, core_func}, modules_));
  Binding binding;
  binding.definition = MAYFLY_TRY(definition(item));
  return binding;
}

Result<Side> ComponentLinker::side(const Scope& scope, const CanonOptions& options) const {
  if (options.is_async) return unsupported("an asynchronous function " + std::string(kAsyncText));
  if (options.width != component::PtrWidth::k32) {
    return unsupported("components with 64-bit memories cannot be run");
  }
  Side side;
  side.instance = scope.instance;
  side.options = options;
  if (options.memory != component::kNoIndex) {
    const CoreItem memory =
        MAYFLY_TRY(graph_.resolve_core(scope, {Space::kCoreMemory, options.memory}, modules_));
    side.memory = MemoryRef{memory.definition, modules_.memory_type(memory.definition)};
  }
  if (options.realloc != component::kNoIndex) {
    side.realloc = MAYFLY_TRY(core_binding(scope, options.realloc));
  }
  if (options.post_return != component::kNoIndex) {
    side.post_return = MAYFLY_TRY(core_binding(scope, options.post_return));
  }
  return side;
}

uint32_t ComponentLinker::host_function(const HostItem& item, wasm::FuncType type) {
  const auto number = static_cast<uint32_t>(modules_.plan().host_functions.size());
  const auto [found, is_new] = host_functions_.try_emplace({item.module, item.name}, number);
  if (!is_new) return found->second;
  modules_.plan().host_functions.push_back({item.module, item.name, std::move(type)});
  imports_.push_back({item.module, item.name, item.type.type(), item.importer->file});
  return number;
}

uint32_t ComponentLinker::host_destructor(const HostItem& item) {
  HostItem destructor;
  destructor.module = item.module;
  destructor.name = "[resource-drop]" + item.name;
  destructor.importer = item.importer;
  destructor.type = component::EntityType{component::Sort::kFunc, component::kNoIndex};
  return host_function(destructor, host_core_type({{wasm::kI32}, {}}));
}

std::optional<ComponentFunction> ComponentLinker::guest_provides(std::string_view interface,
                                                                 std::string_view name) const {
  std::optional<ComponentFunction> found;
  if (options_.is_defined && options_.is_defined(interface, name)) return found;
  if (options_.wasi) found = wasi2_function(interface, name);
  if (!found && options_.bench) found = bench_function(interface, name);
  return found;
}

Result<void> ComponentLinker::bind_host_function(const HostItem& item, CallSpec& spec) {
  const wasm::FuncType type =
      component::flatten_functype(item.importer->types(), spec.func, spec.callee.options,
                                  FlattenContext::kLift)
          .core;
  if (auto provided = guest_provides(item.module, item.name)) {
    if (provided->type != type) {
      return link_error("import \"" + item.module + "\" \"" + item.name +
                        "\" has another type than WASI's");
    }
    spec.guest_symbol = std::move(provided->symbol);
    return {};
  }
  if (options_.trap_missing) {
    spec.is_missing = true;
    return {};
  }
  spec.target.kind = Binding::Kind::kHost;
  spec.target.host_index = host_function(item, host_core_type(type));
  ComponentImport& import = imports_[spec.target.host_index];
  if (import.resources.empty()) {
    import.resources = MAYFLY_TRY(resources_of(*item.importer, spec.func));
  }
  return {};
}

Result<std::vector<ResourceUse>> ComponentLinker::resources_of(const Scope& scope,
                                                               TypeId func) const {
  std::vector<ResourceUse> uses;
  for (const TypeId type : component::resources_of_function(scope.types(), func)) {
    uses.push_back({type, MAYFLY_TRY(graph_.resource(scope, type)).number});
  }
  return uses;
}

Result<CallSpec> ComponentLinker::call_spec(const Item& callee, const Side& caller,
                                            const Scope* caller_scope) {
  CallSpec spec;
  spec.caller = caller;
  const Scope* scope = callee.scope;
  if (callee.is_of_host()) {
    const HostItem& item = graph_.host_item(callee.index);
    scope = item.importer;
    spec.callee = host_side();
    spec.func = item.type.type();
    MAYFLY_TRY(bind_host_function(item, spec));
  } else {
    const Canon& lift = canon_of(callee);
    spec.callee = MAYFLY_TRY(side(*scope, lift.options));
    spec.func = lift.type;
    spec.target = MAYFLY_TRY(core_binding(*scope, lift.func));
    spec.entered = entering_set(*scope, caller_scope);
  }
  spec.types = &scope->types();
  spec.resource_scope = scope;
  spec.resources = [this, scope](TypeId type) { return graph_.resource(*scope, type); };
  return spec;
}

Result<void> ComponentLinker::collect_needs(const CoreItem& item,
                                            std::vector<CoreItem>& needs) const {
  if (item.scope == nullptr) return {};
  const Canon& canon = item.scope->def().canons[item.canon];
  const auto add = [&](const Scope& scope, std::span<const uint32_t> functions) -> Result<void> {
    for (const uint32_t function : functions) {
      needs.push_back(
          MAYFLY_TRY(graph_.resolve_core(scope, {Space::kCoreFunc, function}, modules_)));
    }
    return {};
  };
  if (canon.op == CanonOp::kLower) {
    MAYFLY_TRY(add(*item.scope, functions_of(canon.options)));
    const Item callee = MAYFLY_TRY(graph_.resolve(*item.scope, {Space::kFunc, canon.func}));
    if (callee.is_of_host()) return {};
    const Canon& lift = canon_of(callee);
    std::vector<uint32_t> functions = functions_of(lift.options);
    functions.push_back(lift.func);
    return add(*callee.scope, functions);
  }
  if (canon.op != CanonOp::kResourceDrop) return {};
  const ResourceRef resource = MAYFLY_TRY(graph_.resource(*item.scope, canon.type));
  const Graph::Implementation& by = graph_.implementation(resource);
  if (by.scope == nullptr) return {};
  const uint32_t destructor = by.scope->types().resource_info(by.type).dtor;
  if (destructor == component::kNoIndex) return {};
  return add(*by.scope, {&destructor, 1});
}

Result<void> ComponentLinker::make_canons(std::span<const CoreItem> items) {
  std::vector<CoreItem> missing;
  std::vector<CoreItem> needs;
  std::set<std::pair<const Scope*, uint32_t>> known;
  for (const CoreItem& item : items) {
    if (item.scope == nullptr || item.scope->canons.contains(item.canon)) continue;
    if (!known.emplace(item.scope, item.canon).second) continue;
    missing.push_back(item);
    MAYFLY_TRY(collect_needs(item, needs));
  }
  if (missing.empty()) return {};
  if (chain_ >= kChainMax) {
    return limit("functions are lowered and lifted over " + std::to_string(kChainMax) +
                 " times in a row");
  }
  ++chain_;
  MAYFLY_TRY(make_canons(needs));
  --chain_;
  AdapterModule module;
  std::vector<FunctionRef> functions;
  for (const CoreItem& item : missing) {
    functions.push_back(MAYFLY_TRY(add_canon(module, item)));
    module.writer().export_function(std::to_string(functions.size()), functions.back());
  }
  const GeneratedModule generated = module.finish();
  const uint32_t first = generated.imported_functions;
  const uint32_t step = modules_.add_generated(generated, "component adapters");
  for (size_t i = 0; i < missing.size(); ++i) {
    missing[i].scope->canons[missing[i].canon] = {step, first + functions[i].index};
  }
  return {};
}

Result<FunctionRef> ComponentLinker::add_canon(AdapterModule& module, const CoreItem& item) {
  const Scope& scope = *item.scope;
  const Canon& canon = scope.def().canons[item.canon];
  switch (canon.op) {
    case CanonOp::kLower:
      return add_lower(module, scope, canon);
    case CanonOp::kResourceNew:
      return add_resource_new(module, scope.instance,
                              MAYFLY_TRY(graph_.resource(scope, canon.type)));
    case CanonOp::kResourceRep:
      return add_resource_rep(module, scope.instance,
                              MAYFLY_TRY(graph_.resource(scope, canon.type)));
    case CanonOp::kResourceDrop: {
      const ResourceRef resource = MAYFLY_TRY(graph_.resource(scope, canon.type));
      return add_resource_drop(module, MAYFLY_TRY(drop_spec(resource, scope.instance, &scope)));
    }
    default:
      break;
  }
  return unsupported("a built-in function " + std::string(kAsyncText));
}

Result<FunctionRef> ComponentLinker::add_lower(AdapterModule& module, const Scope& scope,
                                               const Canon& canon) {
  const Item callee = MAYFLY_TRY(graph_.resolve(scope, {Space::kFunc, canon.func}));
  const Side caller = MAYFLY_TRY(side(scope, canon.options));
  const CallSpec spec = MAYFLY_TRY(call_spec(callee, caller, &scope));
  return add_call(module, spec, "lowered function");
}

Result<DropSpec> ComponentLinker::drop_spec(ResourceRef resource, uint32_t instance,
                                            const Scope* caller) {
  DropSpec spec;
  spec.instance = instance;
  spec.resource = resource;
  const Graph::Implementation& by = graph_.implementation(resource);
  if (by.scope == nullptr) {
    const HostItem& item = graph_.host_item(resource_items_.at(resource.number));
    if (auto provided = guest_provides(item.module, "[resource-drop]" + item.name)) {
      spec.guest_destructor = std::move(provided->symbol);
      return spec;
    }
    if (options_.trap_missing) return spec;  // nobody can have made one
    spec.destructor_is_of_host = true;
    spec.destructor.emplace();
    spec.destructor->kind = Binding::Kind::kHost;
    spec.destructor->host_index = host_destructor(item);
    return spec;
  }
  spec.entered = entering_set(*by.scope, caller);
  const uint32_t destructor = by.scope->types().resource_info(by.type).dtor;
  if (destructor != component::kNoIndex) {
    spec.destructor = MAYFLY_TRY(core_binding(*by.scope, destructor));
  }
  return spec;
}

Result<void> ComponentLinker::make_functions(const Scope& scope,
                                             std::span<const uint32_t> core_functions) {
  std::vector<CoreItem> items;
  for (const uint32_t function : core_functions) {
    items.push_back(MAYFLY_TRY(graph_.resolve_core(scope, {Space::kCoreFunc, function}, modules_)));
  }
  return make_canons(items);
}

// What the host calls.
Result<void> ComponentLinker::export_item(RootInstance& root, AdapterModule& module,
                                          const std::string& interface, const std::string& name,
                                          const Item& item) {
  if (item.space == Space::kFunc) return export_function(root, module, interface, name, item);
  if (item.space != Space::kType) return {};
  const auto resource = graph_.resource_of(item);
  if (!resource || resource->implementer == kHostInstance) return {};
  return export_drop(root, module, interface, name, *resource);
}

Result<void> ComponentLinker::export_drop(RootInstance& root, AdapterModule& module,
                                          const std::string& interface, const std::string& name,
                                          ResourceRef resource) {
  ComponentExport made;
  made.interface = interface;
  made.name = "[resource-drop]" + name;
  made.export_name = interface.empty() ? made.name : interface + "#" + made.name;
  made.file = root.scope->file;
  made.dropped = resource.number;
  const Graph::Implementation& by = graph_.implementation(resource);
  const uint32_t destructor = by.scope->types().resource_info(by.type).dtor;
  if (destructor != component::kNoIndex) {
    MAYFLY_TRY(make_functions(*by.scope, {&destructor, 1}));
  }
  const DropSpec spec = MAYFLY_TRY(drop_spec(resource, kHostInstance, nullptr));
  module.writer().export_function(made.export_name, add_resource_drop(module, spec));
  root.exports.push_back(std::move(made));
  return {};
}

Result<void> ComponentLinker::export_function(RootInstance& root, AdapterModule& adapters,
                                              const std::string& interface, const std::string& name,
                                              const Item& item) {
  ComponentExport made;
  made.interface = interface;
  made.name = name;
  made.export_name = interface.empty() ? name : interface + "#" + name;
  if (!item.is_of_host()) {
    const Canon& lift = canon_of(item);
    std::vector<uint32_t> functions = functions_of(lift.options);
    functions.push_back(lift.func);
    MAYFLY_TRY(make_functions(*item.scope, functions));
  }
  const CallSpec spec = MAYFLY_TRY(call_spec(item, host_side(), nullptr));
  made.type = spec.func;
  made.file = item.is_of_host() ? graph_.host_item(item.index).importer->file : item.scope->file;
  const Scope& scope = item.is_of_host() ? *graph_.host_item(item.index).importer : *item.scope;
  made.resources = MAYFLY_TRY(resources_of(scope, spec.func));
  const FunctionRef function = MAYFLY_TRY(add_call(adapters, spec, made.export_name));
  adapters.writer().export_function(made.export_name, function);
  root.exports.push_back(std::move(made));
  return {};
}

}  // namespace mayfly::linker
