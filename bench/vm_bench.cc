// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A new VM to its first result, a warm call of an empty export, and touching 256 MiB, each next
// to the raw VM, the raw exit, or the same loop in this process.
#include <sys/mman.h>

#include <cstdio>
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
constexpr int kWarmPairs = 20001;
constexpr int kTouchPairs = 9;
constexpr uint32_t kTouchPages = 4096;
constexpr uint64_t kTouchBytes = uint64_t{256} << 20;

std::unique_ptr<runtime::ImageRunner> start(vmm::Host& host, const image::Image& image) {
  auto runner = runtime::ImageRunner::create(host, image, {}).value();
  CHECK(runner->run_step(0).value().kind == runtime::StepOutcome::Kind::kInstantiated);
  return runner;
}

void call(runtime::ImageRunner& runner) {
  const image::ImageExport* function = runner.find_export(0, "f");
  const auto outcome = runner.call(function->func, {});
  CHECK(outcome.has_value() && outcome->kind == runtime::CallOutcome::Kind::kReturned);
}

// Creation up to the first result; destruction is outside, as a pool keeps it off the path.
Paired cold(const RawKvm& kvm, vmm::Host& host, const image::Image& image) {
  std::optional<RawVm> raw;
  std::unique_ptr<runtime::ImageRunner> runner;
  const auto start_and_call = [&] {
    runner = start(host, image);
    call(*runner);
  };
  std::vector<double> floors, subjects, ratios;
  for (int i = 0; i < kColdPairs; ++i) {
    const double a = microseconds_of([&] {
      raw.emplace(RawVm::create(kvm).value());
      CHECK(raw->call().has_value());
    });
    const double b = microseconds_of(start_and_call);
    raw.reset();
    runner.reset();
    floors.push_back(a);
    subjects.push_back(b);
    ratios.push_back(b / a);
  }
  return {median(floors), median(subjects), median(ratios), own_cost(start_and_call)};
}

Paired warm(const RawKvm& kvm, vmm::Host& host, const image::Image& image) {
  RawVm raw = RawVm::create(kvm).value();
  const auto runner = start(host, image);
  return measure_paired(kWarmPairs, [&] { CHECK(raw.call().has_value()); }, [&] { call(*runner); });
}

Paired touch(vmm::Host& host, const image::Image& image) {
  std::vector<double> floors, subjects, ratios;
  for (int i = 0; i < kTouchPairs; ++i) {
    const Mapping native = Mapping::anonymous(kTouchBytes).value();
    const auto runner = start(host, image);
    const double a = microseconds_of([&] {
      volatile uint8_t* bytes = native.data();
      for (uint64_t at = 0; at < kTouchBytes; at += 4096) bytes[at] = 1;
    });
    const double b = microseconds_of([&] { call(*runner); });
    floors.push_back(a);
    subjects.push_back(b);
    ratios.push_back(b / a);
  }
  const auto runner = start(host, image);
  return {median(floors), median(subjects), median(ratios), own_cost([&] { call(*runner); })};
}

int run() {
  auto kvm = RawKvm::open();
  if (!kvm) {
    std::printf("SKIPPED: %s\n", kvm.error().message.c_str());
    return 0;
  }
  auto host = vmm::Host::open(vmm::Driver::kKvm);
  auto empty = bench_image(empty_module());
  auto touching = bench_image(touching_module(kTouchPages));
  for (const Error* error : {host ? nullptr : &host.error(), empty ? nullptr : &empty.error(),
                             touching ? nullptr : &touching.error()}) {
    if (error == nullptr) continue;
    std::fprintf(stderr, "%s\n", error->message.c_str());
    return 1;
  }
  print_header();
  print_row("new VM to its first result / raw VM to its first exit", cold(*kvm, **host, **empty),
            "1.5");
  print_row("warm call of an empty export / raw exit round trip", warm(*kvm, **host, **empty),
            "1.2");
  print_row("touching 256 MiB / the same loop natively", touch(**host, **touching), "1.5");
  return 0;
}

}  // namespace
}  // namespace mayfly::bench

int main() { return mayfly::bench::run(); }
