// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Follows the script's names: the current instance, named instances and definitions, registered
// module names. Modules with the same bytes are one module of the request.
#include "runtime/wast_plan.h"

#include <algorithm>
#include <set>
#include <span>
#include <utility>

#include "component/component.h"
#include "runtime/spectest_module.h"
#include "wasm/module.h"

namespace mayfly::runtime {
namespace {

constexpr const char* kSpectest = "spectest";

class Planner {
 public:
  Planner(const image::BuildOptions& options, const ModuleReader& read,
          const std::map<std::string, std::string>& refused)
      : read_(read), refused_(refused), builder_(GuestLibrary{.wasi = false, .bench = false}) {
    plan_.request.options = options;
    decode_options_.features = options.features;
  }

  void add(const WastCommand& command) {
    auto planned = plan(command);
    if (planned) {
      plan_.commands.push_back(std::move(*planned));
    } else {
      plan_.commands.push_back({Verdict::kFailed, std::move(planned).error().message, 0});
    }
  }

  WastPlan take() {
    plan_.request.plan = builder_.take_plan();
    return std::move(plan_);
  }

 private:
  using Verdict = PlannedCommand::Verdict;
  using Planned = Result<PlannedCommand>;

  Planned plan(const WastCommand& command);
  Planned plan_module(const WastCommand& command);
  Planned plan_definition(const WastCommand& command);
  Planned plan_instance(const WastCommand& command);
  Planned plan_register(const WastCommand& command);
  Planned plan_invalid(const WastCommand& command);
  Planned plan_unlinkable(const WastCommand& command);

  // Components are decoded and validated; nothing runs them.
  static PlannedCommand skipped_component() {
    return {Verdict::kSkipped, "components do not run yet", 0};
  }
  Planned plan_component(const WastCommand& command, std::span<const uint8_t> bytes);
  bool is_of_component(const WastCommand& command) const;

  // A number in modules_.
  Result<uint32_t> load(const std::string& filename);
  Result<uint32_t> add_module(std::string name, std::vector<uint8_t> bytes);
  Result<void> provide_spectest(const wasm::Module& module);
  Result<uint32_t> instantiate(uint32_t module, const WastCommand& command);
  Result<uint32_t> find_instance(const std::optional<std::string>& name) const;

  const ModuleReader& read_;
  const std::map<std::string, std::string>& refused_;
  PlanBuilder builder_;
  wasm::DecodeOptions decode_options_;
  WastPlan plan_;
  std::deque<wasm::Module> modules_;
  std::map<std::vector<uint8_t>, uint32_t> by_bytes_;
  std::optional<uint32_t> current_;
  std::map<std::string, std::optional<uint32_t>> instances_;
  std::optional<uint32_t> last_definition_;
  std::map<std::string, uint32_t> definitions_;
  // Names of definitions and instances that are components; the empty name is the last one.
  std::set<std::string> component_definitions_;
  std::set<std::string> component_instances_;
};

// Whether the command acts on an instance, or instantiates a definition, that is a component.
bool Planner::is_of_component(const WastCommand& command) const {
  using Kind = WastCommand::Kind;
  switch (command.kind) {
    case Kind::kModuleInstance:
      return component_definitions_.contains(command.module.value_or(""));
    case Kind::kAction:
    case Kind::kAssertReturn:
    case Kind::kAssertTrap:
    case Kind::kAssertException:
      return component_instances_.contains(command.action.module.value_or(""));
    default:
      return false;
  }
}

Planner::Planned Planner::plan_component(const WastCommand& command,
                                         std::span<const uint8_t> bytes) {
  const auto component = component::decode(bytes);
  if (command.kind == WastCommand::Kind::kAssertInvalid) {
    if (component) return invalid("accepted, but expected: " + command.text);
    return PlannedCommand{Verdict::kPassed, "", 0};
  }
  if (!component) return component.error();
  const bool is_definition = command.kind == WastCommand::Kind::kModuleDefinition;
  auto& names = is_definition ? component_definitions_ : component_instances_;
  names.insert("");
  if (command.name) names.insert(*command.name);
  if (is_definition) return PlannedCommand{Verdict::kPassed, "", 0};
  component_definitions_.insert("");
  if (command.name) component_definitions_.insert(*command.name);
  return skipped_component();
}

Result<uint32_t> Planner::load(const std::string& filename) {
  if (filename.empty()) return unsupported("the module is in the text format");
  auto bytes = MAYFLY_TRY(read_(filename));
  return add_module(filename, std::move(bytes));
}

Result<uint32_t> Planner::add_module(std::string name, std::vector<uint8_t> bytes) {
  if (const auto known = by_bytes_.find(bytes); known != by_bytes_.end()) return known->second;
  auto module = MAYFLY_TRY(wasm::decode(bytes, decode_options_));
  modules_.push_back(std::move(module));
  const uint32_t number = builder_.add_module(modules_.back());
  plan_.request.modules.push_back(bytes);
  plan_.request.module_names.push_back(std::move(name));
  by_bytes_[std::move(bytes)] = number;
  return number;
}

Result<void> Planner::provide_spectest(const wasm::Module& module) {
  const bool wanted = std::ranges::any_of(
      module.imports, [](const wasm::Import& import) { return import.module == kSpectest; });
  if (!wanted || plan_.spectest) return {};
  const uint32_t number =
      MAYFLY_TRY(add_module(kSpectest, spectest_module(decode_options_.features)));
  plan_.spectest = MAYFLY_TRY(builder_.instantiate(number, kSpectest));
  builder_.register_instance(kSpectest, *plan_.spectest);
  return {};
}

Result<uint32_t> Planner::instantiate(uint32_t module, const WastCommand& command) {
  const std::string name = plan_.request.module_names[module];
  if (const auto refused = refused_.find(name); refused != refused_.end()) {
    return unsupported(refused->second);
  }
  MAYFLY_TRY(provide_spectest(modules_[module]));
  return builder_.instantiate(module, command.name.value_or(name));
}

Result<uint32_t> Planner::find_instance(const std::optional<std::string>& name) const {
  if (!name) {
    if (!current_) return invalid("there is no current instance");
    return *current_;
  }
  const auto found = instances_.find(*name);
  if (found == instances_.end() || !found->second) {
    return invalid("there is no instance " + *name);
  }
  return *found->second;
}

Planner::Planned Planner::plan(const WastCommand& command) {
  using Kind = WastCommand::Kind;
  if (!command.filename.empty()) {
    const auto bytes = MAYFLY_TRY(read_(command.filename));
    if (component::is_component(bytes)) return plan_component(command, bytes);
  } else if (is_of_component(command)) {
    if (command.kind == Kind::kModuleInstance) {
      component_instances_.insert("");
      if (command.instance) component_instances_.insert(*command.instance);
    }
    return skipped_component();
  }
  if (!command.problem.empty()) return invalid(command.problem);
  switch (command.kind) {
    case Kind::kModule:
      return plan_module(command);
    case Kind::kModuleDefinition:
      return plan_definition(command);
    case Kind::kModuleInstance:
      return plan_instance(command);
    case Kind::kRegister:
      return plan_register(command);
    case Kind::kAssertInvalid:
      return plan_invalid(command);
    case Kind::kAssertUnlinkable:
    case Kind::kAssertUninstantiable:
      return plan_unlinkable(command);
    case Kind::kAction:
    case Kind::kAssertReturn:
    case Kind::kAssertTrap:
    case Kind::kAssertException:
      return PlannedCommand{Verdict::kRun, "", MAYFLY_TRY(find_instance(command.action.module))};
    case Kind::kOther:
      break;
  }
  return invalid("this command is not known");
}

Planner::Planned Planner::plan_module(const WastCommand& command) {
  component_instances_.erase("");
  component_definitions_.erase("");
  current_.reset();
  if (command.name) instances_[*command.name].reset();
  const uint32_t module = MAYFLY_TRY(load(command.filename));
  last_definition_ = module;
  if (command.name) definitions_[*command.name] = module;
  const uint32_t step = MAYFLY_TRY(instantiate(module, command));
  current_ = step;
  if (command.name) instances_[*command.name] = step;
  return PlannedCommand{Verdict::kRun, "", step};
}

Planner::Planned Planner::plan_definition(const WastCommand& command) {
  component_definitions_.erase("");
  last_definition_.reset();
  const uint32_t module = MAYFLY_TRY(load(command.filename));
  last_definition_ = module;
  if (command.name) definitions_[*command.name] = module;
  return PlannedCommand{Verdict::kPassed, "", 0};
}

Planner::Planned Planner::plan_instance(const WastCommand& command) {
  component_instances_.erase("");
  current_.reset();
  std::optional<uint32_t> module = last_definition_;
  if (command.module) {
    const auto found = definitions_.find(*command.module);
    if (found != definitions_.end()) module = found->second;
  }
  if (!module) return invalid("there is no such definition");
  const uint32_t step = MAYFLY_TRY(instantiate(*module, command));
  current_ = step;
  if (command.instance) instances_[*command.instance] = step;
  return PlannedCommand{Verdict::kRun, "", step};
}

Planner::Planned Planner::plan_register(const WastCommand& command) {
  builder_.register_instance(command.as, MAYFLY_TRY(find_instance(command.name)));
  return PlannedCommand{Verdict::kPassed, "", 0};
}

Planner::Planned Planner::plan_invalid(const WastCommand& command) {
  if (command.filename.empty()) {
    return PlannedCommand{Verdict::kSkipped, "the module is in the text format", 0};
  }
  const auto bytes = MAYFLY_TRY(read_(command.filename));
  if (!wasm::decode(bytes, decode_options_)) return PlannedCommand{Verdict::kPassed, "", 0};
  return invalid("accepted, but expected: " + command.text);
}

Planner::Planned Planner::plan_unlinkable(const WastCommand& command) {
  const uint32_t module = MAYFLY_TRY(load(command.filename));
  const auto step = instantiate(module, command);
  if (step) return PlannedCommand{Verdict::kRun, "", *step};
  const bool wanted = command.kind == WastCommand::Kind::kAssertUnlinkable &&
                      step.error().kind == ErrorKind::kLink &&
                      step.error().message.starts_with(command.text);
  if (wanted) return PlannedCommand{Verdict::kPassed, "", 0};
  return step.error();
}

}  // namespace

WastPlan plan_wast(const WastScript& script, const image::BuildOptions& options,
                   const ModuleReader& read, const std::map<std::string, std::string>& refused) {
  Planner planner(options, read, refused);
  for (const WastCommand& command : script.commands) planner.add(command);
  return planner.take();
}

}  // namespace mayfly::runtime
