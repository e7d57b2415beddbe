// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sandboxes of a component that exports `hello: func(name: string) -> string`, next to the smallest
// virtual machine: from a snapshot to the first answer, a call and a reset, and the host's memory
// of many that have answered. wasi02_bench.py runs it.
//   component_sandboxes DRIVER FILE
#include <cstdio>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "bench/paired.h"
#include "mayfly/mayfly.hh"
#include "vmm/smallest_guest.h"
#include "vmm/vm.h"

namespace mayfly::bench {
namespace {

constexpr int kStarts = 101;
constexpr int kCalls = 501;
constexpr int kSandboxes = 200;

double available_kib() {
  std::ifstream file("/proc/meminfo");
  std::string name;
  double kib = 0;
  while (file >> name && name != "MemAvailable:") file.ignore(256, '\n');
  file >> kib;
  return kib;
}

void answer(Sandbox& sandbox) {
  const auto hello = sandbox.component_function<std::string(std::string_view)>("hello");
  CHECK(hello.has_value(), hello.error().message);
  CHECK(*(*hello)("Mayfly") == "Hello, Mayfly!");
}

class Subject {
 public:
  Subject(Driver driver, const std::string& file)
      : engine_(Engine::create({.driver = driver}).value()),
        linker_(engine_),
        program_(load(file)),
        snapshot_(linker_.instantiate(program_).value().snapshot().value()),
        host_(vmm::Host::open(driver == Driver::kKvm ? vmm::Driver::kKvm : vmm::Driver::kProcess)
                  .value()),
        floor_(vmm::SmallestGuest::create().value()) {}

  void print_start() {
    std::optional<Sandbox> sandbox;
    std::unique_ptr<vmm::Vm> floor;
    std::vector<double> starts, floors, over;
    for (int i = 0; i < kStarts; ++i) {
      const double raw = microseconds_of([&] {
        floor = host_->create_vm(floor_.config).value();
        CHECK(floor->enter(vmm::kEmptyCall).has_value());
      });
      const double ours = microseconds_of([&] {
        sandbox.emplace(linker_.instantiate(snapshot_).value());
        answer(*sandbox);
      });
      exits_ = sandbox->usage().exits;
      floor.reset();
      sandbox.reset();
      floors.push_back(raw / 1e3);
      starts.push_back(ours / 1e3);
      over.push_back((ours - raw) / 1e3);
    }
    std::printf(
        "| from a snapshot to the first answer | %.2f ms | %.2f ms | %.2f ms | 3 ms | %lu |\n",
        median(floors), median(starts), median(over), static_cast<unsigned long>(exits_));
  }

  void print_calls() {
    Sandbox sandbox = linker_.instantiate(snapshot_).value();
    std::vector<double> calls, resets, both;
    uint64_t exits = 0;
    for (int i = 0; i < kCalls; ++i) {
      const uint64_t before = sandbox.usage().exits;
      const double call = microseconds_of([&] { answer(sandbox); });
      exits = sandbox.usage().exits - before;
      const double reset = microseconds_of([&] { CHECK(sandbox.reset().has_value()); });
      calls.push_back(call);
      resets.push_back(reset);
      both.push_back(call + reset);
    }
    std::printf("| call + reset | | %.0f us: %.0f + %.0f | | | %lu |\n", median(both),
                median(calls), median(resets), static_cast<unsigned long>(exits));
  }

  // The kernel's caches are warm after the first round; the second counts.
  void print_memory() {
    memory_of_each();
    const double kib = memory_of_each();
    std::printf("| memory of each of %d that have answered | | %.2f MiB | | 3 MiB | |\n",
                kSandboxes, kib / 1024);
  }

 private:
  Program load(const std::string& file) {
    auto program = engine_.load(file);
    CHECK(program.has_value(), program.error().message);
    return *std::move(program);
  }
  double memory_of_each() {
    std::vector<Sandbox> sandboxes;
    sandboxes.reserve(kSandboxes);
    const double before = available_kib();
    for (int i = 0; i < kSandboxes; ++i) {
      sandboxes.push_back(linker_.instantiate(snapshot_).value());
      answer(sandboxes.back());
    }
    return (before - available_kib()) / kSandboxes;
  }

  Engine engine_;
  Linker linker_;
  Program program_;
  Snapshot snapshot_;
  std::unique_ptr<vmm::Host> host_;
  vmm::SmallestGuest floor_;
  uint64_t exits_ = 0;
};

}  // namespace
}  // namespace mayfly::bench

int main(int argc, char** argv) {
  using namespace mayfly;  // NOLINT: of this function only
  if (argc != 3) return 2;
  bench::Subject subject(std::string_view(argv[1]) == "kvm" ? Driver::kKvm : Driver::kProcess,
                         argv[2]);
  subject.print_start();
  subject.print_calls();
  subject.print_memory();
  return 0;
}
