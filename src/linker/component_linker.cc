// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Follows the steps of components. What a step needs is there before it: decoding has checked it.
#include "linker/component_linker.h"

#include <utility>

#include "base/check.h"
#include "linker/state_module.h"

namespace mayfly::linker {

using component::EntityType;
using component::NamedIndex;
using component::Sort;
using component::Space;
using component::Step;
using component::TypeId;
using component::TypeKind;
using image::Binding;

namespace {

// Components may instantiate components many times over.
constexpr size_t kInstancesMax = 10'000;
constexpr size_t kStepsMax = 10'000;
constexpr uint32_t kDepthMax = 100;

std::string_view text(const Scope& scope, component::StringId name) {
  return scope.types().text(name);
}

}  // namespace

ComponentLinker::ComponentLinker(const ComponentLinkOptions& options) : options_(options) {
  modules_.reserve_state_step();
}

Result<uint32_t> ComponentLinker::instantiate(const ComponentFile& file,
                                              const std::map<std::string, uint32_t>& given) {
  const auto first_step = static_cast<uint32_t>(modules_.plan().steps.size());
  Scope& outside = graph_.add_scope();  // where what the host provides has its types
  outside.file = &file;
  std::map<std::string, Item, std::less<>> arguments;
  for (const component::ImportDef& import : outside.def().imports) {
    const std::string name(text(outside, import.name));
    const bool is_named_type = import.type.sort == Sort::kType &&
                               (outside.types().kind(import.type.type()) != TypeKind::kResource ||
                                outside.types().is_named(import.type.type()));
    if (is_named_type) continue;
    if (const auto other = given.find(name); other != given.end()) {
      arguments.emplace(name, Item{roots_[other->second].scope, Space::kInstance, kWholeScope});
    } else {
      arguments.emplace(name, MAYFLY_TRY(provide(outside, name, import.type)));
    }
  }
  const Scope* scope =
      MAYFLY_TRY(instantiate_component(file, 0, nullptr, nullptr, std::move(arguments)));
  RootInstance root{scope, first_step, 0, {}};
  MAYFLY_TRY(export_root(root));
  root.last_step = static_cast<uint32_t>(modules_.plan().steps.size());
  roots_.push_back(std::move(root));
  return static_cast<uint32_t>(roots_.size() - 1);
}

Result<const Scope*> ComponentLinker::instantiate_component(
    const ComponentFile& file, uint32_t number, const Scope* parent, const Scope* outer,
    std::map<std::string, Item, std::less<>> arguments) {
  if (graph_.scopes().size() >= kInstancesMax || depth_ >= kDepthMax) {
    return limit("the component makes over " + std::to_string(kInstancesMax) +
                 " instances, or over " + std::to_string(kDepthMax) + " inside each other");
  }
  Scope& scope = graph_.add_scope();
  scope.parent = parent;
  scope.outer = outer;
  scope.file = &file;
  scope.number = number;
  scope.arguments = std::move(arguments);
  scope.core_steps.assign(scope.def().core_instances.size(), component::kNoIndex);
  scope.instances.assign(scope.def().instances.size(), nullptr);
  define_resources(scope);
  ++depth_;
  for (const Step& step : scope.def().steps) MAYFLY_TRY(run_step(scope, step));
  --depth_;
  return &scope;
}

void ComponentLinker::define_resources(Scope& scope) {
  for (const component::Entry& entry : scope.def().space(Space::kType)) {
    if (entry.origin != component::Entry::Origin::kDefined || entry.is_module_type) continue;
    const TypeId type = scope.types().resolve(TypeId{entry.type});
    if (scope.types().kind(type) != TypeKind::kResource) continue;
    if (scope.types().resource_info(type).component != scope.number) continue;
    scope.own_resources.emplace(type, graph_.add_resource(&scope, type));
  }
}

Result<void> ComponentLinker::run_step(Scope& scope, const Step& step) {
  switch (step.kind) {
    case Step::Kind::kCoreInstance:
      return make_core_instance(scope, step.number);
    case Step::Kind::kInstance:
      return make_instance(scope, step.number);
    case Step::Kind::kStart:
      break;
  }
  return unsupported("start functions of components are not part of WASI 0.2's component model");
}

Result<void> ComponentLinker::make_core_instance(Scope& scope, uint32_t number) {
  const component::CoreInstanceDef& def = scope.def().core_instances[number];
  const Item module = MAYFLY_TRY(graph_.resolve(scope, {Space::kCoreModule, *def.module}));
  if (module.is_of_host()) return unsupported("a core module cannot be imported from the host");
  const component::Entry& entry = module.scope->def().space(Space::kCoreModule)[module.index];
  if (modules_.plan().steps.size() >= kStepsMax) {
    return limit("the component makes over " + std::to_string(kStepsMax) + " core instances");
  }
  const uint32_t module_number = modules_.add_core_module(*module.scope->file, entry.a);
  std::map<std::string_view, uint32_t> arguments;
  for (const NamedIndex& argument : def.arguments) {
    arguments.emplace(text(scope, argument.name), argument.item.index);
  }
  std::vector<CoreItem> items;
  for (const wasm::Import& import : modules_.core_module(module_number).imports) {
    const auto argument = arguments.find(import.module);
    if (argument == arguments.end()) {
      return link_error("a core module lacks its argument \"" + import.module + "\"");
    }
    items.push_back(MAYFLY_TRY(
        graph_.find_core_export(scope, argument->second, import.name, import.kind, modules_)));
  }
  MAYFLY_TRY(make_canons(items));
  std::vector<Binding> bindings;
  for (const CoreItem& item : items) {
    Binding binding;
    binding.definition = MAYFLY_TRY(definition(item));
    bindings.push_back(std::move(binding));
  }
  std::string name = scope.file->name + " instance " + std::to_string(number);
  scope.core_steps[number] = modules_.add_step(module_number, std::move(name), std::move(bindings));
  return {};
}

Result<void> ComponentLinker::make_instance(Scope& scope, uint32_t number) {
  const component::InstanceDef& def = scope.def().instances[number];
  const Item component = MAYFLY_TRY(graph_.resolve(scope, {Space::kComponent, *def.component}));
  if (component.is_of_host()) return unsupported("a component cannot be imported from the host");
  const component::Entry& entry = component.scope->def().space(Space::kComponent)[component.index];
  std::map<std::string, Item, std::less<>> arguments;
  for (const NamedIndex& argument : def.arguments) {
    arguments.emplace(text(scope, argument.name), MAYFLY_TRY(graph_.resolve(scope, argument.item)));
  }
  scope.instances[number] = MAYFLY_TRY(instantiate_component(
      *component.scope->file, entry.a, &scope, component.scope, std::move(arguments)));
  return {};
}

Result<Item> ComponentLinker::provide(Scope& importer, std::string_view name, EntityType type) {
  if (type.sort != Sort::kInstance) return provide_item(importer, "$root", name, type);
  HostItem instance{std::string(name), "", &importer, type, {}, {}};
  for (const component::Declaration& declaration :
       importer.types().instance(type.type()).exports.items()) {
    const std::string_view item_name = text(importer, declaration.name);
    if (declaration.type.sort == Sort::kType &&
        importer.types().kind(declaration.type.type()) != TypeKind::kResource) {
      continue;
    }
    const Item item =
        MAYFLY_TRY(provide_item(importer, instance.module, item_name, declaration.type));
    instance.exports.emplace(item_name, item.index);
  }
  return Item{nullptr, Space::kInstance, graph_.add_host_item(std::move(instance))};
}

Result<Item> ComponentLinker::provide_item(Scope& importer, const std::string& module,
                                           std::string_view name, EntityType type) {
  if (type.sort != Sort::kFunc && type.sort != Sort::kType) {
    return unsupported("import \"" + module + "\" \"" + std::string(name) + "\" is a " +
                       std::string(to_string(type.sort)) +
                       ": the host provides functions and resources");
  }
  HostItem item{module, std::string(name), &importer, type, {}, {}};
  if (type.sort == Sort::kFunc) {
    return Item{nullptr, Space::kFunc, graph_.add_host_item(std::move(item))};
  }
  // One resource may have many names: what is equal to another shares its number.
  auto& known = importer.own_resources;
  const TypeId node = importer.types().resolve(type.type());
  const auto found = known.find(node);
  item.resource = found != known.end() ? found->second : graph_.add_resource(nullptr, node);
  known.emplace(node, item.resource);
  host_resources_.push_back({item.module, item.name, item.resource.number});
  const uint32_t number = graph_.add_host_item(std::move(item));
  resource_items_.emplace(graph_.host_item(number).resource.number, number);
  return Item{nullptr, Space::kType, number};
}

Result<void> ComponentLinker::export_root(RootInstance& root) {
  AdapterModule adapters;
  const Scope& scope = *root.scope;
  for (const component::ExportDef& item : scope.def().exports) {
    const std::string name(text(scope, item.name));
    if (item.item.space != Space::kFunc && item.item.space != Space::kType &&
        item.item.space != Space::kInstance) {
      continue;
    }
    const Item found = MAYFLY_TRY(graph_.resolve(scope, item.item));
    if (found.space != Space::kInstance) {
      MAYFLY_TRY(export_item(root, adapters, "", name, found));
      continue;
    }
    for (const std::string& inner : graph_.export_names(found)) {
      const Item inner_item = MAYFLY_TRY(graph_.find_export(found, inner));
      MAYFLY_TRY(export_item(root, adapters, name, inner, inner_item));
    }
  }
  if (root.exports.empty()) return {};
  const uint32_t step = modules_.add_generated(adapters.finish(), scope.file->name + " exports");
  for (ComponentExport& item : root.exports) item.step = step;
  return {};
}

PlanModules ComponentLinker::finish() {
  modules_.set_state_module(state_module(static_cast<uint32_t>(graph_.scopes().size())));
  return std::move(modules_);
}

}  // namespace mayfly::linker
