// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Imports and exports by name and sort; their types are what --wit is for.
#include "cli/inspect_component.h"

#include <nlohmann/json.hpp>

#include "cli/capabilities.h"
#include "component/wit_decode.h"
#include "component/wit_printer.h"

namespace mayfly::cli {
namespace {

using nlohmann::json;

template <typename Items>
json externs(const component::Component& component, const Items& items) {
  json list = json::array();
  for (const auto& item : items) {
    list.push_back({{"name", std::string(component.types.text(item.name))},
                    {"kind", std::string(to_string(item.type.sort))}});
  }
  return list;
}

json could_ask_for(const component::Component& component) {
  std::vector<std::string> interfaces;
  for (const component::ImportDef& import : component.root().imports) {
    if (import.type.sort == component::Sort::kType) continue;
    interfaces.emplace_back(component.types.text(import.name));
  }
  return capabilities_of_interfaces(interfaces);
}

}  // namespace

json describe_component(const component::Component& component) {
  const component::ComponentDef& root = component.root();
  uint64_t module_bytes = 0;
  for (const component::CoreModuleDef& module : component.modules) {
    module_bytes += module.bytes.size;
  }
  return {{"format", "component"},
          {"bytes", root.bytes.size},
          {"is_wit_package", component::wit::is_package(component)},
          {"modules", component.modules.size()},
          {"module_bytes", module_bytes},
          {"components", component.components.size() - 1},
          {"imports", externs(component, root.imports)},
          {"exports", externs(component, root.exports)},
          {"could_ask_for", could_ask_for(component)}};
}

Result<std::string> component_wit(const component::Component& component) {
  const component::wit::Decoded decoded = MAYFLY_TRY(component::wit::decode_component(component));
  return component::wit::print_package(decoded.model, decoded.root);
}

}  // namespace mayfly::cli
