// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The linker says which functions it wants of the host; each is bound to what was defined under its
// name, or under that of a compatible version.
#include "runtime/linked_component.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "component/flatten.h"
#include "component/host_values.h"
#include "component/names.h"
#include "component/shape.h"
#include "component/type_text.h"
#include "linker/state_module.h"
#include "runtime/component_call.h"
#include "runtime/printable.h"
#include "runtime/sandbox_state.h"

namespace mayfly::runtime {
namespace {

using linker::ComponentExport;
using linker::ComponentImport;

constexpr std::string_view kRoot = "$root";  // the linker's name for no interface
constexpr std::string_view kDrop = "[resource-drop]";

// "ns:pkg/interface" and what is behind the '@'.
std::pair<std::string_view, std::string_view> split_version(std::string_view interface) {
  const size_t at = interface.find('@');
  if (at == std::string_view::npos) return {interface, {}};
  return {interface.substr(0, at), interface.substr(at + 1)};
}

bool is_compatible(std::string_view a, std::string_view b) {
  if (a == b) return true;
  const auto [a_name, a_version] = split_version(a);
  const auto [b_name, b_version] = split_version(b);
  if (a_name != b_name || a_version.empty() || b_version.empty()) return false;
  const auto first = component::parse_semver(a_version);
  const auto second = component::parse_semver(b_version);
  return first && second && component::is_compatible(*first, *second);
}

const HostDefinition* find_definition(const LinkRequest& request, std::string_view interface,
                                      std::string_view name) {
  if (interface == kRoot) interface = "";
  const HostDefinition* found = nullptr;
  for (const HostDefinition& function : request.functions) {
    if (function.of_components.call == nullptr || function.name != name) continue;
    if (function.module == interface) return &function;
    if (found == nullptr && is_compatible(function.module, interface)) found = &function;
  }
  return found;
}

std::string full_name(std::string_view interface, std::string_view name) {
  if (interface.empty() || interface == kRoot) return printable(name);
  return printable(interface) + "#" + printable(name);
}

std::string describe(const ComponentImport& import) {
  std::string name = full_name(import.interface, import.name);
  if (import.type == component::TypeId{component::kNoIndex}) return name;
  return name + ": " + component::function_text(import.file->component.types, import.type);
}

// A destructor takes the number that the host gave to the resource.
bool is_destructor(const ComponentSignature& signature) {
  return signature.result == nullptr && signature.params.size() == 1 &&
         signature.params[0]->kind == ComponentKind::kU32;
}

uint32_t number_of(std::span<const linker::ResourceUse> uses, component::TypeId type) {
  const auto found = std::ranges::find(uses, type, &linker::ResourceUse::type);
  return found == uses.end() ? 0 : found->number;
}

bool is_bound(std::span<const BoundResource> resources, uint32_t number,
              const detail::ResourceKind* kind) {
  return std::ranges::any_of(resources, [&](const BoundResource& resource) {
    return resource.number == number && resource.kind == kind;
  });
}

// Dynamic functions are called with whatever the import's types are.
bool has_type_of(const HostDefinition& definition, const ComponentImport& import,
                 std::span<const BoundResource> resources) {
  const ComponentSignature* signature = definition.of_components.signature;
  if (signature == nullptr) return true;
  if (import.type == component::TypeId{component::kNoIndex}) return is_destructor(*signature);
  return component::has_signature(import.file->component.types, import.type, *signature,
                                  [&](component::TypeId type, const ComponentShape& shape) {
                                    return shape.host_resource != nullptr &&
                                           is_bound(resources, number_of(import.resources, type),
                                                    shape.host_resource);
                                  });
}

std::vector<BoundResource> bind_resources(const LinkRequest& request,
                                          std::span<const linker::HostResource> resources) {
  std::vector<BoundResource> bound;
  for (const linker::HostResource& resource : resources) {
    const HostDefinition* found =
        find_definition(request, resource.interface, std::string(kDrop) + resource.name);
    if (found == nullptr || found->of_components.resource == nullptr) continue;
    bound.push_back({resource.number, found->of_components.resource});
  }
  return bound;
}

void set_params(BoundHostFunction& function) {
  if (function.type == component::TypeId{component::kNoIndex}) return;
  const component::TypeArena& types = function.file->component.types;
  for (const component::Member& param : types.params(function.type)) {
    function.params.push_back(param.type);
  }
  const size_t flat = component::tuple_layout(types, function.params).flat.size();
  function.flat_params = flat > component::kMaxFlatParams ? 1 : static_cast<uint32_t>(flat);
}

Result<std::vector<detail::HostFunction>> bind_functions(
    const LinkRequest& request, const std::shared_ptr<const linker::ComponentFile>& file,
    std::span<const ComponentImport> imports, std::span<const BoundResource> resources,
    const image::Plan& plan) {
  std::vector<detail::HostFunction> bound;
  std::string missing;
  std::string wrong;
  for (size_t i = 0; i < imports.size(); ++i) {
    const ComponentImport& import = imports[i];
    const HostDefinition* found = find_definition(request, import.interface, import.name);
    if (found == nullptr && !import.name.starts_with(kDrop)) {
      missing += (missing.empty() ? "" : "; ") + describe(import);
      continue;
    }
    if (found != nullptr && !has_type_of(*found, import, resources)) {
      wrong += (wrong.empty() ? "" : "; ") + describe(import) + ", but was defined as " +
               to_string(*found->of_components.signature);
      continue;
    }
    auto callable = std::make_shared<BoundHostFunction>();
    callable->file = file;
    callable->type = import.type;
    callable->name = full_name(import.interface, import.name);
    set_params(*callable);
    if (found != nullptr) callable->function = found->of_components;
    bound.push_back({std::move(callable), &BoundHostFunction::call,
                     function_type_of(plan.host_functions[i].type), detail::HostMode::kOnCaller});
  }
  if (missing.empty() && wrong.empty()) return bound;
  if (!missing.empty()) missing.insert(0, "nothing defines these imports: ");
  if (!wrong.empty()) wrong.insert(0, "these imports are of another type: ");
  return link_error(printable(file->name) + ": " + missing +
                    (missing.empty() || wrong.empty() ? "" : "; ") + wrong);
}

bool uses_wasi(const image::Plan& plan) {
  return std::ranges::any_of(plan.steps, [](const image::InstanceStep& step) {
    return std::ranges::any_of(step.imports, [](const image::Binding& binding) {
      return binding.symbol.starts_with("mayfly_wasi2_");
    });
  });
}

// What decides the image: the host functions' types follow from the component.
std::string key_of(const LinkRequest& request, const image::Plan& plan) {
  std::string key = "component" + std::string(request.wasi ? "|wasi|" : "||") +
                    std::to_string(request.instances.back().program->number());
  for (const image::HostFunction& function : plan.host_functions) {
    key += "|" + std::to_string(function.module.size()) + ":" + function.module +
           std::to_string(function.name.size()) + ":" + function.name;
  }
  return key;
}

struct PlannedComponent {
  linker::PlanModules modules;
  std::vector<ComponentExport> exports;
  std::vector<BoundResource> resources;
};

// Everything but the image.
Result<PlannedComponent> plan_component(const LinkRequest& request, LinkedProgram& linked) {
  const ProgramState& program = *request.instances.back().program;
  const auto& file = program.component();
  linker::ComponentLinkOptions options;
  options.wasi = request.wasi;
  options.is_defined = [&](std::string_view interface, std::string_view name) {
    return find_definition(request, interface, name) != nullptr;
  };
  linker::ComponentLinker linker(options);
  auto made = linker.instantiate(*file, {});
  if (!made) return with_context(printable(program.name()), std::move(made).error());
  PlannedComponent planned{
      {}, linker.root(*made).exports, bind_resources(request, linker.host_resources())};
  planned.modules = linker.finish();
  linked.functions = MAYFLY_TRY(
      bind_functions(request, file, linker.imports(), planned.resources, planned.modules.plan()));
  return planned;
}

// Precondition: linked.image is there. Errors: kInvalid when it is not that of the exports.
Result<void> find_targets(const LinkRequest& request, std::span<const ComponentExport> exports,
                          std::vector<BoundResource> resources, LinkedProgram& linked) {
  auto component = std::make_shared<LinkedComponent>();
  component->file = request.instances.back().program->component();
  component->transfer = MAYFLY_TRY(TransferPlace::find(*linked.image));
  component->resources = std::move(resources);
  component->exports.reserve(exports.size());
  for (const ComponentExport& item : exports) {
    component->exports.push_back(MAYFLY_TRY(ComponentTarget::find(*linked.image, item)));
  }
  linked.component = std::move(component);
  return {};
}

bool is_of_component(const image::Image& image) {
  const auto& instances = image.instances();
  return !instances.empty() && instances.front().name == linker::kStateName;
}

}  // namespace

Result<std::shared_ptr<const LinkedProgram>> link_component(EngineState& engine,
                                                            const LinkRequest& request) {
  auto linked = std::make_shared<LinkedProgram>();
  image::BuildRequest build;
  std::vector<ComponentExport> exports;
  std::vector<BoundResource> resources;
  build.options = engine.config().options;
  {
    const TraceSpan span(engine, "link");
    PlannedComponent planned = MAYFLY_TRY(plan_component(request, *linked));
    build.modules = std::move(planned.modules.bytes());
    build.module_names = std::move(planned.modules.names());
    build.plan = std::move(planned.modules.plan());
    exports = std::move(planned.exports);
    resources = std::move(planned.resources);
  }
  linked->main = static_cast<uint32_t>(build.plan.steps.size() - 1);
  linked->uses_wasi = uses_wasi(build.plan);
  linked->image = MAYFLY_TRY(build_image_for(engine, key_of(request, build.plan), build));
  MAYFLY_TRY(find_targets(request, exports, std::move(resources), *linked));
  return std::shared_ptr<const LinkedProgram>(std::move(linked));
}

Result<void> bind_component(const LinkRequest& request, LinkedProgram& linked) {
  PlannedComponent planned = MAYFLY_TRY(plan_component(request, linked));
  const image::Plan& plan = planned.modules.plan();
  const image::Image& image = *linked.image;
  const bool same_functions = std::ranges::equal(
      image.host_functions(), plan.host_functions, [](const auto& a, const auto& b) {
        return a.module == b.module && a.name == b.name && a.type == b.type;
      });
  if (same_functions && is_of_component(image) && image.instances().size() == plan.steps.size() &&
      find_targets(request, planned.exports, std::move(planned.resources), linked)) {
    return {};
  }
  return link_error("it is not of the component " +
                    printable(request.instances.back().program->name()));
}

Result<void> check_types_known(const image::Image& image) {
  if (!is_of_component(image) || image.host_functions().empty()) return {};
  const image::HostFunction& first = image.host_functions().front();
  return link_error("it is of a component, which alone knows the types of what it imports, " +
                    full_name(first.module, first.name) + " and the like");
}

const ComponentTarget* find_component_export(const LinkedComponent& component,
                                             std::string_view name) {
  const size_t hash = name.find('#');
  const std::string_view interface = hash == std::string_view::npos ? "" : name.substr(0, hash);
  const std::string_view function = hash == std::string_view::npos ? name : name.substr(hash + 1);
  const ComponentTarget* found = nullptr;
  for (const ComponentTarget& item : component.exports) {
    if (item.function.name != function) continue;
    if (item.function.interface == interface) return &item;
    if (found == nullptr && is_compatible(item.function.interface, interface)) found = &item;
  }
  return found;
}

const ComponentTarget* find_resource_drop(const LinkedComponent& component,
                                          const wit::Resource& resource) {
  const ComponentTarget* found = nullptr;
  for (const ComponentTarget& item : component.exports) {
    const std::string_view name = item.function.name;
    if (!item.is_drop() || !name.starts_with(kDrop)) continue;
    if (name.substr(kDrop.size()) != resource.name) continue;
    if (item.function.interface == resource.interface) return &item;
    if (found == nullptr && is_compatible(item.function.interface, resource.interface)) {
      found = &item;
    }
  }
  return found;
}

bool has_signature(const LinkedComponent& component, const ComponentTarget& target,
                   const ComponentSignature& signature) {
  if (target.is_drop()) return false;
  const linker::ComponentExport& function = target.function;
  return component::has_signature(
      function.file->component.types, function.type, signature,
      [&](component::TypeId type, const ComponentShape& shape) {
        const uint32_t number = number_of(function.resources, type);
        if (shape.guest_resource == nullptr) {
          return is_bound(component.resources, number, shape.host_resource);
        }
        const ComponentTarget* drop = find_resource_drop(component, *shape.guest_resource);
        return drop != nullptr && drop->function.dropped == number;
      });
}

Error no_component_export(const LinkedComponent& component, std::string_view name) {
  constexpr size_t kNamesMax = 20;
  std::string names;
  for (size_t i = 0; i < component.exports.size() && i < kNamesMax; ++i) {
    const ComponentExport& item = component.exports[i].function;
    names += (i == 0 ? "" : ", ") + full_name(item.interface, item.name);
  }
  if (component.exports.size() > kNamesMax) {
    names += " and " + std::to_string(component.exports.size() - kNamesMax) + " more";
  }
  return invalid("the component exports no function \"" + printable(name) + "\"; it has " +
                 (names.empty() ? "none" : names));
}

// The first slot is where the component has no values of its own any more.
bool BoundHostFunction::call(void* callable, Caller& caller, detail::Slot* slots) {
  const auto& self = *static_cast<const BoundHostFunction*>(callable);
  if (self.function.call == nullptr) return true;
  SandboxState& state = *caller.state();
  const uint32_t outer = state.exchange_transfer_top(static_cast<uint32_t>(slots[0].low));
  detail::HostTransfer transfer(state, self, slots);
  const bool ok = self.function.call(self.function.callable.get(), caller, transfer);
  state.exchange_transfer_top(outer);
  return ok;
}

}  // namespace mayfly::runtime
