// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Host memory of N live sandboxes that have run hello, each next to a raw VM, and of N frozen ones:
// the difference of MemAvailable, because page tables, KVM's structures and shared pages are in no
// process's RSS.
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "bench/bench_image.h"
#include "bench/paired.h"
#include "bench/raw_kvm.h"
#include "mayfly/mayfly.hh"
#include "runtime/image_runner.h"

namespace mayfly::bench {
namespace {

constexpr double kMoreKibMax = 128;
constexpr double kSlowdownMax = 1.2;
constexpr uint32_t kHelloPages = 2;  // what clang's hello asks for

double available_kib() {
  std::ifstream meminfo("/proc/meminfo");
  std::string word;
  double value = 0;
  while (meminfo >> word) {
    if (word == "MemAvailable:" && meminfo >> value) return value;
  }
  return 0;
}

// Many that live at once.
struct Crowd {
  double kib_each = 0;
  double slowdown = 0;  // starting the last tenth of them, to starting the first
};

// `start` makes one more, which lives on, and calls it.
Crowd measure_crowd(int count, const std::function<void()>& start) {
  const double before = available_kib();
  std::vector<double> times;
  times.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) times.push_back(microseconds_of(start));
  const auto tenth = static_cast<ptrdiff_t>(count / 10);
  return {(before - available_kib()) / count, median({times.end() - tenth, times.end()}) /
                                                  median({times.begin(), times.begin() + tenth})};
}

Crowd raw_crowd(const RawKvm& kvm, int count) {
  std::vector<RawVm> vms;
  vms.reserve(static_cast<size_t>(count));
  return measure_crowd(count, [&] {
    vms.push_back(RawVm::create(kvm).value());
    CHECK(vms.back().call().has_value());
  });
}

Crowd sandbox_crowd(vmm::Host& host, const image::Image& image, int count) {
  std::vector<std::unique_ptr<runtime::ImageRunner>> runners;
  runners.reserve(static_cast<size_t>(count));
  return measure_crowd(count, [&] {
    auto runner = runtime::ImageRunner::create(host, image, {});
    CHECK(runner.has_value(), runner ? "" : runner.error().message);
    CHECK((*runner)->run_step(0).has_value());
    const auto outcome = (*runner)->call((*runner)->find_export(0, "f")->func, {});
    CHECK(outcome.has_value() && outcome->kind == runtime::CallOutcome::Kind::kReturned);
    runners.push_back(std::move(*runner));
  });
}

struct Frozen {
  double live_kib = 0;
  double frozen_kib = 0;
  double pages_kib = 0;  // of that, the pages that are kept
  // The processor's time, each with a call.
  double start_us = 0;
  double freeze_us = 0;  // this one without
  double thaw_us = 0;
};

// Through the library, because a sandbox is more than its machine. Each of them differs from the
// snapshot by what its call wrote.
Frozen frozen_sandboxes(int count, uint32_t touched) {
  const Engine engine = Engine::create({.driver = Driver::kKvm}).value();
  const Program program = engine.load(touching_module(kHelloPages, touched), "touch").value();
  const Linker linker(engine);
  const Snapshot snapshot = linker.instantiate(program).value().snapshot().value();
  std::vector<Sandbox> sandboxes;
  std::vector<double> starts, freezes, thaws;
  Frozen result;
  const double before = available_kib();
  for (int i = 0; i < count; ++i) {
    starts.push_back(processor_microseconds_of([&] {
      sandboxes.push_back(linker.instantiate(snapshot).value());
      CHECK(sandboxes.back().call("f").returned());
    }));
  }
  result.live_kib = (before - available_kib()) / count;
  for (Sandbox& sandbox : sandboxes) {
    freezes.push_back(processor_microseconds_of([&] { CHECK(sandbox.freeze().has_value()); }));
    result.pages_kib += static_cast<double>(sandbox.usage().frozen_bytes) / 1024 / count;
  }
  result.frozen_kib = (before - available_kib()) / count;
  for (Sandbox& sandbox : sandboxes) {
    thaws.push_back(processor_microseconds_of([&] { CHECK(sandbox.call("f").returned()); }));
  }
  result.start_us = median(starts);
  result.freeze_us = median(freezes);
  result.thaw_us = median(thaws);
  return result;
}

void print_frozen(int count) {
  std::printf(
      "\n| frozen | pages written | live, KiB each | frozen, KiB each | of it pages | start and "
      "call, "
      "us | freeze, us | thaw and call, us |\n|---|---|---|---|---|---|---|---|\n");
  for (const uint32_t touched : {0U, kHelloPages}) {
    const Frozen result = frozen_sandboxes(count, touched);
    std::printf("| %d | %u | %.0f | %.1f | %.1f | %.0f | %.0f | %.0f |\n", count, touched * 16,
                result.live_kib, result.frozen_kib, result.pages_kib, result.start_us,
                result.freeze_us, result.thaw_us);
  }
  std::printf("\nTimes are the processor's.\n");
}

int run(int count) {
  rlimit files{};
  CHECK(::getrlimit(RLIMIT_NOFILE, &files) == 0);
  files.rlim_cur = files.rlim_max;
  CHECK(::setrlimit(RLIMIT_NOFILE, &files) == 0);
  auto kvm = RawKvm::open();
  if (!kvm) {
    std::printf("SKIPPED: %s\n", kvm.error().message.c_str());
    return 0;
  }
  auto host = vmm::Host::open(vmm::Driver::kKvm);
  auto image = bench_image(touching_module(kHelloPages));
  if (!host || !image) {
    std::fprintf(stderr, "%s\n", (host ? image.error() : host.error()).message.c_str());
    return 1;
  }
  // The kernel's caches are warm after the first round; the second counts.
  raw_crowd(*kvm, count);
  sandbox_crowd(**host, **image, count);
  const Crowd raw = raw_crowd(*kvm, count);
  const Crowd ours = sandbox_crowd(**host, **image, count);
  const double more = ours.kib_each - raw.kib_each;
  std::printf(
      "| live | raw VM, KiB each | sandbox, KiB each | more, KiB | at most | raw VM, last to first "
      "| sandbox, last to first | ratio | at most |\n|---|---|---|---|---|---|---|---|---|\n"
      "| %d | %.0f | %.0f | %.0f | %.0f | %.2f | %.2f | %.2f | %.1f |\n",
      count, raw.kib_each, ours.kib_each, more, kMoreKibMax, raw.slowdown, ours.slowdown,
      ours.slowdown / raw.slowdown, kSlowdownMax);
  print_frozen(count);
  return more <= kMoreKibMax ? 0 : 1;
}

}  // namespace
}  // namespace mayfly::bench

// Argument: how many at once; 2,000 without one.
int main(int argc, char** argv) {
  constexpr int kCountDefault = 2000;
  return mayfly::bench::run(argc > 1 ? std::atoi(argv[1]) : kCountDefault);
}
