// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A command that fails is a line of the report; the script goes on, with whatever state it has.
#include "runtime/wast_runner.h"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "base/fd.h"
#include "image/image.h"
#include "runtime/build.h"
#include "runtime/component_script.h"
#include "runtime/image_runner.h"
#include "runtime/printable.h"
#include "runtime/wast_plan.h"
#include "runtime/wast_script.h"

namespace mayfly::runtime {
namespace {

constexpr uint64_t kFileBytesMax = uint64_t{256} << 20;
// A script that does not end is a defect: no script of the suite takes a tenth of this.
constexpr std::chrono::minutes kScriptTimeMax{5};

// nullopt: as the script wants it; else what was wrong.
using Problem = std::optional<std::string>;

Problem wrong_outcome(const WastCommand& command, const CallOutcome& outcome) {
  return "expected " + (command.text.empty() ? std::string("a return") : command.text) + ", got " +
         to_string(outcome);
}

// The script's text may be longer ("uninitialized element 2") or shorter than ours.
bool text_matches(const std::string& wanted, const std::string& actual) {
  return actual.starts_with(wanted) || wanted.starts_with(actual);
}

bool trapped_as(const WastCommand& command, const CallOutcome& outcome) {
  return outcome.kind == CallOutcome::Kind::kTrapped &&
         text_matches(command.text, outcome.trap.message);
}

Problem compare_values(const WastCommand& command, const std::vector<Value>& values) {
  if (values.size() != command.expected.size()) {
    return "expected " + std::to_string(command.expected.size()) + " results, got " +
           std::to_string(values.size());
  }
  for (size_t i = 0; i < values.size(); ++i) {
    if (matches(command.expected[i], values[i])) continue;
    return "result " + std::to_string(i) + ": expected " + to_string(command.expected[i]) +
           ", got " + wasm::to_string(values[i].type) + " " + to_string(values[i]);
  }
  return std::nullopt;
}

class ScriptRun {
 public:
  explicit ScriptRun(ImageRunner& runner) : runner_(runner) {}

  Result<Problem> run(const WastCommand& command, uint32_t step) {
    using Kind = WastCommand::Kind;
    switch (command.kind) {
      case Kind::kModule:
      case Kind::kModuleInstance:
      case Kind::kAssertUnlinkable:
      case Kind::kAssertUninstantiable:
        return instantiate(command, step);
      case Kind::kAction:
      case Kind::kAssertReturn:
      case Kind::kAssertTrap:
      case Kind::kAssertException:
        break;
      default:
        return Problem("this command does not run");
    }
    const CallOutcome outcome = MAYFLY_TRY(act(command.action, step));
    return judge(command, outcome);
  }

 private:
  static Problem judge(const WastCommand& command, const CallOutcome& outcome) {
    using Kind = WastCommand::Kind;
    if (command.kind == Kind::kAssertTrap) {
      if (trapped_as(command, outcome)) return std::nullopt;
      return wrong_outcome(command, outcome);
    }
    if (command.kind == Kind::kAssertException) {
      return "expected an uncaught exception, got " + to_string(outcome);
    }
    if (!outcome.returned()) return wrong_outcome(command, outcome);
    if (command.kind == Kind::kAction) return std::nullopt;
    return compare_values(command, outcome.values);
  }

  Result<Problem> instantiate(const WastCommand& command, uint32_t step) {
    const StepOutcome outcome = MAYFLY_TRY(runner_.run_step(step));
    bool as_wanted = outcome.kind == StepOutcome::Kind::kInstantiated;
    if (command.kind == WastCommand::Kind::kAssertUnlinkable) {
      as_wanted = outcome.kind == StepOutcome::Kind::kUnlinkable &&
                  text_matches(command.text, outcome.message);
    }
    if (command.kind == WastCommand::Kind::kAssertUninstantiable) {
      as_wanted = outcome.kind == StepOutcome::Kind::kStopped && trapped_as(command, outcome.call);
    }
    if (as_wanted) return Problem();
    return Problem("expected " + (command.text.empty() ? "an instance" : command.text) + ", got " +
                   to_string(outcome));
  }

  Result<CallOutcome> act(const WastAction& action, uint32_t step) {
    const image::ImageExport* item = runner_.find_export(step, action.field);
    const auto wanted =
        action.kind == WastAction::Kind::kGet ? wasm::ExternKind::kGlobal : wasm::ExternKind::kFunc;
    if (item == nullptr || item->kind != wanted) {
      return invalid("no such export: " + printable(action.field));
    }
    if (action.kind == WastAction::Kind::kInvoke) return runner_.call(item->func, action.arguments);
    CallOutcome outcome;
    outcome.values.push_back(MAYFLY_TRY(runner_.read_global(item->global)));
    return outcome;
  }

  ImageRunner& runner_;
};

class Report {
 public:
  explicit Report(std::string source) : source_(std::move(source)) {}

  void add(const WastCommand& command, const PlannedCommand& verdict) {
    switch (verdict.verdict) {
      case PlannedCommand::Verdict::kPassed:
        return passed(command);
      case PlannedCommand::Verdict::kSkipped:
        return skipped(verdict.reason);
      case PlannedCommand::Verdict::kFailed:
      case PlannedCommand::Verdict::kRun:
        return failed(command, verdict.reason);
    }
  }
  void passed(const WastCommand& command) { report_.passed += is_assertion(command.kind) ? 1 : 0; }
  void skipped(const std::string& why) {
    ++report_.skipped;
    ++report_.skips[why];
  }
  void failed(const WastCommand& command, const std::string& why) {
    ++report_.failed;
    std::string line = source_ + ":" + std::to_string(command.line) + ": " + command.type;
    if (!command.action.field.empty()) line += " " + printable(command.action.field);
    report_.failures.push_back(line + ": " + printable(why));
  }
  WastReport& values() { return report_; }

 private:
  std::string source_;
  WastReport report_;
};

// The module that the compiler's message names, if any: "NAME: ..." or "... 'NAME' ...".
std::optional<std::string> blamed_module(const WastPlan& plan, const Error& error) {
  for (const std::string& name : plan.request.module_names) {
    if (error.message.starts_with(name + ":") ||
        error.message.find("'" + name + "'") != std::string::npos) {
      return name;
    }
  }
  return std::nullopt;
}

struct Prepared {
  WastPlan plan;
  std::unique_ptr<image::Image> image;
  std::string problem;  // no image
};

// The script's image from options.images_folder, or made now.
Result<Fd> image_of(const WastPlan& plan, const WastOptions& options, const std::string& path) {
  if (options.images == WastOptions::Images::kUse) {
    return open_file(path, O_RDONLY | O_CLOEXEC);
  }
  Built built = MAYFLY_TRY(build_image(plan.request));
  if (options.images == WastOptions::Images::kSave) {
    if (::lseek(built.image.get(), 0, SEEK_SET) != 0) return host_error("lseek");
    const auto bytes = MAYFLY_TRY(read_whole(built.image.get(), kFileBytesMax));
    const Fd file = MAYFLY_TRY(open_file(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
    MAYFLY_TRY(write_whole(file.get(), bytes));
  }
  return std::move(built.image);
}

// Plans and builds; modules that the compiler refuses are left out, one after the other.
Prepared prepare(const WastScript& script, const WastOptions& options, const std::string& path,
                 const ModuleReader& read, WastReport& report) {
  std::map<std::string, std::string> refused;
  Prepared prepared;
  while (true) {
    const auto started = std::chrono::steady_clock::now();
    prepared.plan = plan_wast(script, options.build, read, refused);
    const auto planned = std::chrono::steady_clock::now();
    report.plan_time += planned - started;
    if (prepared.plan.request.plan.steps.empty()) return prepared;
    auto file = image_of(prepared.plan, options, path);
    report.build_time += std::chrono::steady_clock::now() - planned;
    if (!file) {
      const auto blamed = blamed_module(prepared.plan, file.error());
      if (blamed && refused.emplace(*blamed, file.error().message).second) continue;
      prepared.problem = file.error().message;
      return prepared;
    }
    auto image = image::Image::open(std::move(*file));
    if (image) {
      prepared.image = std::move(*image);
    } else {
      prepared.problem = image.error().message;
    }
    return prepared;
  }
}

Result<std::unique_ptr<ImageRunner>> start(Prepared& prepared, vmm::Host& host) {
  if (prepared.image == nullptr) {
    return invalid(prepared.problem.empty() ? "nothing to run" : prepared.problem);
  }
  RunnerOptions options;
  options.ports.limits.memory_bytes_max = UINT64_MAX;
  options.ports.deadline = std::chrono::steady_clock::now() + kScriptTimeMax;
  auto runner = MAYFLY_TRY(ImageRunner::create(host, *prepared.image, options));
  if (prepared.plan.spectest) MAYFLY_TRY(runner->run_step(*prepared.plan.spectest));
  return runner;
}

void run_commands(const WastScript& script, Prepared& prepared, vmm::Host& host, Report& report) {
  const auto runner = start(prepared, host);
  for (size_t i = 0; i < script.commands.size(); ++i) {
    const WastCommand& command = script.commands[i];
    const PlannedCommand& planned = prepared.plan.commands[i];
    if (planned.verdict != PlannedCommand::Verdict::kRun) {
      report.add(command, planned);
      continue;
    }
    if (!runner) {
      report.failed(command, runner.error().message);
      continue;
    }
    const auto problem = ScriptRun(**runner).run(command, planned.step);
    if (!problem) {
      report.failed(command, problem.error().message);
    } else if (problem->has_value()) {
      report.failed(command, **problem);
    } else {
      report.passed(command);
    }
  }
}

}  // namespace

Result<WastReport> run_wast(const std::string& path, vmm::Host& host, const WastOptions& options) {
  const auto json = MAYFLY_TRY(read_file(path, kFileBytesMax));
  auto script = parse_wast_script(json);
  if (!script) return with_context(path, std::move(script).error());
  const auto folder = std::filesystem::path(path).parent_path();
  const ModuleReader read = [&folder](const std::string& filename) {
    return read_file(folder / filename, kFileBytesMax);
  };
  Report report(script->source.empty() ? path : script->source);
  if (is_component_script(*script, read)) {
    const auto verdicts = MAYFLY_TRY(run_component_script(*script, options.build, read, host));
    for (size_t i = 0; i < verdicts.size(); ++i) report.add(script->commands[i], verdicts[i]);
    return std::move(report.values());
  }
  const auto name = std::filesystem::path(path).stem().string() + ".image";
  Prepared prepared = prepare(*script, options, std::filesystem::path(options.images_folder) / name,
                              read, report.values());
  const auto started = std::chrono::steady_clock::now();
  run_commands(*script, prepared, host, report);
  report.values().run_time = std::chrono::steady_clock::now() - started;
  return std::move(report.values());
}

}  // namespace mayfly::runtime
