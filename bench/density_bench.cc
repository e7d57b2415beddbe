// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Host memory of N live sandboxes that have run hello, each next to a raw VM: the difference of
// MemAvailable, because page tables, KVM's structures and shared pages are in no process's RSS.
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "bench/bench_image.h"
#include "bench/raw_kvm.h"
#include "runtime/image_runner.h"

namespace mayfly::bench {
namespace {

constexpr double kBarKib = 256;

double available_kib() {
  std::ifstream meminfo("/proc/meminfo");
  std::string word;
  double value = 0;
  while (meminfo >> word) {
    if (word == "MemAvailable:" && meminfo >> value) return value;
  }
  return 0;
}

double raw_kib_each(const RawKvm& kvm, int count) {
  std::vector<RawVm> vms;
  const double before = available_kib();
  for (int i = 0; i < count; ++i) {
    vms.push_back(RawVm::create(kvm).value());
    CHECK(vms.back().call().has_value());
  }
  return (before - available_kib()) / count;
}

double sandbox_kib_each(vmm::Host& host, const image::Image& image, int count) {
  std::vector<std::unique_ptr<runtime::ImageRunner>> runners;
  const double before = available_kib();
  for (int i = 0; i < count; ++i) {
    auto runner = runtime::ImageRunner::create(host, image, {});
    CHECK(runner.has_value(), runner ? "" : runner.error().message);
    CHECK((*runner)->run_step(0).has_value());
    const auto outcome = (*runner)->call((*runner)->find_export(0, "f")->func, {});
    CHECK(outcome.has_value() && outcome->kind == runtime::CallOutcome::Kind::kReturned);
    runners.push_back(std::move(*runner));
  }
  return (before - available_kib()) / count;
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
  constexpr uint32_t kHelloPages = 2;  // what clang's hello asks for
  auto image = bench_image(touching_module(kHelloPages));
  if (!host || !image) {
    std::fprintf(stderr, "%s\n", (host ? image.error() : host.error()).message.c_str());
    return 1;
  }
  // The kernel's caches are warm after the first round; the second counts.
  raw_kib_each(*kvm, count);
  sandbox_kib_each(**host, **image, count);
  const double raw = raw_kib_each(*kvm, count);
  const double ours = sandbox_kib_each(**host, **image, count);
  std::printf(
      "| live | raw VM, KiB each | sandbox, KiB each | more, KiB | at most "
      "|\n|---|---|---|---|---|\n"
      "| %d | %.0f | %.0f | %.0f | %.0f |\n",
      count, raw, ours, ours - raw, kBarKib);
  return ours - raw <= kBarKib ? 0 : 1;
}

}  // namespace
}  // namespace mayfly::bench

// Argument: how many at once; 500 without one.
int main(int argc, char** argv) {
  constexpr int kCountDefault = 500;
  return mayfly::bench::run(argc > 1 ? std::atoi(argv[1]) : kCountDefault);
}
