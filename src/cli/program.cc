// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reading, decoding, planning and building, with progress on a terminal when it takes long.
#include "cli/program.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <deque>
#include <filesystem>

#include "base/fd.h"
#include "cli/output.h"
#include "cli/quantity.h"
#include "runtime/build.h"
#include "runtime/plan_builder.h"
#include "wasm/module.h"

namespace mayfly::cli {
namespace {

constexpr uint64_t kFileBytesMax = uint64_t{1} << 30;
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

// What is linked: the modules, in the order of their steps; the program is the last.
struct Linked {
  image::BuildRequest request;
  std::deque<wasm::Module> modules;
};

Result<void> add_to(Linked& linked, runtime::PlanBuilder& builder, std::string name,
                    const std::string& file, std::vector<uint8_t> bytes) {
  auto module = wasm::decode(bytes);
  if (!module) return with_context(file, std::move(module).error());
  linked.modules.push_back(std::move(*module));
  const uint32_t number = builder.add_module(linked.modules.back());
  auto step = builder.instantiate(number, name);
  if (!step) return with_context(file, std::move(step).error());
  linked.request.modules.push_back(std::move(bytes));
  linked.request.module_names.push_back(std::filesystem::path(file).filename());
  builder.register_instance(std::move(name), *step);
  return {};
}

Result<Fd> build(const std::string& file, std::vector<uint8_t> bytes, const CompileOptions& options,
                 Timings& timings) {
  Linked linked;
  runtime::PlanBuilder builder({.wasi = true, .bench = options.bench});
  for (const std::string& preload : options.preloads) {
    const size_t equals = preload.find('=');  // the command line's check
    const std::string path = preload.substr(equals + 1);
    auto preloaded = MAYFLY_TRY(read_file(path, kFileBytesMax));
    MAYFLY_TRY(add_to(linked, builder, preload.substr(0, equals), path, std::move(preloaded)));
  }
  MAYFLY_TRY(add_to(linked, builder, "main", file, std::move(bytes)));
  linked.request.plan = builder.take_plan();
  linked.request.options.opt_level = options.opt_level;
  linked.request.options.cpu = options.cpu;
  linked.request.options.memory_class = options.memory_class;
  linked.request.options.memory_bytes_max = options.memory_bytes_max;
  timings.mark("decode");
  Progress progress(std::filesystem::path(file).filename());
  runtime::BuildEnvironment environment;
  environment.progress = [&](std::chrono::milliseconds elapsed) { progress.update(elapsed); };
  auto built = runtime::build_image(linked.request, environment);
  if (!built) return with_context(file, std::move(built).error());
  timings.mark("build");
  timings.add("(compile", std::chrono::nanoseconds(built->reply.compile_ns));
  timings.add("link)", std::chrono::nanoseconds(built->reply.link_ns));
  return std::move(built->image);
}

// Reads from the start until the buffer is full or the file ends.
Result<size_t> read_start(int fd, std::span<uint8_t> to) {
  size_t used = 0;
  while (used < to.size()) {
    const ssize_t count = ::read(fd, to.data() + used, to.size() - used);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return host_error("read");
    if (count == 0) break;
    used += static_cast<size_t>(count);
  }
  return used;
}

}  // namespace

void Timings::mark(std::string_view phase) {
  const auto now = std::chrono::steady_clock::now();
  phases_.emplace_back(phase, now - last_);
  last_ = now;
}

std::string Timings::line() const {
  std::string text = "timings:";
  for (const auto& [phase, time] : phases_) {
    text += " " + phase + " " + format_milliseconds(time) + ",";
  }
  return text + " total " + format_milliseconds(std::chrono::steady_clock::now() - started_) + "\n";
}

FileKind file_kind(std::span<const uint8_t> bytes) {
  static constexpr std::array<uint8_t, 4> kWasm = {0x00, 'a', 's', 'm'};
  static constexpr std::array<uint8_t, 4> kElf = {0x7f, 'E', 'L', 'F'};
  if (bytes.size() >= 4 && std::memcmp(bytes.data(), kElf.data(), 4) == 0) return FileKind::kImage;
  if (bytes.size() >= 4 && std::memcmp(bytes.data(), kWasm.data(), 4) == 0) {
    // Binary.md: version 0x0d, layer 1.
    return bytes.size() >= 8 && bytes[6] == 1 ? FileKind::kComponent : FileKind::kModule;
  }
  return FileKind::kOther;
}

Result<Input> open_input(const std::string& file) {
  Input input;
  input.file = MAYFLY_TRY(open_file(file, O_RDONLY | O_CLOEXEC));
  std::array<uint8_t, 8> start{};
  const auto got = read_start(input.file.get(), start);
  if (!got) return with_context(file, got.error());
  input.kind = file_kind(std::span(start).first(*got));
  if (input.kind == FileKind::kComponent) {
    return unsupported(file + ": components are not supported yet, only core modules");
  }
  if (input.kind == FileKind::kOther) {
    return invalid(file + ": neither a WebAssembly module (00 61 73 6d) nor a Mayfly image");
  }
  if (input.kind == FileKind::kModule) {
    auto rest = read_whole(input.file.get(), kFileBytesMax);
    if (!rest) return with_context(file, std::move(rest).error());
    input.module_bytes = *std::move(rest);
    input.module_bytes.insert(input.module_bytes.begin(), start.begin(),
                              start.begin() + static_cast<ptrdiff_t>(*got));
  }
  return input;
}

Result<Program> load_program(const std::string& file, const CompileOptions& options,
                             Timings& timings) {
  Input input = MAYFLY_TRY(open_input(file));
  Program program;
  if (input.kind == FileKind::kImage) {
    program.origin = Origin::kImageFile;
  } else {
    timings.mark("read");
    input.file = MAYFLY_TRY(build(file, std::move(input.module_bytes), options, timings));
  }
  auto image = image::Image::open(std::move(input.file));
  if (!image) return with_context(file, std::move(image).error());
  program.image = std::move(*image);
  timings.mark("image");
  return program;
}

Result<Fd> compile_module_file(const std::string& file, const CompileOptions& options,
                               Timings& timings) {
  Input input = MAYFLY_TRY(open_input(file));
  if (input.kind == FileKind::kImage)
    return invalid(file + ": an image, which is compiled already");
  timings.mark("read");
  return build(file, std::move(input.module_bytes), options, timings);
}

}  // namespace mayfly::cli
