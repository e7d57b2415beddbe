// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// mayfly wast: scripts of the WebAssembly test suite, several at a time, reported in order.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "cli/driver.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/quantity.h"
#include "runtime/wast_runner.h"

namespace mayfly::cli {
namespace {

using runtime::WastReport;

struct Totals {
  uint64_t passed = 0;
  uint64_t failed = 0;
  uint64_t skipped = 0;
  std::map<std::string, uint64_t> skips;  // by reason
};

std::string counts(uint64_t passed, uint64_t failed, uint64_t skipped) {
  return std::to_string(passed) + " passed, " + std::to_string(failed) + " failed, " +
         std::to_string(skipped) + " skipped";
}

// The report of one script as text; its numbers go into the totals.
std::string describe(const WastOptions& options, const std::string& file,
                     const Result<WastReport>& report, Totals& totals) {
  if (!report) {
    ++totals.failed;
    return file + ": " + report.error().message + "\n";
  }
  totals.passed += report->passed;
  totals.failed += report->failed;
  totals.skipped += report->skipped;
  for (const auto& [reason, count] : report->skips) totals.skips[reason] += count;
  std::string text;
  for (const std::string& failure : report->failures) text += failure + "\n";
  if (options.verbose) {
    text += file + ": " + counts(report->passed, report->failed, report->skipped) + " (plan " +
            format_milliseconds(report->plan_time) + ", build " +
            format_milliseconds(report->build_time) + ", run " +
            format_milliseconds(report->run_time) + ")\n";
  }
  return text;
}

runtime::WastOptions settings_of(const WastOptions& options) {
  using Images = runtime::WastOptions::Images;
  runtime::WastOptions settings;
  settings.build.opt_level = options.compile.opt_level;
  settings.build.cpu = options.compile.cpu;
  settings.build.memory_class = options.compile.memory_class;
  settings.build.fuel = options.compile.fuel;
  if (!options.save_images.empty()) {
    settings.images = Images::kSave;
    settings.images_folder = options.save_images;
  } else if (!options.use_images.empty()) {
    settings.images = Images::kUse;
    settings.images_folder = options.use_images;
  }
  return settings;
}

std::vector<std::optional<Result<WastReport>>> run_all(const WastOptions& options,
                                                       vmm::Host& host) {
  const runtime::WastOptions settings = settings_of(options);
  std::vector<std::optional<Result<WastReport>>> reports(options.files.size());
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    for (size_t i = next++; i < options.files.size(); i = next++) {
      reports[i] = runtime::run_wast(options.files[i], host, settings);
    }
  };
  std::vector<std::jthread> threads;
  const size_t jobs = std::min<size_t>(options.jobs, options.files.size());
  for (size_t i = 1; i < jobs; ++i) threads.emplace_back(work);
  work();
  threads.clear();
  return reports;
}

}  // namespace

int wast_command(const WastOptions& options) {
  const auto opened = open_host(options.driver);
  if (!opened) return report(opened.error());
  if (!options.use_images.empty() && opened->host->driver() == vmm::Driver::kProcess) {
    return report(unsupported(
        "--use-images: images of another machine are native code, which needs --driver kvm"));
  }
  Totals totals;
  const auto reports = run_all(options, *opened->host);
  for (size_t i = 0; i < reports.size(); ++i) {
    if (const int code = print(describe(options, options.files[i], *reports[i], totals));
        code != kExitOk) {
      return code;
    }
  }
  const int code = print(counts(totals.passed, totals.failed, totals.skipped) + "\n");
  return totals.failed == 0 ? code : kExitBadInput;
}

}  // namespace mayfly::cli
