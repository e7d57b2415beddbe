// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Two passes: names and instances first, all into one plan; then the image, and the commands one
// after the other.
#include "runtime/component_script.h"

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "component/component.h"
#include "linker/component_linker.h"
#include "linker/state_module.h"
#include "runtime/build.h"
#include "runtime/component_call.h"
#include "runtime/component_script_value.h"
#include "runtime/image_runner.h"
#include "runtime/printable.h"
#include "wasm/module.h"

namespace mayfly::runtime {
namespace {

using linker::ComponentFile;
using linker::ComponentLinker;
using Kind = WastCommand::Kind;
using Verdict = PlannedCommand::Verdict;
using FilePtr = std::shared_ptr<const ComponentFile>;

constexpr std::chrono::minutes kScriptTimeMax{5};

PlannedCommand passed() { return {Verdict::kPassed, "", 0}; }
PlannedCommand failed(std::string why) { return {Verdict::kFailed, std::move(why), 0}; }

// Instances that cannot be planned or compiled, by the command that makes them.
using Refused = std::map<size_t, Error>;

// What Mayfly does not have is no failure of the script's.
PlannedCommand verdict_of(const Error& error) {
  const bool is_missing = error.kind == ErrorKind::kUnsupported;
  return {is_missing ? Verdict::kSkipped : Verdict::kFailed, error.message, 0};
}

struct ScriptPlan {
  std::vector<PlannedCommand> commands;  // kRun: step is the number of a root instance
  std::map<size_t, FilePtr> files;       // of the commands that make instances
  std::unique_ptr<ComponentLinker> linker = std::make_unique<ComponentLinker>();
  std::optional<size_t> broken;  // the command that made the linker useless
  Error why_broken;
};

class ScriptPlanner {
 public:
  ScriptPlanner(const ModuleReader& read, const Refused& refused)
      : read_(read), refused_(refused) {}

  ScriptPlan plan(const WastScript& script) {
    for (size_t i = 0; i < script.commands.size() && !plan_.broken; ++i) {
      auto planned = plan_command(script.commands[i], i);
      plan_.commands.push_back(planned ? std::move(*planned) : verdict_of(planned.error()));
    }
    return std::move(plan_);
  }

 private:
  Result<PlannedCommand> plan_command(const WastCommand& command, size_t number) {
    switch (command.kind) {
      case Kind::kAssertInvalid:
        return plan_invalid(command);
      case Kind::kModule:
      case Kind::kModuleDefinition:
        return define(command, number);
      case Kind::kAssertUninstantiable: {
        const FilePtr file = MAYFLY_TRY(load(command.filename));
        return instantiate(file, number);
      }
      case Kind::kModuleInstance: {
        const auto found = definitions_.find(command.module.value_or(""));
        if (found == definitions_.end()) return invalid("there is no such definition");
        forget(command.instance);
        return remember(command.instance, MAYFLY_TRY(instantiate(found->second, number)));
      }
      case Kind::kAction:
      case Kind::kAssertReturn:
      case Kind::kAssertTrap: {
        const std::string name = command.action.module.value_or("");
        if (const auto found = instances_.find(name); found != instances_.end()) {
          return PlannedCommand{Verdict::kRun, "", found->second};
        }
        const auto skipped = skipped_.find(name);
        return skipped != skipped_.end() ? skipped->second : invalid("there is no such instance");
      }
      default:
        return invalid("this command is not known");
    }
  }

  Result<PlannedCommand> plan_invalid(const WastCommand& command) {
    if (command.filename.empty()) {
      return PlannedCommand{Verdict::kSkipped, "the module is in the text format", 0};
    }
    const auto bytes = MAYFLY_TRY(read_(command.filename));
    const bool is_valid = component::is_component(bytes) ? component::decode(bytes).has_value()
                                                         : wasm::decode(bytes).has_value();
    return is_valid ? failed("accepted, but expected: " + command.text) : passed();
  }

  Result<FilePtr> load(const std::string& filename) {
    auto file = std::make_shared<ComponentFile>();
    file->name = filename;
    file->bytes = MAYFLY_TRY(read_(filename));
    if (!component::is_component(file->bytes)) {
      MAYFLY_TRY(wasm::decode(file->bytes));
      return FilePtr();
    }
    file->component = MAYFLY_TRY(component::decode(file->bytes));
    return FilePtr(std::move(file));
  }

  Result<PlannedCommand> define(const WastCommand& command, size_t number) {
    forget(command.name);
    const FilePtr file = MAYFLY_TRY(load(command.filename));
    definitions_[""] = file;
    if (command.name) definitions_[*command.name] = file;
    if (command.kind == Kind::kModuleDefinition || file == nullptr) return passed();
    return remember(command.name, MAYFLY_TRY(instantiate(file, number)));
  }

  void forget(const std::optional<std::string>& name) {
    for (const std::string& gone : {std::string(), name.value_or("")}) {
      instances_.erase(gone);
      skipped_.erase(gone);
    }
  }

  PlannedCommand remember(const std::optional<std::string>& name, PlannedCommand planned) {
    for (const std::string& known : {std::string(), name.value_or("")}) {
      if (planned.verdict == Verdict::kRun) instances_[known] = planned.step;
      if (planned.verdict == Verdict::kSkipped) skipped_[known] = unsupported(planned.reason);
    }
    return planned;
  }

  Result<PlannedCommand> instantiate(const FilePtr& file, size_t number) {
    if (file == nullptr) return invalid("a core module among components");
    if (const auto found = refused_.find(number); found != refused_.end()) {
      return verdict_of(found->second);
    }
    plan_.files[number] = file;
    const auto made = plan_.linker->instantiate(*file, instances_);
    if (made) return PlannedCommand{Verdict::kRun, "", *made};
    plan_.broken = number;
    plan_.why_broken = made.error();
    return made.error();
  }

  const ModuleReader& read_;
  const Refused& refused_;
  ScriptPlan plan_;
  std::map<std::string, FilePtr> definitions_;
  std::map<std::string, uint32_t> instances_;
  std::map<std::string, Error> skipped_;  // instances that are not there, with the reason
};

struct Prepared {
  ScriptPlan plan;
  std::unique_ptr<image::Image> image;
};

Result<std::unique_ptr<image::Image>> build(ScriptPlan& plan, const image::BuildOptions& options) {
  linker::PlanModules modules = plan.linker->finish();
  const image::BuildRequest request{options, std::move(modules.bytes()), std::move(modules.names()),
                                    std::move(modules.plan())};
  Built built = MAYFLY_TRY(build_image(request));
  return image::Image::open(std::move(built.image));
}

// What can be planned and compiled: one component after the other is left out until the rest is.
Result<Prepared> prepare(const WastScript& script, const image::BuildOptions& options,
                         const ModuleReader& read) {
  Refused refused;
  while (true) {
    Prepared prepared{ScriptPlanner(read, refused).plan(script), nullptr};
    ScriptPlan& plan = prepared.plan;
    if (plan.broken) {
      refused.emplace(*plan.broken, plan.why_broken);
      continue;
    }
    auto image = build(plan, options);
    if (image) {
      prepared.image = std::move(*image);
      return prepared;
    }
    // The compiler's message names the instance, which is named by its file.
    const size_t known = refused.size();
    for (const auto& [number, file] : plan.files) {
      if (image.error().message.find("'" + file->name + " ") == std::string::npos) continue;
      refused.emplace(number, image.error());
    }
    if (refused.size() == known) return image.error();
  }
}

class ScriptRun {
 public:
  ScriptRun(ImageRunner& runner, const ComponentLinker& linker)
      : runner_(runner), linker_(linker) {}

  Result<PlannedCommand> run(const WastCommand& command, uint32_t instance) {
    const linker::RootInstance& root = linker_.root(instance);
    if (command.kind == Kind::kModule || command.kind == Kind::kModuleInstance ||
        command.kind == Kind::kAssertUninstantiable) {
      return instantiate(command, root);
    }
    for (const linker::ComponentExport& item : root.exports) {
      if (item.export_name == command.action.field) return call(command, item);
    }
    return invalid("no such export: " + printable(command.action.field));
  }

 private:
  Result<PlannedCommand> instantiate(const WastCommand& command, const linker::RootInstance& root) {
    const bool must_fail = command.kind == Kind::kAssertUninstantiable;
    for (uint32_t step = root.first_step; step < root.last_step; ++step) {
      const StepOutcome outcome = MAYFLY_TRY(runner_.run_step(step));
      if (outcome.kind == StepOutcome::Kind::kInstantiated) continue;
      return must_fail && outcome.kind == StepOutcome::Kind::kStopped
                 ? passed()
                 : failed("expected an instance, got " + to_string(outcome));
    }
    return must_fail ? failed("instantiated, but expected: " + command.text) : passed();
  }

  Result<PlannedCommand> call(const WastCommand& command, const linker::ComponentExport& function) {
    const component::TypeArena& types = function.file->component.types;
    const auto params = types.params(function.type);
    const auto arguments =
        MAYFLY_TRY(parse_script_values(command.action.component_arguments, types, params));
    const ComponentOutcome outcome =
        MAYFLY_TRY(call_component(runner_, function, arguments, linker::kTransferFirst));
    if (command.kind == Kind::kAssertTrap) {
      if (outcome.call.kind == CallOutcome::Kind::kTrapped) return passed();
      return failed("expected a trap: " + command.text + ", got " + to_string(outcome.call));
    }
    if (!outcome.call.returned())
      return failed("expected a return, got " + to_string(outcome.call));
    if (command.kind == Kind::kAction) return passed();
    return compare(command, function, outcome.value);
  }

  static Result<PlannedCommand> compare(const WastCommand& command,
                                        const linker::ComponentExport& function,
                                        const std::optional<ComponentValue>& value) {
    const component::TypeArena& types = function.file->component.types;
    std::vector<component::Member> members;
    if (types.result(function.type).exists()) {
      members.push_back({component::StringId{component::kNoIndex}, types.result(function.type)});
    }
    const auto expected = parse_script_values(command.component_expected, types, members);
    if (!expected) return failed("result: " + expected.error().message);
    if (expected->size() != (value ? 1u : 0u)) return failed("another number of results");
    if (value && !(expected->front() == *value)) {
      return failed("another result than " + command.component_expected);
    }
    return passed();
  }

  ImageRunner& runner_;
  const ComponentLinker& linker_;
};

}  // namespace

bool is_component_script(const WastScript& script, const ModuleReader& read) {
  for (const WastCommand& command : script.commands) {
    if (command.filename.empty()) continue;
    const auto bytes = read(command.filename);
    if (bytes && component::is_component(*bytes)) return true;
  }
  return false;
}

Result<std::vector<PlannedCommand>> run_component_script(const WastScript& script,
                                                         const image::BuildOptions& options,
                                                         const ModuleReader& read,
                                                         vmm::Host& host) {
  Prepared prepared = MAYFLY_TRY(prepare(script, options, read));
  ScriptPlan& plan = prepared.plan;
  RunnerOptions runner_options;
  runner_options.ports.limits.memory_bytes_max = UINT64_MAX;
  runner_options.ports.deadline = std::chrono::steady_clock::now() + kScriptTimeMax;
  const auto runner = MAYFLY_TRY(ImageRunner::create(host, *prepared.image, runner_options));
  MAYFLY_TRY(runner->run_step(0));
  ScriptRun run(*runner, *plan.linker);
  for (size_t i = 0; i < script.commands.size(); ++i) {
    PlannedCommand& command = plan.commands[i];
    if (command.verdict != Verdict::kRun) continue;
    auto verdict = run.run(script.commands[i], command.step);
    command = verdict ? std::move(*verdict) : failed(verdict.error().message);
  }
  return std::move(plan.commands);
}

}  // namespace mayfly::runtime
