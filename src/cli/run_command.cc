// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// mayfly run: a program in a VM of its own, to its end. mayfly snapshot: up to its first call, or
// through one, to a file.
#include <sys/types.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/callee.h"
#include "cli/component_link.h"
#include "cli/driver.h"
#include "cli/grants.h"
#include "cli/interrupt.h"
#include "cli/jail.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/program.h"
#include "linker/state_module.h"
#include "runtime/component_call.h"
#include "runtime/image_runner.h"
#include "runtime/printable.h"
#include "runtime/snapshot_save.h"
#include "runtime/value.h"
#include "wasi/context.h"
#include "wasi/trace.h"

namespace mayfly::cli {
namespace {

using runtime::CallOutcome;
using runtime::ImageRunner;

constexpr uint32_t kExitCodeMax = 255;

uint64_t used_fuel(const RunOptions& options, const ImageRunner& runner) {
  return options.fuel.value_or(0) - static_cast<uint64_t>(runner.fuel());
}

// The exit code of a call that ended, and what there is to say about it.
int finish(const RunOptions& options, const ImageRunner& runner, const CallOutcome& outcome) {
  const auto& names = runner.image().module_names();
  const std::string said =
      "mayfly: " + runtime::printable(options.file) + ": " + to_string(outcome);
  switch (outcome.kind) {
    case CallOutcome::Kind::kReturned: {
      std::string lines;
      for (const runtime::Value& value : outcome.values) lines += to_string(value) + "\n";
      return print(lines);
    }
    case CallOutcome::Kind::kExited:
      return static_cast<int>(std::min(outcome.exit_code, kExitCodeMax));
    case CallOutcome::Kind::kTrapped:
      print_error(said + "\n" + to_string(outcome.trap.backtrace, names));
      return kExitTrap;
    case CallOutcome::Kind::kCancelled:
      return kExitSignal;  // run() knows which signal it was
    case CallOutcome::Kind::kDeadline:
      print_error(said + "\n" + to_string(outcome.stopped, names));
      return kExitDeadline;
    case CallOutcome::Kind::kOutOfFuel:
      print_error("mayfly: " + options.file + ": " + to_string(outcome) + " after " +
                  std::to_string(used_fuel(options, runner)) + " units\n" +
                  to_string(outcome.stopped, names));
      return kExitOutOfFuel;
    case CallOutcome::Kind::kOutOfMemory:
    case CallOutcome::Kind::kLimit:
    case CallOutcome::Kind::kBroken:
      break;
  }
  print_error(said + "\n");
  return kExitTrap;
}

// Steps in order; the first that fails ends the run.
Result<runtime::StepOutcome> instantiate(ImageRunner& runner) {
  runtime::StepOutcome outcome;
  for (uint32_t step = 0; step < runner.image().instances().size(); ++step) {
    outcome = MAYFLY_TRY(runner.run_step(step));
    if (outcome.kind != runtime::StepOutcome::Kind::kInstantiated) break;
  }
  return outcome;
}

// A reactor (a library with an initializer of its own) is made ready before its first call.
Result<CallOutcome> initialize_reactor(ImageRunner& runner) {
  const auto main = static_cast<uint32_t>(runner.image().instances().size() - 1);
  const image::ImageExport* found = runner.find_export(main, "_initialize");
  if (found == nullptr || found->kind != wasm::ExternKind::kFunc ||
      !found->func.type.params.empty()) {
    return CallOutcome{};
  }
  return runner.call(found->func, {});
}

// As it is after its start, or as it was saved.
Result<CallOutcome> start_program(const RunOptions& options, ImageRunner& runner) {
  const runtime::StepOutcome started = MAYFLY_TRY(instantiate(runner));
  if (started.kind == runtime::StepOutcome::Kind::kStopped) return started.call;
  if (started.kind != runtime::StepOutcome::Kind::kInstantiated) {
    return link_error(options.file + ": " + started.message);
  }
  const bool is_command = options.invoke.empty() && options.save_to.empty();
  return is_command ? CallOutcome{} : initialize_reactor(runner);
}

Result<void> save_program(const RunOptions& options, ImageRunner& runner) {
  const auto snapshot = MAYFLY_TRY(runner.snapshot());
  const auto main = static_cast<uint32_t>(runner.image().instances().size() - 1);
  return runtime::save_snapshot(*snapshot, {&runner.image(), main, true}, options.save_to);
}

// As a program that exits with 0 or 1.
CallOutcome end_of_command(const CallOutcome& returned) {
  CallOutcome outcome;
  outcome.kind = CallOutcome::Kind::kExited;
  outcome.exit_code = returned.values[0].bits.low != 0 ? 1 : 0;
  return outcome;
}

// What of the program is called; nothing: the state after the start is saved.
struct Target {
  Callee callee;
  std::optional<ComponentCall> component;  // instead, with --invoke
};

Result<Target> find_target(const RunOptions& options, const ImageRunner& runner) {
  Target target;
  if (!options.save_to.empty() && options.invoke.empty()) return target;
  if (!options.invoke.empty()) {
    Input input = MAYFLY_TRY(open_input(options.file, Components::kTaken));
    if (input.kind == FileKind::kComponent) {
      auto bytes = MAYFLY_TRY(read_module(options.file, input.file));
      auto component =
          MAYFLY_TRY(link_component(options.file, options.file, std::move(bytes), options.compile));
      target.component =
          MAYFLY_TRY(find_component_call(options.file, std::move(component), options.invoke));
      return target;
    }
  }
  target.callee = MAYFLY_TRY(find_callee(options.file, runner.image(), options.invoke));
  return target;
}

// Prints the result in WAVE.
Result<CallOutcome> call_component(const Target& target, ImageRunner& runner) {
  runtime::ComponentOutcome outcome = MAYFLY_TRY(runtime::call_component(
      runner, *target.component->function, target.component->arguments, linker::kTransferFirst));
  if (outcome.value) (void)print(to_string(*outcome.value) + "\n");
  return std::move(outcome.call);
}

Result<int> call_program(const RunOptions& options, const Program& program, ImageRunner& runner,
                         Timings& timings) {
  const Target target = MAYFLY_TRY(find_target(options, runner));
  const Callee& callee = target.callee;
  if (program.snapshot != nullptr) {
    const auto restored = runner.restore(program.snapshot);
    if (!restored) return with_context(options.file, restored.error());
  }
  if (options.jail) MAYFLY_TRY(jail_calls(has_network(options)));
  if (options.timeout) {
    runner.set_deadline(std::chrono::steady_clock::now() + *options.timeout);
  }
  if (options.fuel) MAYFLY_TRY(runner.set_fuel(*options.fuel));
  CallOutcome outcome;
  if (program.snapshot == nullptr) outcome = MAYFLY_TRY(start_program(options, runner));
  timings.mark(program.snapshot == nullptr ? "instantiate" : "restore");
  if (!outcome.returned()) return finish(options, runner, outcome);
  if (target.component) {
    outcome = MAYFLY_TRY(call_component(target, runner));
  } else if (callee.function != nullptr) {
    outcome = MAYFLY_TRY(runner.call(*callee.function, callee.arguments));
  }
  if (callee.is_command_of_component && outcome.returned()) outcome = end_of_command(outcome);
  timings.mark("run");
  const int code = finish(options, runner, outcome);
  if (options.save_to.empty()) return code;
  if (outcome.kind == CallOutcome::Kind::kExited) {
    print_error("mayfly: " + runtime::printable(options.file) +
                ": it exited, so there is no state to save\n");
    return code == kExitOk ? kExitBadInput : code;
  }
  if (code != kExitOk || !outcome.returned()) return code;
  MAYFLY_TRY(save_program(options, runner));
  timings.mark("save");
  return code;
}

// The runner, and what stands between it and the host.
struct Ports {
  std::unique_ptr<wasi::Context> wasi;
  std::unique_ptr<wasi::Trace> trace;

  runtime::PortHandler* handler() const {
    return trace != nullptr ? static_cast<runtime::PortHandler*>(trace.get()) : wasi.get();
  }
};

Result<Ports> make_ports(const RunOptions& options) {
  Grants grants = MAYFLY_TRY(grants_of(options));
  if (options.cache.verbose) grants.config.denied = &print_error;
  Ports ports;
  ports.wasi = MAYFLY_TRY(wasi::Context::create(grants.config));
  if (options.trace_ports) ports.trace = std::make_unique<wasi::Trace>(*ports.wasi, &print_error);
  return ports;
}

Result<void> enter_jail(const RunOptions& options, wasi::Context& wasi) {
  std::vector<JailPath> paths = jail_paths(options);
  for (const int directory : wasi.memory_directories()) {
    paths.push_back({"/proc/self/fd/" + std::to_string(directory), JailAccess::kReadWrite});
  }
  return jail_files(paths);
}

Result<int> run(const RunOptions& options) {
  Timings timings;
  const Program program =
      MAYFLY_TRY(load_program(options.file, options.compile, options.cache, timings));
  // Before a driver starts threads, which inherit what is blocked.
  const auto interrupt = MAYFLY_TRY(Interrupt::create());
  const OpenedHost opened = MAYFLY_TRY(open_host(options.driver));
  MAYFLY_TRY(check_trust(options.file, program, options.trust_image, *opened.host));
  if (options.verify && program.file != nullptr) {
    const auto verified = program.file->verify();
    if (!verified) return with_context(options.file, verified.error());
  }
  timings.mark("driver");
  const Ports ports = MAYFLY_TRY(make_ports(options));
  if (options.jail) MAYFLY_TRY(enter_jail(options, *ports.wasi));
  runtime::RunnerOptions runner_options;
  runner_options.ports.handler = ports.handler();
  runner_options.ports.cancel_fd = interrupt->cancel_fd();
  runner_options.ports.limits.memory_bytes_max = options.memory_bytes_max;
  if (program.snapshot != nullptr || !options.save_to.empty()) {
    runner_options.tracking = vmm::Tracking::kOn;
  }
  const auto runner = MAYFLY_TRY(ImageRunner::create(*opened.host, *program.image, runner_options));
  timings.mark("vm");
  const std::function<void()> cancel = [&runner] { runner->cancel(); };
  const InterruptWatch watch(*interrupt, cancel);
  int code = MAYFLY_TRY(call_program(options, program, *runner, timings));
  if (const auto signal = interrupt->signal()) code = kExitSignal + *signal;
  if (const auto time = runner->ports().bench_time(); time && options.compile.bench) {
    print_error("bench_ns " + std::to_string(time->count()) + "\n");
  }
  if (options.timings && options.fuel) {
    print_error("fuel: " + std::to_string(used_fuel(options, *runner)) + " units used\n");
  }
  if (options.timings) print_error(timings.line());
  return code;
}

}  // namespace

int run_command(const RunOptions& options) {
  const auto code = run(options);
  return code ? *code : report(code.error());
}

}  // namespace mayfly::cli
