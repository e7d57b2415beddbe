// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Opening the driver, and reading programs.
#include "mayfly/engine.h"

#include <fcntl.h>

#include <cstdlib>
#include <utility>

#include "api/find_compiler.h"
#include "api/moved_from.h"
#include "base/fd.h"
#include "base/result.h"
#include "runtime/engine_state.h"
#include "runtime/printable.h"
#include "runtime/program_state.h"

namespace mayfly {
namespace {

constexpr uint64_t kFileBytesMax = uint64_t{1} << 30;

Result<void> check(const EngineOptions& options) {
  if (options.compile_time_max.count() <= 0) {
    return invalid("EngineOptions::compile_time_max is " +
                   std::to_string(options.compile_time_max.count()) + " ms, but has to be over 0");
  }
  constexpr uint32_t kThreadsMax = 1000;
  if (options.blocking_threads_max < 1 || options.blocking_threads_max > kThreadsMax) {
    return invalid("EngineOptions::blocking_threads_max is " +
                   std::to_string(options.blocking_threads_max) + ", but has to be from 1 to " +
                   std::to_string(kThreadsMax));
  }
  return {};
}

Result<std::unique_ptr<vmm::Host>> open_host(Driver driver, std::string& why) {
  switch (driver) {
    case Driver::kAuto:
      return vmm::Host::open_best(&why);
    case Driver::kKvm:
      why = "kvm: asked for";
      return vmm::Host::open(vmm::Driver::kKvm);
    case Driver::kProcess:
      why = "process: asked for";
      return vmm::Host::open(vmm::Driver::kProcess);
  }
  return invalid("no driver " + std::to_string(static_cast<int>(driver)));
}

std::string compiler_path(const EngineOptions& options) {
  if (!options.compiler.empty() || std::getenv("MAYFLY_COMPILER") != nullptr) {
    return options.compiler;
  }
  return api::find_compiler();
}

}  // namespace

std::string_view to_string(Driver driver) {
  switch (driver) {
    case Driver::kAuto:
      return "auto";
    case Driver::kKvm:
      return "kvm";
    case Driver::kProcess:
      return "process";
  }
  return "?";
}

Engine::Engine(std::shared_ptr<runtime::EngineState> state) : state_(std::move(state)) {}

Result<Engine> Engine::create(const EngineOptions& options) {
  MAYFLY_TRY(check(options));
  runtime::EngineConfig config;
  config.host = MAYFLY_TRY(open_host(options.driver, config.why));
  config.build.compiler = compiler_path(options);
  config.build.time_max = options.compile_time_max;
  config.options.opt_level =
      options.optimize == Optimize::kFast ? image::OptLevel::kO1 : image::OptLevel::kO2;
  config.options.fuel = options.count_fuel;
  config.blocking_threads_max = options.blocking_threads_max;
  config.measures_time = options.measure_time;
  config.trace = options.trace;
  return Engine(MAYFLY_TRY(runtime::EngineState::create(std::move(config))));
}

Result<Program> Engine::load(std::string_view path) const {
  if (state_ == nullptr) return api::moved_from("engine");
  const std::string file(path);
  Fd input(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!input.valid()) return host_error(runtime::printable(path));
  auto bytes = read_whole(input.get(), kFileBytesMax);
  if (!bytes) return with_context(runtime::printable(path), std::move(bytes).error());
  return load(*bytes, file.substr(file.rfind('/') + 1));
}

Result<Program> Engine::load(std::span<const uint8_t> bytes, std::string name) const {
  if (state_ == nullptr) return api::moved_from("engine");
  const runtime::TraceSpan span(*state_, "decode");
  ++state_->counters().programs;
  return Program(MAYFLY_TRY(runtime::ProgramState::create(
      std::move(name), {bytes.begin(), bytes.end()}, state_->next_program_number())));
}

Driver Engine::driver() const {
  if (state_ == nullptr) return Driver::kAuto;
  return state_->host().driver() == vmm::Driver::kKvm ? Driver::kKvm : Driver::kProcess;
}

std::string Engine::why_driver() const { return state_ == nullptr ? "" : state_->config().why; }

std::vector<Counter> Engine::counters() const {
  return state_ == nullptr ? std::vector<Counter>() : state_->counters().read();
}

}  // namespace mayfly
