// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// mayfly bench: what a program costs in a sandbox on this machine, next to what the smallest VM
// costs, measured in turn: each ratio is the median of the ratios pair by pair.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "cli/callee.h"
#include "cli/driver.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/program.h"
#include "runtime/bench_subject.h"
#include "runtime/printable.h"
#include "wasi/context.h"

namespace mayfly::cli {
namespace {

using runtime::BenchSubject;
using Clock = std::chrono::steady_clock;
using Step = std::function<Result<void>()>;

constexpr int kSamplesMin = 5;
constexpr int kSamplesMax = 2000;
constexpr int kIdleSandboxes = 50;

// One thing to measure. prepare and floor_prepare are not counted. Without a floor: empty.
struct Row {
  std::string name;
  std::string what;
  Step prepare;
  Step subject;
  Step floor_prepare;
  Step floor;
};

struct Measured {
  std::string name;
  std::string what;
  int samples = 0;
  double median_us = 0;
  double p99_us = 0;
  double floor_us = 0;  // 0: there is none
  double ratio = 0;
};

struct Memory {
  uint64_t bytes = 0;
  uint64_t floor_bytes = 0;
};

// One line on a terminal that is rewritten, and erased at the end.
class Progress {
 public:
  Progress() = default;
  ~Progress() {
    if (is_terminal_) print_error("\r\x1b[K");
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void update(const std::string& what, int samples) {
    const auto now = Clock::now();
    if (!is_terminal_ || now - shown_ < std::chrono::milliseconds(100)) return;
    shown_ = now;
    print_error("\r\x1b[Kmeasuring " + what + ": " + std::to_string(samples));
  }

 private:
  bool is_terminal_ = ::isatty(STDERR_FILENO) == 1;
  Clock::time_point shown_;
};

double percentile(std::vector<double> values, double part) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const auto last = static_cast<double>(values.size() - 1);
  return values[static_cast<size_t>(last * part)];
}

Result<double> microseconds_of(const Step& prepare, const Step& step) {
  if (prepare) MAYFLY_TRY(prepare());
  const auto start = Clock::now();
  MAYFLY_TRY(step());
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

// Until the time is over, or there are enough. The first of all is a trial.
Result<Measured> measure(const Row& row, std::chrono::nanoseconds time, Progress& progress) {
  std::vector<double> times;
  std::vector<double> floors;
  std::vector<double> ratios;
  const auto end = Clock::now() + time;
  for (int i = 0; i <= kSamplesMax && (i <= kSamplesMin || Clock::now() < end); ++i) {
    progress.update(row.what, i);
    const double floor = row.floor ? MAYFLY_TRY(microseconds_of(row.floor_prepare, row.floor)) : 0;
    const double subject = MAYFLY_TRY(microseconds_of(row.prepare, row.subject));
    if (i == 0) continue;
    times.push_back(subject);
    floors.push_back(floor);
    if (floor > 0) ratios.push_back(subject / floor);
  }
  return Measured{row.name,
                  row.what,
                  static_cast<int>(times.size()),
                  percentile(times, 0.5),
                  percentile(times, 0.99),
                  percentile(floors, 0.5),
                  percentile(ratios, 0.5)};
}

std::vector<Row> rows_of(BenchSubject& subject) {
  const Step reset = [&] { return subject.reset(); };
  const Step call = [&] { return subject.call(); };
  const Step drop = [&]() -> Result<void> { return subject.drop(), Result<void>(); };
  const Step floor_drop = [&]() -> Result<void> { return subject.floor_drop(), Result<void>(); };
  const Step floor_start = [&] { return subject.floor_start(); };
  const Step floor_call = [&] { return subject.floor_call(); };
  const Step reset_and_call = [&]() -> Result<void> {
    MAYFLY_TRY(subject.reset());
    return subject.call();
  };
  // After a call that exits, a sandbox can only be put back.
  const Step before_snapshot = subject.returns() ? reset_and_call : reset;

  std::vector<Row> rows;
  rows.push_back({"start", "a new sandbox, its start, one call", drop,
                  [&] { return subject.start(); }, floor_drop, floor_start});
  rows.push_back({"start_from_snapshot", "a new sandbox from a snapshot, one call", drop,
                  [&] { return subject.start_from_snapshot(); }, floor_drop, floor_start});
  rows.push_back({"first_call", "a call after a reset", reset, call, {}, floor_call});
  if (subject.returns()) {
    rows.push_back({"call", "a call after another", {}, call, {}, floor_call});
  }
  rows.push_back({"reset", "a reset after a call", reset_and_call, reset, {}, {}});
  rows.push_back(
      {"snapshot", "a snapshot", before_snapshot, [&] { return subject.snapshot(); }, {}, {}});
  if (subject.returns()) {
    rows.push_back({"restore",
                    "a restore to another snapshot",
                    {},
                    [&] { return subject.restore_other(); },
                    {},
                    {}});
  }
  return rows;
}

std::string fixed(double value) {
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%.2f", value);
  return text.data();
}

std::string line(const std::string& what, const std::array<std::string, 4>& cells) {
  std::array<char, 160> text{};
  std::snprintf(text.data(), text.size(), "%-40s %12s %12s %12s %8s\n", what.c_str(),
                cells[0].c_str(), cells[1].c_str(), cells[2].c_str(), cells[3].c_str());
  return text.data();
}

struct Report {
  std::string file;
  std::string function;
  std::string driver;
  std::vector<Measured> rows;
  Memory memory;
};

std::string as_text(const Report& report) {
  std::string text = report.function + " of " + report.file + ", driver " + report.driver + "\n\n";
  text += line("microseconds", {"median", "p99", "floor", "ratio"});
  for (const Measured& row : report.rows) {
    const bool has_floor = row.floor_us > 0;
    text +=
        line(row.what, {fixed(row.median_us), fixed(row.p99_us),
                        has_floor ? fixed(row.floor_us) : "-", has_floor ? fixed(row.ratio) : "-"});
  }
  const auto kibibytes = [](uint64_t bytes) {
    return bytes == 0 ? "-" : fixed(static_cast<double>(bytes) / 1024);
  };
  text += line("KiB of an idle sandbox",
               {kibibytes(report.memory.bytes), "-", kibibytes(report.memory.floor_bytes), "-"});
  return text +
         "\nThe floor is the smallest virtual machine that this driver makes: from nothing to its "
         "first exit,\none empty call, or its memory. Compiling is not in any row.\n";
}

std::string as_json(const Report& report) {
  nlohmann::json rows = nlohmann::json::array();
  for (const Measured& row : report.rows) {
    nlohmann::json entry = {{"name", row.name},         {"what", row.what},
                            {"samples", row.samples},   {"median_us", row.median_us},
                            {"p99_us", row.p99_us},     {"floor_us", nullptr},
                            {"ratio_to_floor", nullptr}};
    if (row.floor_us > 0) {
      entry["floor_us"] = row.floor_us;
      entry["ratio_to_floor"] = row.ratio;
    }
    rows.push_back(std::move(entry));
  }
  const auto measured = [](uint64_t bytes) {
    return bytes == 0 ? nlohmann::json() : nlohmann::json(bytes);
  };
  const nlohmann::json json = {{"file", report.file},
                               {"function", report.function},
                               {"driver", report.driver},
                               {"rows", std::move(rows)},
                               {"idle_bytes", measured(report.memory.bytes)},
                               {"floor_idle_bytes", measured(report.memory.floor_bytes)}};
  return json_text(json, JsonLines::kIndented) + "\n";
}

// Nothing is granted but arguments: what a program prints while it is measured goes nowhere.
Result<std::unique_ptr<runtime::PortHandler>> make_ports(const wasi::WasiConfig& config) {
  return std::unique_ptr<runtime::PortHandler>(MAYFLY_TRY(wasi::Context::create(config)));
}

Result<BenchSubject> make_subject(const BenchOptions& options, Program program, OpenedHost opened) {
  BenchSubject::Parts parts;
  parts.file = runtime::printable(options.file);
  Callee callee = MAYFLY_TRY(find_callee(options.file, *program.image, options.invoke));
  parts.function = callee.function;
  parts.arguments = std::move(callee.arguments);
  parts.host = std::move(opened.host);
  parts.image = std::move(program.image);
  wasi::WasiConfig wasi;
  wasi.args.push_back(options.file.substr(options.file.rfind('/') + 1));
  wasi.args.insert(wasi.args.end(), options.arguments.begin(), options.arguments.end());
  wasi.stdin_fd = wasi.stdout_fd = wasi.stderr_fd = -1;
  parts.config.make_ports = [wasi] { return make_ports(wasi); };
  parts.config.limits.deadline = options.timeout;
  return BenchSubject::create(std::move(parts));
}

// An end that there is no point in measuring, as an exit code.
int report_end(const BenchOptions& options, const runtime::CallOutcome& end,
               const image::Image& image) {
  const bool is_deadline = end.kind == runtime::CallOutcome::Kind::kDeadline;
  const auto& frames = is_deadline ? end.stopped : end.trap.backtrace;
  print_error("mayfly: " + runtime::printable(options.file) + ": " + to_string(end) +
              "; what is measured has to return, or to exit with 0\n" +
              to_string(frames, image.module_names()));
  if (is_deadline) return kExitDeadline;
  return end.kind == runtime::CallOutcome::Kind::kTrapped ? kExitTrap : kExitBadInput;
}

Result<int> bench(const BenchOptions& options) {
  Timings timings;
  Program program = MAYFLY_TRY(load_program(options.file, options.compile, options.cache, timings));
  if (program.snapshot != nullptr) {
    return invalid(options.file + ": a snapshot: bench takes a module or an image");
  }
  OpenedHost opened = MAYFLY_TRY(open_host(options.driver));
  MAYFLY_TRY(check_trust(options.file, program, options.trust_image, *opened.host));
  Report report;
  report.file = runtime::printable(options.file);
  report.function = options.invoke.empty() ? "_start" : runtime::printable(options.invoke);
  report.driver = to_string(opened.host->driver());
  const image::Image& image = *program.image;  // lives as long as the subject
  BenchSubject subject = MAYFLY_TRY(make_subject(options, std::move(program), std::move(opened)));
  const auto end = MAYFLY_TRY(subject.try_once());
  const bool exits = end != nullptr && end->kind == runtime::CallOutcome::Kind::kExited;
  if (end != nullptr && !(exits && end->exit_code == 0)) return report_end(options, *end, image);
  {
    Progress progress;
    for (const Row& row : rows_of(subject)) {
      report.rows.push_back(MAYFLY_TRY(measure(row, options.time, progress)));
    }
    progress.update("memory", kIdleSandboxes);
    report.memory.floor_bytes = MAYFLY_TRY(subject.floor_idle_bytes(kIdleSandboxes));
    report.memory.bytes = MAYFLY_TRY(subject.idle_bytes(kIdleSandboxes));
  }
  return print(options.form == OutputForm::kJson ? as_json(report) : as_text(report));
}

}  // namespace

int bench_command(const BenchOptions& options) {
  const auto code = bench(options);
  return code ? *code : report(code.error());
}

}  // namespace mayfly::cli
