// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Opening the driver, and reading programs.
#include "mayfly/engine.h"

#include <fcntl.h>
#include <link.h>

#include <cstdlib>
#include <utility>

#include "api/find_compiler.h"
#include "api/moved_from.h"
#include "base/fd.h"
#include "base/result.h"
#include "runtime/build.h"
#include "runtime/cache_folder.h"
#include "runtime/compiler_identity.h"
#include "runtime/engine_state.h"
#include "runtime/image_origin.h"
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
  constexpr uint32_t kMachinesMax = 10'000;
  if (options.idle_machines_max > kMachinesMax) {
    return invalid("EngineOptions::idle_machines_max is " +
                   std::to_string(options.idle_machines_max) + ", but has to be at most " +
                   std::to_string(kMachinesMax));
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

// The file whose code plans images: the library, or the program that it is part of.
std::string planner_path() {
  Dl_info info{};
  void* found = nullptr;
  static const int anchor = 0;
  if (::dladdr1(&anchor, &info, &found, RTLD_DL_LINKMAP) == 0) return "/proc/self/exe";
  const auto* const object = static_cast<const link_map*>(found);
  return object == nullptr || *object->l_name == '\0' ? "/proc/self/exe" : object->l_name;
}

Result<void> open_cache(const EngineOptions& options, runtime::EngineConfig& config) {
  const std::string folder = options.cache_folder.empty()
                                 ? MAYFLY_TRY(runtime::default_cache_folder())
                                 : options.cache_folder;
  auto cache = MAYFLY_TRY(runtime::CompileCache::open({.folder = folder}));
  const std::string compiler = MAYFLY_TRY(runtime::compiler_path(config.build));
  config.builders = MAYFLY_TRY(runtime::program_identity(planner_path())) + ", " +
                    MAYFLY_TRY(runtime::program_identity(compiler));
  config.cache.emplace(std::move(cache));
  return {};
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
  config.host->keep_idle(options.idle_machines_max);
  config.build.compiler = compiler_path(options);
  config.build.time_max = options.compile_time_max;
  config.options.opt_level =
      options.optimize == Optimize::kFast ? image::OptLevel::kO1 : image::OptLevel::kO2;
  config.options.fuel = options.count_fuel;
  config.blocking_threads_max = options.blocking_threads_max;
  if (options.use_cache) {
    auto opened = open_cache(options, config);
    // A cache that nobody named and that cannot be is no reason not to run.
    if (!opened && !options.cache_folder.empty()) {
      return with_context("compile cache " + runtime::printable(options.cache_folder),
                          std::move(opened).error());
    }
  }
  config.measures_time = options.measure_time;
  config.trace = options.trace;
  return Engine(MAYFLY_TRY(runtime::EngineState::create(std::move(config))));
}

Result<void> Engine::prepare_machines(size_t count, TrustDomain domain) const {
  if (state_ == nullptr) return api::moved_from("engine");
  MAYFLY_TRY(state_->check_process());
  return state_->host().make_idle(count, domain.number, vmm::Tracking::kOn);
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

Result<Program> Engine::load_image(std::string_view path, ImageTrust trust) const {
  if (state_ == nullptr) return api::moved_from("engine");
  const runtime::TraceSpan span(*state_, "decode");
  const std::string file(path);
  auto opened = open_file(file, O_RDONLY | O_CLOEXEC);
  if (!opened) return std::move(opened).error();
  auto image = image::Image::open(*std::move(opened));
  if (!image) return with_context(runtime::printable(path), std::move(image).error());
  MAYFLY_TRY((*image)->check_cpu());
  if (trust == ImageTrust::kInstallation) {
    auto may = runtime::check_may_run(**image, state_->host().driver());
    if (!may) return with_context(runtime::printable(path), std::move(may).error());
  }
  ++state_->counters().programs;
  return Program(runtime::ProgramState::of_image(file.substr(file.rfind('/') + 1),
                                                 *std::move(image), state_->next_program_number()));
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
