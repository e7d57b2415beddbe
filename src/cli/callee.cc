// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Names and arguments against the exports of the program, which is the last instance.
#include "cli/callee.h"

#include <optional>

#include "linker/state_module.h"
#include "runtime/image_origin.h"

namespace mayfly::cli {
namespace {

std::string exported_functions(const image::ImageInstance& instance) {
  std::string names;
  for (const image::ImageExport& item : instance.exports) {
    if (item.kind == wasm::ExternKind::kFunc) names += (names.empty() ? "" : ", ") + item.name;
  }
  return names.empty() ? "it exports none" : "it exports " + names;
}

// What a component for the command line exports.
bool is_command_of_component(const std::string& name) {
  return name.starts_with("wasi:cli/run@0.2.") && name.ends_with("#run");
}

// `run: func() -> result`, by its adapter: free transfer memory in, whether it is an error out.
std::optional<Callee> find_component_command(const image::ImageInstance& program) {
  for (const image::ImageExport& item : program.exports) {
    if (item.kind != wasm::ExternKind::kFunc || !is_command_of_component(item.name)) continue;
    const wasm::FuncType run{{wasm::kI32}, {wasm::kI32}};
    if (!(item.func.type == run)) continue;
    Callee callee{&item.func, {runtime::Value::i32(linker::kTransferFirst)}};
    callee.is_command_of_component = true;
    return callee;
  }
  return std::nullopt;
}

}  // namespace

Result<Callee> find_callee(const std::string& file, const image::Image& image,
                           const std::string& invoke) {
  runtime::Invocation invocation{"_start", {}};
  if (!invoke.empty()) invocation = MAYFLY_TRY(runtime::parse_invocation(invoke));
  const image::ImageInstance& program = image.instances().back();
  if (invoke.empty()) {
    if (auto command = find_component_command(program)) return std::move(*command);
  }
  for (const image::ImageExport& item : program.exports) {
    if (item.kind != wasm::ExternKind::kFunc || item.name != invocation.name) continue;
    return Callee{&item.func, MAYFLY_TRY(runtime::parse_arguments(invocation, item.func.type))};
  }
  const std::string list = exported_functions(program);
  if (invoke.empty()) {
    return invalid(file + ": no function _start to run; " + list + ": choose one with --invoke");
  }
  return invalid(file + ": no function " + invocation.name + " to call; " + list);
}

Result<void> check_trust(const std::string& file, const Program& program, bool is_trusted,
                         const vmm::Host& host) {
  if (program.origin == Origin::kCompiled || is_trusted) return {};
  if (program.file != nullptr) {
    if (host.driver() != vmm::Driver::kProcess) return {};
    const auto checked = program.file->check_origin();
    if (checked) return {};
    return unsupported(file + ": the process driver runs snapshots that this installation made: " +
                       checked.error().message + "; --trust-image if it is yours, or --driver kvm");
  }
  const auto may = runtime::check_may_run(*program.image, host.driver());
  if (may) return {};
  return unsupported(file + ": " + may.error().message +
                     "; --trust-image if it is yours, or --driver kvm");
}

}  // namespace mayfly::cli
