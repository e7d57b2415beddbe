// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Restoring another snapshot, by the number of pages in which it differs from where the sandbox is:
// next to a raw exit and the copying of these pages. A sandbox of 32 MiB, every page of it other
// than zero, goes back and forth between two snapshots that share all other pages.
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <initializer_list>
#include <memory>

#include "base/check.h"
#include "bench/bench_image.h"
#include "bench/paired.h"
#include "bench/raw_kvm.h"
#include "runtime/image_runner.h"

namespace mayfly::bench {
namespace {

constexpr uint64_t kPageBytes = 4096;
constexpr uint32_t kWasmPages = 512;

using runtime::ImageRunner;

struct Subject {
  std::unique_ptr<ImageRunner> runner;
  const image::ImageExport* function;
  uint64_t address;
  std::span<uint8_t> memory;
};

Subject start(vmm::Host& host, const image::Image& image) {
  runtime::RunnerOptions options;
  options.tracking = vmm::Tracking::kOn;
  Subject subject{ImageRunner::create(host, image, options).value(), nullptr, 0, {}};
  ImageRunner& runner = *subject.runner;
  CHECK(runner.run_step(0).value().kind == runtime::StepOutcome::Kind::kInstantiated);
  subject.function = runner.find_export(0, "f");
  for (const image::Region& region : image.regions()) {
    if (region.kind != image::RegionKind::kMemory) continue;
    subject.address = region.address;
    subject.memory = runner.vm().view(region.address, kWasmPages * 65536).value();
  }
  std::memset(subject.memory.data(), 1, subject.memory.size());
  return subject;
}

uint64_t read_pages(std::span<const uint8_t> memory, uint64_t pages) {
  uint64_t sum = 0;
  for (uint64_t page = 0; page < pages; ++page) sum += memory[page * kPageBytes];
  return sum;
}

// Reading: the host then looks at each page that differs, of which many come by need.
enum class Reading : uint8_t { kNo, kYes };

Paired restore(const RawKvm& kvm, vmm::Host& host, const image::Image& image, uint64_t pages,
               Reading reading) {
  RawVm raw = RawVm::create(kvm).value();
  const auto golden = std::make_unique<uint8_t[]>(pages * kPageBytes);
  std::memset(golden.get(), 1, pages * kPageBytes);
  const Subject subject = start(host, image);
  const runtime::SnapshotPtr first = subject.runner->snapshot().value();
  // Told of them by the view, the machine knows that they may have changed.
  CHECK(subject.runner->vm().view(subject.address, pages * kPageBytes).has_value());
  for (uint64_t page = 0; page < pages; ++page) subject.memory[page * kPageBytes + 8] = 2;
  const runtime::SnapshotPtr second = subject.runner->snapshot().value();
  CHECK(second->own_page_count() >= pages, second->own_page_count(), pages);
  bool at_second = true;
  constexpr uint64_t kPairsMax = 2001;
  return measure_paired(
      static_cast<int>(kPairsMax / (1 + pages / 64)) + 20,
      [&] {
        CHECK(raw.call().has_value());
        std::memcpy(raw.spare_memory(), golden.get(), pages * kPageBytes);
        if (reading == Reading::kYes) {
          CHECK(read_pages({raw.spare_memory(), pages * kPageBytes}, pages) == pages);
        }
      },
      [&] {
        const auto outcome = subject.runner->call(subject.function->func, {});
        CHECK(outcome.has_value() && outcome->kind == runtime::CallOutcome::Kind::kReturned);
        at_second = !at_second;
        CHECK(subject.runner->restore(at_second ? second : first).has_value());
        if (reading == Reading::kYes) CHECK(read_pages(subject.memory, pages) == pages);
      });
}

int run() {
  auto kvm = RawKvm::open();
  if (!kvm) {
    std::printf("SKIPPED: %s\n", kvm.error().message.c_str());
    return 0;
  }
  auto host = vmm::Host::open(vmm::Driver::kKvm).value();
  const auto image = bench_image(touching_module(kWasmPages, 0)).value();
  std::printf(
      "| pages that differ | raw exit + copying, us | call + restore, us | ratio | us a page more "
      "| and reading them, us | ratio |\n|---|---|---|---|---|---|---|\n");
  double none = 0;
  for (const uint64_t pages : std::initializer_list<uint64_t>{0, 16, 64, 256, 1024, 4096}) {
    const Paired bare = restore(*kvm, *host, *image, pages, Reading::kNo);
    const Paired read = restore(*kvm, *host, *image, pages, Reading::kYes);
    if (pages == 0) none = bare.subject_us;
    const double each = pages == 0 ? 0 : (bare.subject_us - none) / static_cast<double>(pages);
    std::printf("| %llu | %.2f | %.2f | %.2f | %.3f | %.2f | %.2f |\n",
                static_cast<unsigned long long>(pages), bare.floor_us, bare.subject_us, bare.ratio,
                each, read.subject_us, read.ratio);
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace mayfly::bench

int main() { return mayfly::bench::run(); }
