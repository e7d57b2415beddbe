// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sandboxes that go back to a saved state: starting from a snapshot, call and reset, restoring
// another snapshot, taking one; each next to the raw VM, the raw exit, or the copying alone.
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/check.h"
#include "bench/bench_image.h"
#include "bench/paired.h"
#include "bench/raw_kvm.h"
#include "runtime/image_runner.h"
#include "runtime/snapshot_file.h"
#include "runtime/snapshot_save.h"

namespace mayfly::bench {
namespace {

constexpr int kColdPairs = 101;
constexpr int kKeptPairs = 301;
// Pages that a guest of empty_module() and of touching_module(1) touches up to its first result,
// beside that of the first instruction: KVM counts 3 and 19 page faults ("pf_fixed").
constexpr uint64_t kFirstTouches[] = {2, 18};
constexpr int kResetPairs = 4001;
constexpr int kLargePairs = 301;
constexpr uint64_t kPageBytes = 4096;

using runtime::ImageRunner;

std::unique_ptr<ImageRunner> make(vmm::Host& host, const image::Image& image) {
  runtime::RunnerOptions options;
  options.tracking = vmm::Tracking::kOn;
  return ImageRunner::create(host, image, options).value();
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
  const auto start = [&] {
    runner = make(host, image);
    CHECK(runner->restore(snapshot).has_value());
    call(*runner);
  };
  std::vector<double> floors, subjects, ratios;
  for (int i = 0; i < kColdPairs; ++i) {
    const double a = microseconds_of([&] {
      raw.emplace(RawVm::create(kvm).value());
      CHECK(raw->call().has_value());
    });
    const double b = microseconds_of(start);
    raw.reset();
    runner.reset();
    floors.push_back(a);
    subjects.push_back(b);
    ratios.push_back(b / a);
  }
  return {median(floors), median(subjects), median(ratios), own_cost(start)};
}

// Two programs in turn in the one machine that the host keeps.
Paired start_in_a_kept_machine(const RawKvm& kvm, const image::Image& a, const image::Image& b) {
  const auto host = vmm::Host::open(vmm::Driver::kKvm).value();
  host->keep_idle(1);
  const image::Image* const images[] = {&a, &b};
  const runtime::SnapshotPtr snapshots[] = {start(*host, a)->snapshot().value(),
                                            start(*host, b)->snapshot().value()};
  RawVm raw = RawVm::create(kvm).value();
  std::unique_ptr<ImageRunner> runner;
  const auto start = [&](int i) {
    runner = make(*host, *images[i % 2]);
    CHECK(runner->restore(snapshots[i % 2]).has_value());
    call(*runner);
  };
  std::vector<double> floors, subjects, ratios;
  for (int i = 0; i < kKeptPairs; ++i) {
    const double subject = microseconds_of([&] { start(i); });
    runner.reset();
    const double floor = microseconds_of([&] {
      CHECK(raw.remap().has_value());
      CHECK(raw.call(kFirstTouches[i % 2]).has_value());
    });
    floors.push_back(floor);
    subjects.push_back(subject);
    ratios.push_back(subject / floor);
  }
  return {median(floors), median(subjects), median(ratios), own_cost([&] { start(kKeptPairs); })};
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
    // All of them timed: the burst took the clock's code and page from the caches, too.
    for (int i = 0; i < 9; ++i) static_cast<void>(microseconds_of(reset));
    after.push_back(microseconds_of(reset));
    ratios.push_back(after.back() / before.back());
  }
  return {median(before), median(after), median(ratios), own_cost(reset)};
}

// All of its memory is other than zero, and "f" changes the first of its pages.
std::unique_ptr<ImageRunner> start_full(vmm::Host& host, const image::Image& image) {
  auto runner = start(host, image);
  for (size_t region = 0; region < image.regions().size(); ++region) {
    if (image.regions()[region].kind != image::RegionKind::kMemory) continue;
    const auto bytes = runner->vm().region_bytes(region);
    const auto memory = runner->vm().view(image.regions()[region].address, bytes).value();
    std::memset(memory.data(), 3, memory.size());
  }
  return runner;
}

double snapshot_of_1_percent(vmm::Host& host, const image::Image& large_touched) {
  const auto runner = start_full(host, large_touched);
  const auto base = runner->snapshot().value();
  std::vector<double> times;
  for (int i = 0; i < 21; ++i) {
    CHECK(runner->restore(base).has_value());
    call(*runner);
    times.push_back(microseconds_of([&] { CHECK(runner->snapshot().has_value()); }) / 1e3);
  }
  return median(times);
}

// From a file of 256 MiB to the first result, past what the raw VM takes; opening the file alone.
std::pair<double, double> load_times(const RawKvm& kvm, vmm::Host& host,
                                     const image::Image& large_touched) {
  const std::string path = "/tmp/mayfly-bench-" + std::to_string(::getpid());
  CHECK(runtime::save_snapshot(*start_full(host, large_touched)->snapshot().value(),
                               {&large_touched, 0, false}, path)
            .has_value());
  std::optional<RawVm> raw;
  std::vector<double> open_times, over_floor;
  for (int i = 0; i < 51; ++i) {
    const double floor = microseconds_of([&] {
      raw.emplace(RawVm::create(kvm).value());
      CHECK(raw->call().has_value());
    });
    std::unique_ptr<image::Image> image;
    runtime::SnapshotPtr snapshot;
    std::unique_ptr<ImageRunner> runner;
    const double opening = microseconds_of([&] {
      const auto file = runtime::SnapshotFile::open(path).value();
      image = file->open_image().value();
      snapshot = runtime::Snapshot::create(file, *image).value();
    });
    const double starting = microseconds_of([&] {
      runner = make(host, *image);
      CHECK(runner->restore(snapshot).has_value());
      call(*runner);
    });
    raw.reset();
    open_times.push_back(opening / 1e3);
    over_floor.push_back((opening + starting - floor) / 1e3);
  }
  ::unlink(path.c_str());
  return {median(open_times), median(over_floor)};
}

void print_snapshot_times(const RawKvm& kvm, vmm::Host& host, const image::Image& large) {
  const auto runner = start(host, large);
  call(*runner);
  const auto base = runner->snapshot().value();
  std::printf("\n| what | ms | bar |\n|---|---|---|\n");
  const auto touched_1_percent = bench_image(touching_module(4096, 41)).value();
  std::printf("| snapshot of 256 MiB, 1%% of it written | %.2f | 10 |\n",
              snapshot_of_1_percent(host, *touched_1_percent));
  const auto touched_1_page = bench_image(touching_module(4096, 1)).value();
  const auto [opening, over_floor] = load_times(kvm, host, *touched_1_page);
  std::printf("| opening a snapshot file of 256 MiB | %.2f | |\n", opening);
  std::printf("| from it to the first result, over the raw VM | %.2f | 5 |\n", over_floor);
  std::vector<double> times;
  for (int i = 0; i < 5; ++i) {
    call(*runner);
    times.push_back(microseconds_of([&] { CHECK(runner->snapshot().has_value()); }) / 1e3);
  }
  std::printf("| snapshot of 256 MiB, every page written with what it had | %.2f | |\n",
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
  print_row("another program in a kept machine, to its first result / raw remap + first touches",
            start_in_a_kept_machine(*kvm, *empty, *pages_16), "1.3");
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
  print_snapshot_times(*kvm, *host, *large);
  return 0;
}

}  // namespace
}  // namespace mayfly::bench

int main() { return mayfly::bench::run(); }
