// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Functions are found by as much of their interface's name as tells them apart.
#include "cli/component_link.h"

#include <algorithm>
#include <utility>

#include "cli/output.h"
#include "component/component.h"
#include "component/wave.h"
#include "linker/guest_functions.h"
#include "runtime/printable.h"

namespace mayfly::cli {
namespace {

using linker::ComponentExport;

constexpr size_t kNamesMax = 10;
constexpr size_t kMissingMax = 100;

// Why nothing provides an import, and what would.
std::string advice_on(const linker::ComponentImport& import) {
  const std::string_view interface = import.interface;
  if (interface == "bench") return "--bench provides it";
  if (linker::is_wasi2_interface(interface)) return "the interface has no such function here";
  const std::string plain(interface.substr(0, interface.find('@')));
  if (linker::is_wasi2_interface(plain + "@0.2.0")) return "provided is version 0.2";
  return "an embedder's function, which no flag grants";
}

// Nobody provides functions for a program that a command runs. Each that is missing is a line.
Result<void> check_imports(const std::string& file, const linker::ComponentLinker& linker) {
  const auto& imports = linker.imports();
  if (imports.empty()) return {};
  std::vector<std::string> lines;
  lines.reserve(imports.size() + 1);
  for (const linker::ComponentImport& import : imports) {
    lines.push_back("mayfly: missing: " + runtime::printable(import.interface) + " " +
                    runtime::printable(import.name) + ": " + advice_on(import) + "\n");
  }
  std::ranges::sort(lines);
  const size_t count = lines.size();
  if (count > kMissingMax) {
    lines.resize(kMissingMax);
    lines.push_back("mayfly: missing: " + std::to_string(count - kMissingMax) + " more\n");
  }
  for (const std::string& line : lines) print_error(line);
  return link_error(file + ": nothing provides " + std::to_string(count) +
                    " of its imports; --trap-missing runs it without them");
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
