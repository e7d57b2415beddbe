// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The only file that includes CLI11, and with it the only one that sees exceptions.
#include "cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "cli/completion.h"
#include "cli/grants.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/quantity.h"
#include "cli/services.h"
#include "wasi/http_grants.h"
#include "wasi/network.h"

namespace mayfly::cli {
namespace {

constexpr const char* kVersion = "mayfly " MAYFLY_VERSION;

constexpr const char* kFooter = R"(
Examples:
  mayfly run hello.wasm                       run a WASI program in its own micro-VM
  mayfly run --dir data::/data app.wasm x y   with a directory and two arguments
  mayfly run --invoke 'add(1, 2)' math.wasm   call one export and print its results
  mayfly run --timeout 2s --memory-max 64MiB app.wasm
  mayfly compile app.wasm -o app.mayfly && mayfly run app.mayfly
  mayfly snapshot --invoke init app.wasm -o app.snapshot && mayfly run app.snapshot
  mayfly inspect app.wasm                     imports, exports, sizes
  mayfly bench --invoke 'add(1, 2)' math.wasm what it costs here, next to an empty VM
  mayfly doctor                               what this host can do

Exit codes: the program's own; 134 after a trap, 124 at the deadline, 130 after Ctrl-C, 2 for a
wrong command line, 1 for bad input.)";

struct Everything {
  RunOptions run;
  RunOptions snapshot;
  CacheCommandOptions cache;
  CompileCommandOptions compile;
  InspectOptions inspect;
  BindgenOptions bindgen;
  BenchOptions bench;
  DoctorOptions doctor;
  WastOptions wast;
  std::string shell;
  int exit_code = kExitOk;
};

DriverChoice driver_of(const std::string& name) {
  if (name == "auto") return DriverChoice::kAuto;
  if (name == "kvm") return DriverChoice::kKvm;
  if (name == "process") return DriverChoice::kProcess;
  throw CLI::ValidationError("--driver", "'" + name + "' is not auto, kvm or process");
}

void add_driver(CLI::App& app, DriverChoice& driver) {
  app.add_option_function<std::string>(
         "--driver", [&driver](const std::string& name) { driver = driver_of(name); },
         "What runs the guest: auto (default), kvm, process")
      ->type_name("auto|kvm|process");
}

void add_json(CLI::App& app, OutputForm& form) {
  app.add_flag_callback("--json", [&form] { form = OutputForm::kJson; }, "Answer as JSON");
}

void set_opt_level(CompileOptions& options, const std::string& level) {
  if (level == "0") {
    options.opt_level = image::OptLevel::kO0;
  } else if (level == "1") {
    options.opt_level = image::OptLevel::kO1;
  } else if (level == "2") {
    options.opt_level = image::OptLevel::kO2;
  } else {
    throw CLI::ValidationError("-O", "'" + level + "' is not 0, 1 or 2");
  }
}

void set_cpu(CompileOptions& options, const std::string& cpu) {
  if (cpu == "baseline") {
    options.cpu = image::CpuLevel::kBaseline;
  } else if (cpu == "x86-64-v3") {
    options.cpu = image::CpuLevel::kX86_64V3;
  } else if (cpu == "native") {
    options.cpu = image::CpuLevel::kNative;
  } else {
    throw CLI::ValidationError("--cpu", "'" + cpu + "' is not baseline, x86-64-v3 or native");
  }
}

void set_memory_class(CompileOptions& options, const std::string& name) {
  if (name == "auto") {
    options.memory_class = image::MemoryClass::kAuto;
  } else if (name == "high") {
    options.memory_class = image::MemoryClass::kHigh;
  } else {
    throw CLI::ValidationError("--memory-class", "'" + name + "' is not auto or high");
  }
}

void add_code_generation(CLI::App& app, CompileOptions& options) {
  app.add_option_function<std::string>(
         "-O", [&options](const std::string& level) { set_opt_level(options, level); },
         "How hard the compiler tries: 0, 1, 2 (default)")
      ->type_name("0|1|2");
  app.add_option_function<std::string>(
         "--cpu", [&options](const std::string& cpu) { set_cpu(options, cpu); },
         "Instructions that the code may use: baseline (SSE4.1, default), x86-64-v3, native")
      ->type_name("CPU");
  app.add_option_function<std::string>(
         "--memory-class", [&options](const std::string& name) { set_memory_class(options, name); },
         "Where linear memories lie: auto (default), high (for tests)")
      ->type_name("auto|high");
}

// A text of two parts that are not empty; empty when it is, else what it must be.
std::string check_pair(const std::string& text, std::string_view separator, const char* form) {
  const size_t at = text.find(separator);
  if (at != std::string::npos && at != 0 && at + separator.size() < text.size()) return {};
  return "'" + text + "' is not " + form;
}

void add_linking(CLI::App& app, CompileOptions& options) {
  app.add_option("--preload", options.preloads,
                 "NAME=FILE: link this module first, importable as NAME; may be repeated")
      ->type_name("NAME=FILE")
      ->allow_extra_args(false)
      ->check([](const std::string& text) { return check_pair(text, "=", "NAME=FILE"); });
  app.add_flag("--bench", options.bench,
               "Provide the imports bench.start and bench.end, and print bench_ns to stderr");
  app.add_flag("--trap-missing", options.trap_missing,
               "Run a component although nothing provides some of its imports: they trap");
}

void add_limits(CLI::App& app, RunOptions& options) {
  app.add_option_function<std::string>(
         "--memory-max",
         [&options](const std::string& text) {
           const auto bytes = parse_bytes(text);
           if (!bytes) throw CLI::ValidationError("--memory-max", bytes.error().message);
           options.memory_bytes_max = *bytes;
           options.compile.memory_bytes_max = std::max(options.compile.memory_bytes_max, *bytes);
         },
         "Most memory that the program may have, as 64MiB (default 4GiB)")
      ->type_name("SIZE");
  app.add_option_function<std::string>(
         "--timeout",
         [&options](const std::string& text) {
           const auto time = parse_duration(text);
           if (!time) throw CLI::ValidationError("--timeout", time.error().message);
           options.timeout = *time;
         },
         "Longest time to run, as 2s or 500ms, start functions included, compiling not")
      ->type_name("TIME");
}

void add_network_grant(CLI::App& app, const std::string& flag, std::vector<std::string>& grants,
                       const std::string& help) {
  app.add_option(flag, grants, help + "; may be repeated")
      ->type_name("HOST:PORT")
      ->allow_extra_args(false)
      ->check([](const std::string& text) {
        const auto parsed = wasi::parse_network_grant(text);
        return parsed ? "" : "'" + text + "': " + parsed.error().message;
      });
}

// Of sockets that a component makes itself.
void add_network_grants(CLI::App& app, RunOptions& options) {
  add_network_grant(
      app, "--tcp", options.tcp,
      "HOST:PORT: let a component connect there, as example.com:443, 10.0.0.0/8:*, "
      "[::1]:80, *:443 or 127.0.0.1:8000-8010; a name is looked up once, at the start");
  add_network_grant(
      app, "--tcp-listen", options.tcp_listen,
      "ADDRESS:PORT: let a component bind a TCP socket there and listen; port 0 is any "
      "free one");
  add_network_grant(app, "--udp", options.udp,
                    "HOST:PORT: let a component send datagrams there and receive those from there");
  add_network_grant(
      app, "--udp-listen", options.udp_listen,
      "ADDRESS:PORT: let a component bind a UDP socket there, receive from anybody and "
      "answer");
  app.add_flag("--allow-dns", options.allow_dns,
               "Let a component look up any name; those in --tcp and --udp it may anyway");
  app.add_flag("--inherit-network", options.inherit_network,
               "Let a component connect, listen, send and look up names everywhere");
}

// What a component is told, and says.
void add_services(CLI::App& app, RunOptions& options) {
  app.add_option("--config", options.config,
                 "KEY=VALUE: what a component finds in wasi:config; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false)
      ->check([](const std::string& text) {
        const size_t equals = text.find('=');
        return equals == 0 || equals == std::string::npos ? "'" + text + "' is not KEY=VALUE" : "";
      });
  app.add_option("--config-file", options.config_files,
                 "A JSON object with such values; --config comes after it; may be repeated")
      ->type_name("FILE")
      ->allow_extra_args(false);
  app.add_option(
         "--keyvalue", options.keyvalue,
         "A file for the entries of wasi:keyvalue, which programs may share; otherwise they "
         "are in memory")
      ->type_name("FILE");
  app.add_option_function<std::string>(
         "--keyvalue-max",
         [&options](const std::string& text) {
           const auto bytes = parse_bytes(text);
           if (!bytes) throw CLI::ValidationError("--keyvalue-max", bytes.error().message);
           options.keyvalue_bytes_max = *bytes;
         },
         "Most bytes of these entries, as 100MiB (default 16MiB in memory, 1GiB in a file)")
      ->type_name("SIZE");
  app.add_option("--log-level", options.log_level,
                 "Least level of a component's messages (wasi:logging) that are printed on stderr: "
                 "trace (default), debug, info, warn, error, critical, off")
      ->type_name("LEVEL")
      ->check([](const std::string& text) {
        return is_log_level(text) ? "" : "'" + text + "' is not a level";
      });
}

void add_grants(CLI::App& app, RunOptions& options) {
  add_network_grants(app, options);
  add_services(app, options);
  app.add_option("--tcplisten", options.listen_addresses,
                 "ADDRESS:PORT: a listening socket for a WASI preview 1 program; may be repeated")
      ->type_name("ADDRESS:PORT")
      ->allow_extra_args(false);
  app.add_option(
         "--http", options.http_hosts,
         "HOST[:PORT]: a server that the program may send HTTP requests to, as example.org, "
         "'*.example.org', '*' or 10.0.0.0/8; may be repeated")
      ->type_name("HOST[:PORT]")
      ->allow_extra_args(false)
      ->check([](const std::string& text) {
        const auto parsed = wasi::HttpGrants::parse(std::vector<std::string>{text});
        return parsed ? "" : parsed.error().message;
      });
  app.add_option("--http-ca", options.http_ca_file,
                 "The certificates to trust in HTTPS, as PEM (default: the system's)")
      ->type_name("FILE")
      ->check(CLI::ExistingFile.description(""));  // it would print FILE again
  app.add_option("--open-files-max", options.open_files_max,
                 "Most files that the program may have open at once (default 4096)")
      ->type_name("N");
  app.add_option_function<std::string>(
         "--write-max",
         [&options](const std::string& text) {
           const auto bytes = parse_bytes(text);
           if (!bytes) throw CLI::ValidationError("--write-max", bytes.error().message);
           options.write_bytes_max = *bytes;
         },
         "Most bytes that the program may add to files, as 100MiB (default: no limit)")
      ->type_name("SIZE");
  app.add_option_function<std::string>(
         "--trace",
         [&options](const std::string& what) {
           if (what != "ports")
             throw CLI::ValidationError("--trace", "'" + what + "' is not ports");
           options.trace_ports = true;
         },
         "ports: print each request of the program to the host on stderr")
      ->type_name("ports");
}

void add_cache(CLI::App& app, CacheUse& cache) {
  app.add_flag_callback(
      "--no-cache", [&cache] { cache.enabled = false; },
      "Neither take compiled code from the user's cache nor keep it there");
  app.add_option_function<std::string>(
         "--cache-max",
         [&cache](const std::string& text) {
           const auto bytes = parse_bytes(text);
           if (!bytes) throw CLI::ValidationError("--cache-max", bytes.error().message);
           cache.bytes_max = *bytes;
         },
         "Most bytes of the cache, as 500MiB (default 4GiB); the least recently used go first")
      ->type_name("SIZE");
}

void add_fuel(CLI::App& app, RunOptions& options) {
  app.add_option_function<uint64_t>(
         "--fuel",
         [&options](uint64_t units) {
           options.fuel = units;
           options.compile.fuel = true;
         },
         "Most instructions to run, weighed as docs/fuel.md says")
      ->type_name("N")
      ->check(CLI::Range(uint64_t{0}, static_cast<uint64_t>(INT64_MAX)));
}

// What `run` and `snapshot` share.
void add_running(CLI::App& run, RunOptions& options) {
  run.add_option("--env", options.environment, "K=V: an environment variable; may be repeated")
      ->type_name("K=V")
      ->allow_extra_args(false)
      ->check([](const std::string& text) {
        const size_t equals = text.find('=');
        return equals == 0 || equals == std::string::npos ? "'" + text + "' is not K=V" : "";
      });
  run.add_option("--dir", options.directories,
                 "HOST[::GUEST][:ro]: a directory that the program may use; may be repeated")
      ->type_name("HOST[::GUEST][:ro]")
      ->allow_extra_args(false)
      ->check([](const std::string& text) {
        if (!text.empty() && text.find("::") == std::string::npos) return std::string();
        return check_pair(text, "::", "HOST or HOST::GUEST");
      });
  run.add_option("--tmpfs", options.tmpfs,
                 "GUEST[:SIZE]: an empty directory in memory, of 64MiB; may be repeated")
      ->type_name("GUEST[:SIZE]")
      ->allow_extra_args(false)
      ->check([](const std::string& text) {
        const auto parsed = parse_memory_directory(text);
        return parsed ? "" : parsed.error().message;
      });
  add_grants(run, options);
  add_driver(run, options.driver);
  add_limits(run, options);
  add_fuel(run, options);
  add_code_generation(run, options.compile);
  add_linking(run, options.compile);
  add_cache(run, options.cache);
  run.add_flag("-v,--verbose", options.cache.verbose,
               "Say on stderr what was not as expected but did not stop the program");
  run.add_flag("--jail", options.jail,
               "Take from this process what the program was not given, in case it breaks out of "
               "its machine: other files, other programs, sockets");
  run.add_flag("--trust-image", options.trust_image,
               "Let the process driver run an image or a snapshot that this installation did not "
               "make");
  run.add_flag("--verify", options.verify,
               "Compare every byte of a snapshot with its checksums first");
  run.add_flag("--timings", options.timings, "Print how long each phase took to stderr");
}

void declare_run(CLI::App& app, Everything& all) {
  CLI::App& run = *app.add_subcommand("run", "Run a module, an image or a snapshot in a micro-VM");
  run.prefix_command();
  run.add_option("--invoke", all.run.invoke, "Call this export: 'name' or 'name(1, 2.5)'")
      ->type_name("CALL");
  add_running(run, all.run);
  run.footer(
      "FILE comes after the flags; what follows FILE is the program's.\n"
      "Example: mayfly run --env HOME=/ --dir . app.wasm --its-own-flag");
  run.callback([&run, &all] {
    std::vector<std::string> rest = run.remaining();
    if (!rest.empty() && rest.front() == "--") rest.erase(rest.begin());
    if (rest.empty()) throw CLI::RequiredError("FILE");
    if (rest.front().starts_with('-') && rest.front() != "-") {
      throw CLI::ExtrasError({rest.front()});
    }
    all.run.file = rest.front();
    all.run.arguments.assign(rest.begin() + 1, rest.end());
    all.exit_code = run_command(all.run);
  });
}

void declare_snapshot(CLI::App& app, Everything& all) {
  CLI::App& snapshot =
      *app.add_subcommand("snapshot", "Save a program as it is after its start, or after a call");
  snapshot.add_option("FILE", all.snapshot.file, "The module, image or snapshot")->required();
  snapshot.add_option("-o,--output", all.snapshot.save_to, "The snapshot to write")
      ->required()
      ->type_name("SNAPSHOT");
  snapshot
      .add_option("--invoke", all.snapshot.invoke,
                  "Call this export before: 'init', 'wizer.initialize' or 'init(1, 2.5)'")
      ->type_name("CALL");
  add_running(snapshot, all.snapshot);
  snapshot.footer(
      "Example: mayfly snapshot --invoke init app.wasm -o app.snapshot && mayfly run app.snapshot");
  snapshot.callback([&all] {
    if (all.snapshot.save_to.empty()) throw CLI::RequiredError("-o");
    all.exit_code = run_command(all.snapshot);
  });
}

void declare_compile(CLI::App& app, Everything& all) {
  CLI::App& compile = *app.add_subcommand("compile", "Compile a module to an image file");
  compile.add_option("FILE", all.compile.file, "The module")->required();
  compile.add_option("-o,--output", all.compile.output, "The image to write")
      ->required()
      ->type_name("IMAGE");
  add_code_generation(compile, all.compile.compile);
  add_linking(compile, all.compile.compile);
  compile.add_flag("--fuel", all.compile.compile.fuel,
                   "Count fuel, for `mayfly run --fuel N IMAGE`");
  compile.add_flag("--timings", all.compile.timings, "Print how long each phase took to stderr");
  compile.footer("Example: mayfly compile app.wasm -o app.mayfly && mayfly run app.mayfly");
  compile.callback([&all] { all.exit_code = compile_command(all.compile); });
}

void declare_inspect(CLI::App& app, Everything& all) {
  CLI::App& inspect = *app.add_subcommand("inspect", "Show imports, exports and sizes of a file");
  inspect.add_option("FILE", all.inspect.file, "The module, component, image or snapshot")
      ->required();
  inspect.add_flag("--verify", all.inspect.verify,
                   "Compare every byte of a snapshot with its checksums");
  inspect.add_flag("--wit", all.inspect.wit, "Print the world of a component as WIT");
  add_json(inspect, all.inspect.form);
  inspect.callback([&all] { all.exit_code = inspect_command(all.inspect); });
}

void declare_bindgen(CLI::App& app, Everything& all) {
  CLI::App& bindgen =
      *app.add_subcommand("bindgen", "Write a C++ header for the world of a component");
  bindgen.add_option("FILE", all.bindgen.file, "A component, a .wit file, or a folder of them")
      ->required();
  bindgen.add_option("--world", all.bindgen.world, "Which world (default: the only one)")
      ->type_name("NAME");
  bindgen.add_option("-o,--output", all.bindgen.output, "The folder to write WORLD.h to")
      ->required()
      ->type_name("DIR");
  bindgen.footer(
      "For each interface that the component imports, a class Host to implement; for each that it\n"
      "exports, a class Guest whose functions call it; types, resources and doc comments with "
      "them.\n"
      "  app::Exports::create(sandbox)        finds all functions that the component exports\n"
      "  app::define(linker, {.log = my_log}) binds all that it imports\n"
      "WASI's own interfaces are Mayfly's, so they have no Host.\n"
      "Example: mayfly bindgen wit --world app -o gen && c++ -std=c++20 -Igen main.cc ...");
  bindgen.callback([&all] { all.exit_code = bindgen_command(all.bindgen); });
}

// A flag whose text is a time over zero.
void add_time(CLI::App& app, const std::string& flag, const std::string& help,
              const std::function<void(std::chrono::nanoseconds)>& set) {
  app.add_option_function<std::string>(
         flag,
         [flag, set](const std::string& text) {
           const auto time = parse_duration(text);
           if (!time) throw CLI::ValidationError(flag, time.error().message);
           if (time->count() <= 0) {
             throw CLI::ValidationError(flag, "'" + text + "' has to be over 0");
           }
           set(*time);
         },
         help)
      ->type_name("TIME");
}

void declare_bench(CLI::App& app, Everything& all) {
  CLI::App& bench = *app.add_subcommand("bench", "Measure what a program costs on this machine");
  bench.add_option("FILE", all.bench.file, "The module or image")->required();
  bench.add_option("ARGS", all.bench.arguments, "Arguments of a WASI command");
  bench.add_option("--invoke", all.bench.invoke, "Call this export: 'name' or 'name(1, 2.5)'")
      ->type_name("CALL");
  add_driver(bench, all.bench.driver);
  add_time(bench, "--time", "Longest time for each row, as 2s or 100ms (default 500ms)",
           [&all](std::chrono::nanoseconds time) { all.bench.time = time; });
  add_time(bench, "--timeout", "Longest time for each call (default: none)",
           [&all](std::chrono::nanoseconds time) { all.bench.timeout = time; });
  add_code_generation(bench, all.bench.compile);
  add_cache(bench, all.bench.cache);
  bench.add_flag("--trust-image", all.bench.trust_image,
                 "Let the process driver run an image that this installation did not make");
  add_json(bench, all.bench.form);
  bench.footer(
      "Start, call, reset, snapshot, restore and memory, each next to its floor: the smallest\n"
      "virtual machine that the driver can make. The program gets its arguments and no files\n"
      "or streams; it has to return, or to exit with 0.\n"
      "Example: mayfly bench --invoke 'add(1, 2)' math.wasm\n"
      "         mayfly bench --json --time 2s -- app.wasm x --its-own > app.json");
  bench.callback([&all] { all.exit_code = bench_command(all.bench); });
}

void declare_doctor(CLI::App& app, Everything& all) {
  CLI::App& doctor =
      *app.add_subcommand("doctor", "Show what this host can do and which driver is used");
  add_driver(doctor, all.doctor.driver);
  add_json(doctor, all.doctor.form);
  doctor.callback([&all] { all.exit_code = doctor_command(all.doctor); });
}

void declare_cache(CLI::App& app, Everything& all) {
  CLI::App& cache = *app.add_subcommand("cache", "Show or empty the cache of compiled code");
  cache.require_subcommand(1);
  const auto declare = [&](const char* name, const char* text, CacheAction action) -> CLI::App& {
    CLI::App& command = *cache.add_subcommand(name, text);
    command.callback([&all, action] {
      all.cache.action = action;
      all.exit_code = cache_command(all.cache);
    });
    return command;
  };
  add_json(declare("ls", "List what is kept, the least recently used first", CacheAction::kList),
           all.cache.form);
  declare("clear", "Remove all of it", CacheAction::kClear);
  declare("path", "Print the folder", CacheAction::kPath);
}

void declare_wast(CLI::App& app, Everything& all) {
  CLI::App& wast = *app.add_subcommand("wast", "Run scripts of the WebAssembly test suite");
  wast.add_option("JSON", all.wast.files, "Scripts as JSON, next to their modules")->required();
  add_driver(wast, all.wast.driver);
  add_code_generation(wast, all.wast.compile);
  wast.add_flag("--fuel", all.wast.compile.fuel, "Count fuel, without end");
  wast.add_option("-j,--jobs", all.wast.jobs, "Scripts at the same time (default: one per CPU)")
      ->type_name("N")
      ->check(CLI::Range(1, 256));
  CLI::Option* save = wast.add_option("--save-images", all.wast.save_images,
                                      "Also write each script's image to this folder")
                          ->type_name("FOLDER");
  wast.add_option("--use-images", all.wast.use_images,
                  "Take the images from this folder and compile nothing")
      ->type_name("FOLDER")
      ->excludes(save);
  wast.add_flag("-v,--verbose", all.wast.verbose, "One line per script");
  wast.footer(
      "The last line of the output is `N passed, N failed, N skipped`, counting\n"
      "assertions. Skipped are modules in the text format.");
  wast.callback([&all] { all.exit_code = wast_command(all.wast); });
}

std::vector<CommandWords> words_of(const CLI::App& app) {
  std::vector<CommandWords> commands;
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    CommandWords words{sub->get_name(), sub->get_description(), {}};
    for (const CLI::Option* option : sub->get_options()) {
      for (const std::string& name : option->get_lnames()) words.flags.push_back("--" + name);
      for (const std::string& name : option->get_snames()) words.flags.push_back("-" + name);
    }
    commands.push_back(std::move(words));
  }
  return commands;
}

void declare_completion(CLI::App& app, Everything& all) {
  CLI::App& completion =
      *app.add_subcommand("completion", "Print a script that completes commands in a shell");
  completion.add_option("SHELL", all.shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  completion.footer("Example: source <(mayfly completion bash)");
  completion.callback([&app, &all] {
    const Shell shell = all.shell == "bash"  ? Shell::kBash
                        : all.shell == "zsh" ? Shell::kZsh
                                             : Shell::kFish;
    all.exit_code = print(completion_script(shell, words_of(app)));
  });
}

int fail_usage(const CLI::App& app, const CLI::ParseError& error) {
  std::string message = error.what();
  for (char& c : message) {
    if (c == '\n') c = ' ';
  }
  const auto used = app.get_subcommands();
  const std::string command = used.empty() ? "mayfly" : "mayfly " + used.front()->get_name();
  print_error("mayfly: " + message + " (" + command + " --help)\n");
  return kExitUsage;
}

}  // namespace

int run_command_line(int argc, const char* const* argv) {
  Everything all;
  all.wast.jobs = std::max(1U, std::thread::hardware_concurrency());
  CLI::App app("Runs WebAssembly in hardware micro-VMs.", "mayfly");
  app.footer(kFooter);
  app.set_version_flag("--version", kVersion);
  app.require_subcommand(1);
  declare_run(app, all);
  declare_snapshot(app, all);
  declare_compile(app, all);
  declare_inspect(app, all);
  declare_bindgen(app, all);
  declare_bench(app, all);
  declare_doctor(app, all);
  declare_wast(app, all);
  declare_cache(app, all);
  declare_completion(app, all);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    const auto used = app.get_subcommands();
    return print(used.empty() ? app.help() : used.front()->help());
  } catch (const CLI::CallForVersion&) {
    return print(std::string(kVersion) + "\n");
  } catch (const CLI::ParseError& error) {
    return fail_usage(app, error);
  }
  return all.exit_code;
}

}  // namespace mayfly::cli
