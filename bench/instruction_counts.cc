// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What calls, restores and starts cost in nanoseconds, next to the raw VM. In QEMU with -icount a
// nanosecond is an instruction of library, kernel, KVM and guest together (icount_bench.py).
#include <fcntl.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/fd.h"
#include "bench/paired.h"
#include "bench/raw_kvm.h"
#include "runtime/image_runner.h"
#include "runtime/linked_program.h"
#include "runtime/pool_state.h"
#include "runtime/sandbox_state.h"

namespace mayfly::bench {
namespace {

using runtime::ImageRunner;

constexpr int kCalls = 2000;
constexpr int kRestores = 200;
constexpr int kStarts = 8;

std::unique_ptr<image::Image> open_image(const std::string& folder, const char* name) {
  Fd file = open_file(folder + "/" + name, O_RDONLY).value();
  auto image = image::Image::open(std::move(file));
  CHECK(image.has_value(), image ? "" : image.error().message);
  return *std::move(image);
}

std::unique_ptr<ImageRunner> start(vmm::Host& host, const image::Image& image) {
  runtime::RunnerOptions options;
  options.tracking = vmm::Tracking::kOn;
  auto runner = ImageRunner::create(host, image, options).value();
  CHECK(runner->run_step(0).value().kind == runtime::StepOutcome::Kind::kInstantiated);
  return runner;
}

// "f" with two i32, which functions without parameters do not look at.
void call(ImageRunner& runner, const image::FuncExport& function) {
  guest_abi::Slot slots[2] = {{2, 0}, {3, 0}};
  const auto end = runner.call_slots(function, slots);
  CHECK(end.has_value() && *end == nullptr);
}

const image::FuncExport& function_of(const ImageRunner& runner) {
  return runner.find_export(0, "f")->func;
}

double each(int count, const std::function<void()>& action) {
  action();
  const double us = microseconds_of([&] {
    for (int i = 0; i < count; ++i) action();
  });
  return us * 1000 / count;
}

void print(const char* name, double count) { std::printf("instructions: %s %.0f\n", name, count); }

void count_restores(vmm::Host& host, const image::Image& image, const char* name) {
  const auto runner = start(host, image);
  const auto snapshot = runner->snapshot().value();
  const image::FuncExport& function = function_of(*runner);
  print(name, each(kRestores, [&] {
          call(*runner, function);
          CHECK(runner->restore(snapshot).has_value());
        }));
}

// Acquired from a pool, called, and given back, which resets it.
void count_pooled(std::unique_ptr<vmm::Host> host, std::unique_ptr<image::Image> image) {
  runtime::LinkedProgram program;
  program.image = std::move(image);
  const auto linked = std::make_shared<const runtime::LinkedProgram>(std::move(program));
  runtime::EngineConfig config;
  config.host = std::move(host);
  const auto engine = runtime::EngineState::create(std::move(config)).value();
  const auto first = runtime::SandboxState::create(engine, linked, {}).value();
  CHECK(first->start().value() == nullptr);
  const auto snapshot = first->snapshot().value();
  const auto pool = runtime::PoolState::create(engine, snapshot, {}, {}, first).value();
  const image::FuncExport& function = first->find_export(wasm::ExternKind::kFunc, "f")->func;
  print("pooled", each(kRestores, [&] {
          auto sandbox = pool->acquire(std::chrono::seconds(1)).value();
          guest_abi::Slot slots[2] = {{2, 0}, {3, 0}};
          CHECK(sandbox->call(function, slots).value() == nullptr);
          pool->give_back(std::move(sandbox));
        }));
}

// Each is first in every second pair: whichever comes second pays for what the kernel puts off.
void count_starts(const RawKvm& kvm, vmm::Host& host, const image::Image& image) {
  const runtime::SnapshotPtr snapshot = start(host, image)->snapshot().value();
  std::optional<RawVm> raw;
  std::unique_ptr<ImageRunner> runner;
  const auto start_raw = [&] {
    raw.emplace(RawVm::create(kvm, RawExit::kOut).value());
    CHECK(raw->call().has_value());
  };
  const auto start_sandbox = [&] {
    runtime::RunnerOptions options;
    options.tracking = vmm::Tracking::kOn;
    runner = ImageRunner::create(host, image, options).value();
    CHECK(runner->restore(snapshot).has_value());
    call(*runner, function_of(*runner));
  };
  std::vector<double> raw_ns[2];
  std::vector<double> start_ns[2];
  for (int i = -2; i < 2 * kStarts; ++i) {
    const bool is_raw_first = i % 2 == 0;
    double raw_us = is_raw_first ? microseconds_of(start_raw) : 0;
    const double start_us = microseconds_of(start_sandbox);
    if (!is_raw_first) raw_us = microseconds_of(start_raw);
    raw.reset();
    runner.reset();
    if (i < 0) continue;  // the kernel's caches
    raw_ns[is_raw_first].push_back(raw_us * 1000);
    start_ns[is_raw_first].push_back(start_us * 1000);
  }
  // Now and then one of them waits milliseconds for a grace period.
  print("raw-start", (median(raw_ns[0]) + median(raw_ns[1])) / 2);
  print("start", (median(start_ns[0]) + median(start_ns[1])) / 2);
}

// Two programs in turn in the one machine that the host keeps.
void count_kept_starts(vmm::Host& host, const image::Image& a, const image::Image& b) {
  host.keep_idle(1);
  const image::Image* const images[] = {&a, &b};
  const runtime::SnapshotPtr snapshots[] = {start(host, a)->snapshot().value(),
                                            start(host, b)->snapshot().value()};
  std::vector<double> ns[2];
  for (int i = 0; i < 2 * kStarts; ++i) {
    std::unique_ptr<ImageRunner> runner;
    const double us = microseconds_of([&] {
      runtime::RunnerOptions options;
      options.tracking = vmm::Tracking::kOn;
      runner = ImageRunner::create(host, *images[i % 2], options).value();
      CHECK(runner->restore(snapshots[i % 2]).has_value());
      call(*runner, function_of(*runner));
    });
    ns[i % 2].push_back(us * 1000);
  }
  print("start-kept", (median(ns[0]) + median(ns[1])) / 2);
}

int run(const std::string& folder) {
  const RawKvm kvm = RawKvm::open().value();
  const auto host = vmm::Host::open(vmm::Driver::kKvm).value();
  const auto add = open_image(folder, "add.mayfly");
  RawVm raw = RawVm::create(kvm, RawExit::kOut).value();
  print("raw-exit", each(kCalls, [&] { CHECK(raw.call().has_value()); }));
  const auto runner = start(*host, *add);
  const image::FuncExport& function = function_of(*runner);
  print("call", each(kCalls, [&] { call(*runner, function); }));
  count_restores(*host, *add, "call-restore");
  count_restores(*host, *open_image(folder, "pages16.mayfly"), "call-restore-16");
  count_restores(*host, *open_image(folder, "pages256.mayfly"), "call-restore-256");
  count_starts(kvm, *host, *add);
  count_kept_starts(*vmm::Host::open(vmm::Driver::kKvm).value(), *add,
                    *open_image(folder, "pages16.mayfly"));
  count_pooled(vmm::Host::open(vmm::Driver::kKvm).value(), open_image(folder, "add.mayfly"));
  return 0;
}

}  // namespace
}  // namespace mayfly::bench

int main(int argc, char** argv) { return mayfly::bench::run(argc > 1 ? argv[1] : "."); }
