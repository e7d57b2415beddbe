// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Calls through the library: warm ones, with a host function, from a pool, on two threads, and
// those that a deadline ends. Next to the raw exit where there is such a floor.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <functional>
#include <iterator>
#include <memory>
#include <thread>
#include <vector>

#include "base/check.h"
#include "bench/bench_image.h"
#include "bench/paired.h"
#include "bench/raw_kvm.h"
#include "mayfly/mayfly.hh"

namespace mayfly::bench {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr int kCallPairs = 8001;

using Add = TypedFunction<int32_t(int32_t, int32_t)>;

// (import "env" "add" (func (param i32 i32) (result i32))), and as exports: "add" adds, "host"
// calls the import, "spin" does not end.
constexpr uint8_t kModule[] = {
    0x00, 'a',  's',  'm',  0x01, 0x00, 0x00, 0x00, 0x01, 0x0a, 0x02, 0x60, 0x02, 0x7f, 0x7f,
    0x01, 0x7f, 0x60, 0x00, 0x00, 0x02, 0x0b, 0x01, 0x03, 'e',  'n',  'v',  0x03, 'a',  'd',
    'd',  0x00, 0x00, 0x03, 0x04, 0x03, 0x00, 0x00, 0x01, 0x07, 0x15, 0x03, 0x03, 'a',  'd',
    'd',  0x00, 0x01, 0x04, 'h',  'o',  's',  't',  0x00, 0x02, 0x04, 's',  'p',  'i',  'n',
    0x00, 0x03, 0x0a, 0x1a, 0x03, 0x07, 0x00, 0x20, 0x00, 0x20, 0x01, 0x6a, 0x0b, 0x08, 0x00,
    0x20, 0x00, 0x20, 0x01, 0x10, 0x00, 0x0b, 0x07, 0x00, 0x03, 0x40, 0x0c, 0x00, 0x0b, 0x0b};

struct Library {
  Engine engine;
  Linker linker;
  Program calls;
};

Library open_library() {
  Engine engine = Engine::create({.driver = Driver::kKvm}).value();
  Linker linker(engine);
  linker.define("env", "add", [](int32_t a, int32_t b) { return a + b; });
  Program calls = engine.load(kModule, "calls").value();
  return {std::move(engine), std::move(linker), std::move(calls)};
}

void add_once(const Add& add) { CHECK(add(2, 3).value() == 5); }

Paired call(const RawKvm& kvm, const Library& library, const char* name) {
  RawVm raw = RawVm::create(kvm).value();
  const Sandbox sandbox = library.linker.instantiate(library.calls).value();
  const Add add = sandbox.function<int32_t(int32_t, int32_t)>(name).value();
  return measure_paired(kCallPairs, [&] { CHECK(raw.call().has_value()); }, [&] { add_once(add); });
}

// A pool gives back by resetting: acquire, call, give back.
Paired pooled_call(const RawKvm& kvm, const Library& library) {
  RawVm raw = RawVm::create(kvm).value();
  const Pool pool = Pool::create(library.linker, library.calls).value();
  return measure_paired(
      kCallPairs, [&] { CHECK(raw.call().has_value()); },
      [&] {
        PooledSandbox sandbox = pool.acquire().value();
        CHECK(sandbox->call<int32_t>("add", 2, 3).value() == 5);
      });
}

// The same of a function that writes to each of 16 pages.
Paired pooled_call_that_writes(const RawKvm& kvm, const Library& library) {
  constexpr size_t kBytes = 16 * 4096;
  RawVm raw = RawVm::create(kvm).value();
  const auto golden = std::make_unique<uint8_t[]>(kBytes);
  std::memset(golden.get(), 1, kBytes);
  const Program program = library.engine.load(touching_module(1), "touch").value();
  const Pool pool = Pool::create(library.linker, program).value();
  return measure_paired(
      kCallPairs / 4,
      [&] {
        CHECK(raw.call().has_value());
        std::memcpy(raw.spare_memory(), golden.get(), kBytes);
      },
      [&] {
        PooledSandbox sandbox = pool.acquire().value();
        CHECK(sandbox->call("f").returned());
      });
}

// How many times per second `threads` threads together do what each worker's action does.
double rate(int threads, const std::function<std::function<void()>()>& new_worker) {
  constexpr auto kTime = milliseconds(700);
  std::atomic<int> ready = 0;
  std::atomic<bool> go = false;
  std::atomic<bool> stop = false;
  std::atomic<uint64_t> total = 0;
  std::vector<std::thread> workers;
  workers.reserve(static_cast<size_t>(threads));
  for (int i = 0; i < threads; ++i) {
    workers.emplace_back([&] {
      const auto action = new_worker();
      action();
      ++ready;
      while (!go) std::this_thread::yield();
      uint64_t count = 0;
      for (; !stop; ++count) action();
      total += count;
    });
  }
  while (ready < threads) std::this_thread::yield();
  const auto start = std::chrono::steady_clock::now();
  go = true;
  std::this_thread::sleep_for(kTime);
  stop = true;
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  for (std::thread& worker : workers) worker.join();
  return static_cast<double>(total) / took.count();
}

void print_scaling(const RawKvm& kvm, const Library& library) {
  const Pool pool = Pool::create(library.linker, library.calls).value();
  const auto raw = [&] {
    auto vm = std::make_shared<RawVm>(RawVm::create(kvm).value());
    return [vm] { CHECK(vm->call().has_value()); };
  };
  const auto pooled = [&] {
    return [&] {
      PooledSandbox sandbox = pool.acquire().value();
      CHECK(sandbox->call<int32_t>("add", 2, 3).value() == 5);
    };
  };
  std::vector<double> floors, subjects, ratios;
  for (int i = 0; i < 5; ++i) {
    const double a = rate(2, raw) / rate(1, raw);
    const double b = rate(2, pooled) / rate(1, pooled);
    floors.push_back(a);
    subjects.push_back(b);
    ratios.push_back(b / a);
  }
  std::printf(
      "\n| what | raw VM | Mayfly with a pool | ratio | at least |\n|---|---|---|---|---|\n"
      "| calls per second of two threads / of one | %.2f | %.2f | %.2f | 0.95 |\n",
      median(floors), median(subjects), median(ratios));
}

size_t thread_count() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return static_cast<size_t>(std::distance(begin(tasks), end(tasks)));
}

// Calls of an endless loop: each must end as a deadline, and the next call is not hit by it.
void print_deadline(const Library& library, microseconds deadline, int calls) {
  Sandbox sandbox = library.linker.instantiate(library.calls).value();
  const Add add = sandbox.function<int32_t(int32_t, int32_t)>("add").value();
  const auto spin = sandbox.function<void()>("spin").value();
  CHECK(sandbox.set_deadline(deadline).has_value());
  CHECK(!spin().returned());
  CHECK(sandbox.reset().has_value());
  const size_t threads = thread_count();
  std::vector<double> past;
  for (int i = 0; i < calls; ++i) {
    past.push_back(microseconds_of([&] {
                     const auto outcome = spin();
                     CHECK(outcome.kind() == CallOutcome::Kind::kDeadline, outcome.message());
                   }) -
                   static_cast<double>(deadline.count()));
    CHECK(sandbox.reset().has_value());
    CHECK(sandbox.set_deadline(milliseconds(200)).has_value());
    add_once(add);
    CHECK(sandbox.set_deadline(deadline).has_value());
  }
  std::sort(past.begin(), past.end());
  std::printf("| %d calls of an endless loop, %lld us each | %.0f | %.0f | %.0f | %zd |\n", calls,
              static_cast<long long>(deadline.count()), past[past.size() / 2],
              past[past.size() * 99 / 100], past.back(),
              static_cast<ssize_t>(thread_count()) - static_cast<ssize_t>(threads));
}

int run() {
  auto kvm = RawKvm::open();
  if (!kvm) {
    std::printf("SKIPPED: %s\n", kvm.error().message.c_str());
    return 0;
  }
  const Library library = open_library();
  print_header();
  print_row("warm call with two i32 / raw exit", call(*kvm, library, "add"), "1.08");
  print_row("call that calls one host function / raw exit", call(*kvm, library, "host"), "2.15");
  print_row("acquire, call, give back, no page written / raw exit", pooled_call(*kvm, library),
            "1.3");
  print_row("acquire, call, give back, 16 pages / raw exit + copying",
            pooled_call_that_writes(*kvm, library), "1.3");
  print_scaling(*kvm, library);
  std::printf(
      "\n| deadlines | past it, us: median | p99 | most | threads more |\n|---|---|---|---|---|\n");
  print_deadline(library, milliseconds(5), 10'000);
  print_deadline(library, microseconds(200), 2000);
  return 0;
}

}  // namespace
}  // namespace mayfly::bench

int main() { return mayfly::bench::run(); }
