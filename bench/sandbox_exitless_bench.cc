// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Calls without exits: the turns of caller and guest through memory, next to those of a raw VM and
// to the raw exit, with a processor free, with a load on each, and pinned to one.
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <thread>
#include <vector>

#include "base/check.h"
#include "bench/paired.h"
#include "bench/raw_kvm.h"
#include "mayfly/mayfly.hh"

namespace mayfly::bench {
namespace {

using std::chrono::steady_clock;

constexpr int kRounds = 41;  // of each kind in turn
constexpr int kCalls = 500;  // in a round

// (import "env" "add" (func (param i32 i32) (result i32))), and as exports: "add" adds, "host"
// calls the import.
constexpr uint8_t kModule[] = {
    0x00, 'a',  's',  'm',  0x01, 0x00, 0x00, 0x00, 0x01, 0x07, 0x01, 0x60, 0x02, 0x7f, 0x7f,
    0x01, 0x7f, 0x02, 0x0b, 0x01, 0x03, 'e',  'n',  'v',  0x03, 'a',  'd',  'd',  0x00, 0x00,
    0x03, 0x03, 0x02, 0x00, 0x00, 0x07, 0x0e, 0x02, 0x03, 'a',  'd',  'd',  0x00, 0x01, 0x04,
    'h',  'o',  's',  't',  0x00, 0x02, 0x0a, 0x12, 0x02, 0x07, 0x00, 0x20, 0x00, 0x20, 0x01,
    0x6a, 0x0b, 0x08, 0x00, 0x20, 0x00, 0x20, 0x01, 0x10, 0x00, 0x0b};

// The microseconds of each of kCalls.
using Round = std::vector<double>;

Round timed(const std::function<void()>& action) {
  Round round;
  round.reserve(kCalls);
  for (int i = 0; i < kCalls; ++i) round.push_back(microseconds_of(action));
  return round;
}

// A raw guest polls for as long as it runs, so it runs for one round only.
Round raw_turns(const RawKvm& kvm) {
  RawVm vm = RawVm::create(kvm, RawExit::kSpin).value();
  std::thread runner([&vm] { CHECK(vm.call().has_value()); });
  const std::atomic_ref host(vm.host_turn());
  const std::atomic_ref guest(vm.guest_turn());
  int64_t turn = 0;
  const auto next = [&] {
    host.store(++turn, std::memory_order_release);
    while (guest.load(std::memory_order_acquire) != turn) __builtin_ia32_pause();
  };
  next();
  Round round = timed(next);
  host.store(-1, std::memory_order_release);
  runner.join();
  return round;
}

class Guest {
 public:
  Guest(const Linker& linker, const Program& program, const Policy& policy, const char* name)
      : sandbox_(linker.instantiate(program, policy).value()),
        function_(sandbox_.function<int32_t(int32_t, int32_t)>(name).value()) {}
  Round round() const {
    call();
    return timed([this] { call(); });
  }

 private:
  void call() const { CHECK(function_(2, 3).value() == 5); }
  Sandbox sandbox_;
  TypedFunction<int32_t(int32_t, int32_t)> function_;
};

struct Kind {
  const char* name;
  std::function<Round()> round;
  std::vector<double> all = {};
};

void print(const char* where, std::vector<Kind> kinds) {
  for (int i = 0; i < kRounds; ++i) {
    for (Kind& kind : kinds) {
      const Round round = kind.round();
      kind.all.insert(kind.all.end(), round.begin(), round.end());
    }
  }
  for (Kind& kind : kinds) {
    std::sort(kind.all.begin(), kind.all.end());
    double sum = 0;
    for (const double time : kind.all) sum += time;
    const size_t size = kind.all.size();
    std::printf("| %s | %s | %.2f | %.2f | %.2f |\n", where, kind.name, kind.all[size / 2],
                kind.all[size * 9 / 10], sum / static_cast<double>(size));
  }
  std::fflush(stdout);
}

void pin_to_one_processor() {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(::sched_getcpu(), &one);
  CHECK(::sched_setaffinity(0, sizeof one, &one) == 0);
}

int run() {
  auto kvm = RawKvm::open();
  if (!kvm) {
    std::printf("SKIPPED: %s\n", kvm.error().message.c_str());
    return 0;
  }
  const Engine engine = Engine::create({.driver = Driver::kKvm}).value();
  Linker linker(engine);
  linker.define("env", "add", [](int32_t a, int32_t b) { return a + b; });
  const Program program = engine.load(kModule, "calls").value();
  RawVm raw = RawVm::create(*kvm).value();
  const auto exits = [&] { return timed([&] { CHECK(raw.call().has_value()); }); };
  const auto kinds = [&](const Guest& plain, const Guest& spin, const Guest& host) {
    return std::vector<Kind>{{"raw exit", exits},
                             {"call with an exit", [&] { return plain.round(); }},
                             {"call with Policy::spin()", [&] { return spin.round(); }},
                             {"the same with one host function", [&] { return host.round(); }}};
  };
  std::printf("| where | what | p50, us | p90 | mean |\n|---|---|---|---|---|\n");
  {
    const Guest plain(linker, program, Policy(), "add");
    const Guest spin(linker, program, Policy().spin(), "add");
    const Guest host(linker, program, Policy().spin(), "host");
    std::vector<Kind> all = kinds(plain, spin, host);
    all.insert(all.begin() + 1, {"raw turn through memory", [&] { return raw_turns(*kvm); }});
    print("a processor free", std::move(all));
    std::atomic<bool> stop = false;
    std::vector<std::thread> load(std::thread::hardware_concurrency());
    for (std::thread& thread : load)
      thread = std::thread([&stop] {
        while (!stop) {
        }
      });
    print("each processor busy", kinds(plain, spin, host));
    stop = true;
    for (std::thread& thread : load) thread.join();
  }
  pin_to_one_processor();
  const Guest plain(linker, program, Policy(), "add");
  const Guest spin(linker, program, Policy().spin(), "add");
  const Guest host(linker, program, Policy().spin(), "host");
  print("pinned to one", kinds(plain, spin, host));
  return 0;
}

}  // namespace
}  // namespace mayfly::bench

int main() { return mayfly::bench::run(); }
