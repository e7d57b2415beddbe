// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Looks in the cache with a key that needs no decoding; only what is not there is decoded, planned
// and built, with progress on a terminal when it takes long.
#include "cli/module_compiler.h"

#include <unistd.h>

#include <chrono>
#include <deque>
#include <filesystem>
#include <vector>

#include "cli/component_link.h"
#include "cli/output.h"
#include "component/component.h"
#include "runtime/build.h"
#include "runtime/compile_cache.h"
#include "runtime/compiler_identity.h"
#include "runtime/plan_builder.h"
#include "wasm/module.h"

namespace mayfly::cli {
namespace {

constexpr std::chrono::milliseconds kProgressAfter{1000};

// One line on a terminal that is rewritten while the compiler runs, and erased at its end.
class Progress {
 public:
  explicit Progress(std::string what) : what_(std::move(what)) {}
  ~Progress() {
    if (shown_) print_error("\r\x1b[K");
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void update(std::chrono::milliseconds elapsed) {
    if (elapsed < kProgressAfter || !is_terminal_) return;
    shown_ = true;
    print_error("\r\x1b[Kcompiling " + what_ + ": " + std::to_string(elapsed.count() / 1000) +
                " s");
  }

 private:
  std::string what_;
  bool is_terminal_ = ::isatty(STDERR_FILENO) == 1;
  bool shown_ = false;
};

// One module to link.
struct LinkedModule {
  std::string name;  // as others import it
  std::string file;
  Fd opened;
};

// In the order of their steps; the program is the last.
Result<std::vector<LinkedModule>> inputs_of(const std::string& file, Fd opened,
                                            const CompileOptions& options) {
  std::vector<LinkedModule> modules;
  for (const std::string& preload : options.preloads) {
    const size_t equals = preload.find('=');  // the command line's check
    LinkedModule module{preload.substr(0, equals), preload.substr(equals + 1), Fd()};
    Input input = MAYFLY_TRY(open_input(module.file));
    if (input.kind != FileKind::kModule) return invalid(module.file + ": not a module");
    module.opened = std::move(input.file);
    modules.push_back(std::move(module));
  }
  modules.push_back({"main", file, std::move(opened)});
  return modules;
}

// Without modules and plan.
image::BuildRequest request_of(const std::vector<LinkedModule>& inputs,
                               const CompileOptions& options) {
  image::BuildRequest request;
  for (const LinkedModule& input : inputs) {
    request.module_names.push_back(std::filesystem::path(input.file).filename());
  }
  request.options.opt_level = options.opt_level;
  request.options.cpu = options.cpu;
  request.options.memory_class = options.memory_class;
  request.options.fuel = options.fuel;
  request.options.memory_bytes_max = options.memory_bytes_max;
  return request;
}

// Adds modules and plan. `hashes`, where there are any: of the modules when they were looked for in
// the cache.
Result<void> link(const std::vector<LinkedModule>& inputs, const CompileOptions& options,
                  std::span<const Hash> hashes, image::BuildRequest& request) {
  std::deque<wasm::Module> modules;  // the builder points to them
  runtime::PlanBuilder builder({.wasi = true, .bench = options.bench});
  for (size_t i = 0; i < inputs.size(); ++i) {
    const LinkedModule& input = inputs[i];
    std::vector<uint8_t> bytes = MAYFLY_TRY(read_module(input.file, input.opened));
    if (!hashes.empty() && runtime::module_hash(bytes) != hashes[i]) {
      return invalid(input.file + ": it changed while it was read");
    }
    if (component::is_component(bytes)) {
      if (inputs.size() > 1) return unsupported(input.file + ": --preload is for modules");
      const auto linked = MAYFLY_TRY(
          link_component(input.file, request.module_names.back(), std::move(bytes), options));
      linker::PlanModules parts = linked->linker->finish();
      request.modules = std::move(parts.bytes());
      request.module_names = std::move(parts.names());
      request.plan = std::move(parts.plan());
      return {};
    }
    auto module = wasm::decode(bytes);
    if (!module) return with_context(input.file, std::move(module).error());
    modules.push_back(std::move(*module));
    auto step = builder.instantiate(builder.add_module(modules.back()), input.name);
    if (!step) return with_context(input.file, std::move(step).error());
    builder.register_instance(input.name, *step);
    request.modules.push_back(std::move(bytes));
  }
  request.plan = builder.take_plan();
  return {};
}

Result<Fd> compile(const std::vector<LinkedModule>& inputs, const CompileOptions& options,
                   std::span<const Hash> hashes, Timings& timings) {
  image::BuildRequest request = request_of(inputs, options);
  MAYFLY_TRY(link(inputs, options, hashes, request));
  timings.mark("decode");
  const std::string& file = inputs.back().file;
  Progress progress(std::filesystem::path(file).filename());
  runtime::BuildEnvironment environment;
  environment.progress = [&](std::chrono::milliseconds elapsed) { progress.update(elapsed); };
  auto built = runtime::build_image(request, environment);
  if (!built) return with_context(file, std::move(built).error());
  timings.mark("build");
  timings.add("(compile", std::chrono::nanoseconds(built->reply.compile_ns));
  timings.add("link)", std::chrono::nanoseconds(built->reply.link_ns));
  return std::move(built->image);
}

// The plan follows from the modules, these names, and the build of this program.
Result<runtime::CacheInput> cache_input(const std::vector<LinkedModule>& inputs,
                                        const CompileOptions& options) {
  runtime::CacheInput input;
  input.request = request_of(inputs, options);
  input.linking = options.bench ? "wasi, bench" : "wasi";
  if (options.trap_missing) input.linking += ", trap missing";
  for (const LinkedModule& module : inputs) {
    input.linking += ", " + std::to_string(module.name.size()) + " " + module.name;
    input.modules.push_back(MAYFLY_TRY(runtime::module_hash(module.opened.get())));
  }
  const std::string compiler = MAYFLY_TRY(runtime::compiler_path({}));
  input.compiler = MAYFLY_TRY(runtime::program_identity("/proc/self/exe")) + ", " +
                   MAYFLY_TRY(runtime::program_identity(compiler));
  return input;
}

Result<runtime::CompileCache> open_cache(const CacheUse& use) {
  std::string folder = MAYFLY_TRY(runtime::default_cache_folder());
  return runtime::CompileCache::open({.folder = std::move(folder), .bytes_max = use.bytes_max});
}

void explain(const CacheUse& use, const std::string& note) {
  if (use.verbose && !note.empty()) print_error("mayfly: compile cache: " + note + "\n");
}

// A cache that cannot be used is no reason not to run.
Result<Fd> compile_with_cache(const std::vector<LinkedModule>& inputs,
                              const CompileOptions& options, const CacheUse& use,
                              Timings& timings) {
  if (!use.enabled) return compile(inputs, options, {}, timings);
  const auto cache = open_cache(use);
  const auto input = cache ? cache_input(inputs, options) : cache.error();
  if (!input) {
    explain(use, input.error().message);
    return compile(inputs, options, {}, timings);
  }
  timings.mark("key");
  auto cached = MAYFLY_TRY(cache->get(runtime::cache_key(*input), [&] {
    return compile(inputs, options, input->modules, timings);
  }));
  timings.mark("cache");
  explain(use, cached.note);
  return std::move(cached.image);
}

}  // namespace

Result<Fd> compile_module(const std::string& file, Fd module, const CompileOptions& options,
                          const CacheUse& cache, Timings& timings) {
  const auto modules = MAYFLY_TRY(inputs_of(file, std::move(module), options));
  return compile_with_cache(modules, options, cache, timings);
}

}  // namespace mayfly::cli
