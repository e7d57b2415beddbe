// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Functions are found by as much of their interface's name as tells them apart.
#include "cli/component_link.h"

#include <utility>

#include "component/component.h"
#include "component/wave.h"
#include "runtime/printable.h"

namespace mayfly::cli {
namespace {

using linker::ComponentExport;

constexpr size_t kNamesMax = 10;

// Nobody provides functions for a program that a command runs.
Result<void> check_imports(const std::string& file, const linker::ComponentLinker& linker) {
  const auto& imports = linker.imports();
  if (imports.empty()) return {};
  std::string names;
  for (size_t i = 0; i < imports.size() && i < kNamesMax; ++i) {
    names += (i == 0 ? " " : ", ") + runtime::printable(imports[i].interface) + " " +
             runtime::printable(imports[i].name);
  }
  if (imports.size() > kNamesMax) {
    names += " and " + std::to_string(imports.size() - kNamesMax) + " more";
  }
  return link_error(file + ": nothing provides these imports:" + names +
                    "; --trap-missing runs it without them");
}

// "ns:pkg/iface@1.0.0" by that, without its version, or as "iface".
bool is_named(const std::string& interface, const std::string& wanted) {
  if (interface == wanted) return true;
  const std::string plain = interface.substr(0, interface.find('@'));
  if (plain == wanted) return true;
  const size_t slash = plain.find('/');
  return slash != std::string::npos && plain.substr(slash + 1) == wanted;
}

bool is_function(const ComponentExport& item) {
  return item.type != component::TypeId{component::kNoIndex};
}

std::string name_of(const ComponentExport& item) {
  return item.interface.empty() ? item.name : item.interface + "." + item.name;
}

std::string exported_functions(const std::vector<ComponentExport>& exports) {
  std::string names;
  size_t count = 0;
  for (const ComponentExport& item : exports) {
    if (!is_function(item) || ++count > kNamesMax) continue;
    names += (names.empty() ? "" : ", ") + runtime::printable(name_of(item));
  }
  if (count > kNamesMax) names += " and " + std::to_string(count - kNamesMax) + " more";
  return names.empty() ? "it exports none" : "it exports " + names;
}

Result<const ComponentExport*> find_function(const std::string& file,
                                             const std::vector<ComponentExport>& exports,
                                             const component::WaveCall& call) {
  const ComponentExport* found = nullptr;
  for (const ComponentExport& item : exports) {
    if (!is_function(item) || item.name != call.function) continue;
    if (item.interface == call.interface) return &item;
    if (!call.interface.empty() && !is_named(item.interface, call.interface)) continue;
    if (found != nullptr) {
      return invalid(file + ": " + runtime::printable(call.function) + " could be " +
                     runtime::printable(name_of(*found)) + " or " +
                     runtime::printable(name_of(item)));
    }
    found = &item;
  }
  if (found != nullptr) return found;
  return invalid(file + ": no function " + runtime::printable(call.function) + " to call; " +
                 exported_functions(exports));
}

}  // namespace

Result<std::unique_ptr<LinkedComponent>> link_component(const std::string& file, std::string name,
                                                        std::vector<uint8_t> bytes,
                                                        const CompileOptions& options) {
  auto linked = std::make_unique<LinkedComponent>();
  linked->file.name = std::move(name);
  linked->file.bytes = std::move(bytes);
  auto component = component::decode(linked->file.bytes);
  if (!component) return with_context(file, std::move(component).error());
  linked->file.component = std::move(*component);
  linked->linker = std::make_unique<linker::ComponentLinker>(linker::ComponentLinkOptions{
      .wasi = true, .bench = options.bench, .trap_missing = options.trap_missing});
  const auto made = linked->linker->instantiate(linked->file, {});
  if (!made) return with_context(file, made.error());
  MAYFLY_TRY(check_imports(file, *linked->linker));
  return linked;
}

Result<ComponentCall> find_component_call(const std::string& file,
                                          std::unique_ptr<LinkedComponent> component,
                                          const std::string& invoke) {
  const component::WaveCall wave = MAYFLY_TRY(component::parse_wave_call(invoke));
  ComponentCall call{std::move(component), nullptr, {}};
  call.function = MAYFLY_TRY(find_function(file, call.component->exports(), wave));
  const component::TypeArena& types = call.function->file->component.types;
  auto arguments = component::parse_wave_arguments(types, types.params(call.function->type), wave);
  if (!arguments) return with_context("--invoke", std::move(arguments).error());
  call.arguments = std::move(*arguments);
  return call;
}

}  // namespace mayfly::cli
