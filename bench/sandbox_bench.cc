// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sandboxes that go back to a saved state: starting from a snapshot, call and reset, restoring
// another snapshot, taking one; each next to the raw VM, the raw exit, or the copying alone.
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>

#include "base/check.h"
#include "bench/bench_image.h"
#include "bench/paired.h"
#include "bench/raw_kvm.h"
#include "runtime/image_runner.h"

namespace mayfly::bench {
namespace {

constexpr int kColdPairs = 101;
constexpr int kResetPairs = 4001;
constexpr int kLargePairs = 301;
constexpr uint64_t kPageBytes = 4096;

using runtime::ImageRunner;

std::unique_ptr<ImageRunner> make(vmm::Host& host, const image::Image& image) {
  runtime::RunnerOptions options;
  options.tracking = vmm::Tracking::kOn;
  return ImageRunner::create(host, image, std::move(options)).value();
}

std::unique_ptr<ImageRunner> start(vmm::Host& host, const image::Image& image) {
  auto runner = make(host, image);
  CHECK(runner->run_step(0).value().kind == runtime::StepOutcome::Kind::kInstantiated);
  return runner;
}

void call(ImageRunner& runner) {
  const image::ImageExport* function = runner.find_export(0, "f");
  const auto outcome = runner.call(function->func, {});
  CHECK(outcome.has_value() && outcome->kind == runtime::CallOutcome::Kind::kReturned);
}

// Creation up to the first result; destruction is outside, as a pool keeps it off the path.
Paired start_from_snapshot(const RawKvm& kvm, vmm::Host& host, const image::Image& image) {
  const runtime::SnapshotPtr snapshot = start(host, image)->snapshot().value();
  std::optional<RawVm> raw;
  std::unique_ptr<ImageRunner> runner;
  std::vector<double> floors, subjects, ratios;
  for (int i = 0; i < kColdPairs; ++i) {
    const double a = microseconds_of([&] {
      raw.emplace(RawVm::create(kvm).value());
      CHECK(raw->call().has_value());
    });
    const double b = microseconds_of([&] {
      runner = make(host, image);
      CHECK(runner->restore(snapshot).has_value());
      call(*runner);
    });
    raw.reset();
    runner.reset();
    floors.push_back(a);
    subjects.push_back(b);
    ratios.push_back(b / a);
  }
  return {median(floors), median(subjects), median(ratios)};
}

// The image's function writes to `pages` pages.
Paired call_and_reset(const RawKvm& kvm, vmm::Host& host, const image::Image& image, uint64_t pages,
                      int pairs) {
  RawVm raw = RawVm::create(kvm).value();
  const auto golden = std::make_unique<uint8_t[]>(pages * kPageBytes);
  std::memset(golden.get(), 1, pages * kPageBytes);
  const auto runner = start(host, image);
  const auto snapshot = runner->snapshot().value();
  for (int i = 0; i < 20; ++i) {
    call(*runner);
    CHECK(runner->restore(snapshot).has_value());
  }
  return measure_paired(
      pairs,
      [&] {
        CHECK(raw.call().has_value());
        std::memcpy(raw.spare_memory(), golden.get(), pages * kPageBytes);
      },
      [&] {
        call(*runner);
        CHECK(runner->restore(snapshot).has_value());
      });
}

Paired warm_call(const RawKvm& kvm, vmm::Host& host, const image::Image& image) {
  RawVm raw = RawVm::create(kvm).value();
  const auto runner = start(host, image);
  return measure_paired(
      kResetPairs, [&] { CHECK(raw.call().has_value()); }, [&] { call(*runner); });
}

// One reset after a call that wrote 16 MiB, and the tenth after it, next to those before.
Paired tenth_reset_after_a_burst(vmm::Host& host, const image::Image& large) {
  const auto runner = start(host, large);
  const auto snapshot = runner->snapshot().value();
  const auto reset = [&] { CHECK(runner->restore(snapshot).has_value()); };
  std::vector<double> before, after, ratios;
  for (int round = 0; round < 21; ++round) {
    before.push_back(microseconds_of(reset));
    call(*runner);
    for (int i = 0; i < 9; ++i) reset();
    after.push_back(microseconds_of(reset));
    ratios.push_back(after.back() / before.back());
  }
  return {median(before), median(after), median(ratios)};
}

void print_snapshot_times(vmm::Host& host, const image::Image& large, const image::Image& small) {
  const auto runner = start(host, large);
  call(*runner);
  const auto base = runner->snapshot().value();
  (void)small;
  std::printf("\n| what | ms |\n|---|---|\n");
  std::vector<double> times;
  for (int i = 0; i < 5; ++i) {
    call(*runner);
    times.push_back(microseconds_of([&] { CHECK(runner->snapshot().has_value()); }) / 1e3);
  }
  std::printf("| snapshot of 256 MiB, every page written with what it had | %.2f |\n",
              median(times));
}

int run() {
  auto kvm = RawKvm::open();
  if (!kvm) {
    std::printf("SKIPPED: %s\n", kvm.error().message.c_str());
    return 0;
  }
  auto host = vmm::Host::open(vmm::Driver::kKvm).value();
  const auto empty = bench_image(empty_module()).value();
  const auto pages_16 = bench_image(touching_module(1)).value();
  const auto pages_1024 = bench_image(touching_module(64)).value();
  const auto burst = bench_image(touching_module(256)).value();
  const auto large = bench_image(touching_module(4096)).value();
  print_header();
  print_row("new sandbox from a snapshot to its first result / raw VM",
            start_from_snapshot(*kvm, *host, *empty), "1.3");
  print_row("warm call of a sandbox that can be reset / raw exit", warm_call(*kvm, *host, *empty),
            "1.08");
  print_row("call + reset, no page written / raw exit",
            call_and_reset(*kvm, *host, *empty, 0, kResetPairs), "");
  print_row("call + reset, 16 pages / raw exit + copying",
            call_and_reset(*kvm, *host, *pages_16, 16, kResetPairs), "1.12");
  print_row("call + reset, 1,024 pages / raw exit + copying",
            call_and_reset(*kvm, *host, *pages_1024, 1024, kLargePairs), "1.1");
  print_row("tenth reset after a burst of 16 MiB / reset before it",
            tenth_reset_after_a_burst(*host, *burst), "");
  print_snapshot_times(*host, *large, *empty);
  return 0;
}

}  // namespace
}  // namespace mayfly::bench

int main() { return mayfly::bench::run(); }
