// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is counted and told: usage of one sandbox, counters of an engine, spans of phases.
#include <map>
#include <mutex>
#include <thread>

#include "library_test.h"

namespace mayfly {
namespace {

using namespace std::chrono_literals;

class UsageTest : public LibraryTest {
 protected:
  static uint64_t count(const Engine& engine, std::string_view name) {
    for (const Counter& counter : engine.counters()) {
      if (counter.name == name) return counter.value;
    }
    ADD_FAILURE() << "no counter " << name;
    return 0;
  }
  // What a name grew by while `work` ran.
  template <typename Work>
  uint64_t growth(std::string_view name, Work&& work) {
    const uint64_t before = count(engine(), name);
    work();
    return count(engine(), name) - before;
  }
};
MAYFLY_ON_EACH_DRIVER(UsageTest);

constexpr char kGuest[] = R"((module
  (import "env" "host" (func $host))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read"
    (func $read (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 4 10)
  (func (export "call") (call $host) (call $host))
  (func (export "grow") (drop (memory.grow (i32.const 2))))
  (func (export "dirty")
    (i32.store (i32.const 5000) (i32.const 1)) (i32.store (i32.const 90000) (i32.const 1)))
  (func (export "copy")
    (i32.store (i32.const 0) (i32.const 100))
    (i32.store (i32.const 4) (i32.const 10))
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
    (i32.store (i32.const 4) (i32.const 7))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func (export "trap") unreachable)
  (func (export "forever") (loop br 0))))";

TEST_P(UsageTest, CountsWhatOneSandboxTook) {
  Linker linker(engine());
  linker.define("env", "host", [] {});
  const auto input_file = temporary_file();
  const auto output_file = temporary_file();
  const int input = ::fileno(input_file.get());
  const int output = ::fileno(output_file.get());
  ASSERT_EQ(::write(input, "0123456789", 10), 10);
  ASSERT_EQ(::lseek(input, 0, SEEK_SET), 0);
  Sandbox guest = sandbox(linker, kGuest, Policy().stdio(input, output, -1));
  const Usage start = guest.usage();
  ASSERT_TRUE(guest.call("call"));
  const Usage called = guest.usage();
  EXPECT_EQ(called.calls - start.calls, 1U);
  EXPECT_EQ(called.host_calls - start.host_calls, 2U);
  EXPECT_EQ(called.exits - start.exits, 3U);
  ASSERT_TRUE(guest.call("copy"));
  EXPECT_EQ(guest.usage().bytes_in, 10U);
  EXPECT_EQ(guest.usage().bytes_out, 7U);
  ASSERT_TRUE(guest.reset());
  const Usage reset = guest.usage();
  ASSERT_TRUE(guest.call("grow"));
  ASSERT_TRUE(guest.call("dirty"));
  ASSERT_TRUE(guest.reset());
  EXPECT_EQ(guest.usage().restores, 2U);
  EXPECT_GE(guest.usage().pages_copied - reset.pages_copied, 2U);
  EXPECT_EQ(guest.usage().memory_bytes, 4U * 65536);
  EXPECT_EQ(guest.usage().memory_bytes_peak, 6U * 65536);
}

// An exporter reads numbers of sandboxes that live for days.
TEST_P(UsageTest, CountsSandboxesThatStillLive) {
  Linker linker(engine());
  linker.define("env", "host", [] {});
  auto guest = std::make_unique<Sandbox>(sandbox(linker, kGuest));
  const auto call = [&](const char* name) { return [&, name] { (void)guest->call(name); }; };
  EXPECT_EQ(growth("calls", call("call")), 1U);
  EXPECT_EQ(growth("host_calls", call("call")), 2U);
  EXPECT_EQ(growth("exits", call("call")), 3U);
  EXPECT_EQ(growth("exits.host_call", call("call")), 2U);
  EXPECT_EQ(growth("exits.return", call("call")), 1U);
  EXPECT_EQ(growth("exits.grow", call("grow")), 1U);
  EXPECT_EQ(growth("exits.fault", call("trap")), 1U);
  EXPECT_EQ(growth("restores", [&] { ASSERT_TRUE(guest->reset()); }), 1U);
  EXPECT_EQ(growth("snapshots", [&] { ASSERT_TRUE(guest->snapshot()); }), 1U);
  ASSERT_TRUE(guest->set_deadline(5ms));
  EXPECT_EQ(growth("exits.stopped", call("forever")), 1U);
  EXPECT_EQ(growth("calls", [&] { guest.reset(); }), 0U);  // counted as it was
  EXPECT_EQ(
      growth("sandboxes_live", [&] { guest = std::make_unique<Sandbox>(sandbox(linker, kGuest)); }),
      1U);
}

TEST_P(UsageTest, MeasuresWhoseTimeItWas) {
  const auto measuring = Engine::create({.driver = GetParam(),
                                         .optimize = Optimize::kFast,
                                         .use_cache = false,
                                         .measure_time = true});
  ASSERT_TRUE(measuring) << measuring.error().message;
  const auto loaded = measuring->load(wasm_of(kGuest));
  ASSERT_TRUE(loaded);
  Linker linker(*measuring);
  linker.define("env", "host", [] { std::this_thread::sleep_for(10ms); });
  auto guest = linker.instantiate(*loaded);
  ASSERT_TRUE(guest) << guest.error().message;
  const auto count_now = [&](std::string_view name) { return count(*measuring, name); };
  const uint64_t guest_before = count_now("guest_ns");
  ASSERT_TRUE(guest->call("call"));
  const uint64_t host = count_now("host_ns");
  EXPECT_GE(host, 20'000'000U);
  EXPECT_LT(count_now("guest_ns") - guest_before, 15'000'000U);
  ASSERT_TRUE(guest->set_deadline(20ms));
  EXPECT_FALSE(guest->call("forever"));
  EXPECT_GE(count_now("guest_ns"), 15'000'000U);
  EXPECT_LT(count_now("host_ns") - host, 5'000'000U);
}

TEST_P(UsageTest, MeasuresTheQueueOfAPool) {
  Linker linker(engine());
  linker.define("env", "host", [] {});
  auto pool = Pool::create(linker, program(kGuest), Policy(), {.size_min = 1, .size_max = 1});
  ASSERT_TRUE(pool) << pool.error().message;
  const auto held = pool->acquire();
  EXPECT_GE(growth("queue_ns", [&] { EXPECT_FALSE(pool->acquire(10ms)); }), 10'000'000U);
}

// Remembers how often each phase was told of.
class Phases final : public TraceSink {
 public:
  void span(std::string_view phase, std::chrono::steady_clock::time_point begin,
            std::chrono::steady_clock::time_point end) override {
    EXPECT_LE(begin, end);
    const std::lock_guard lock(mutex_);
    ++seen_[std::string(phase)];
  }
  std::map<std::string, int> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(seen_, {});
  }

 private:
  std::mutex mutex_;
  std::map<std::string, int> seen_;
};

TEST_P(UsageTest, TellsOfEachPhase) {
  using Seen = std::map<std::string, int>;
  Phases phases;
  const auto traced = Engine::create(
      {.driver = GetParam(), .optimize = Optimize::kFast, .use_cache = false, .trace = &phases});
  ASSERT_TRUE(traced) << traced.error().message;
  const auto loaded = traced->load(wasm_of(kGuest));
  EXPECT_EQ(phases.take(), (Seen{{"decode", 1}}));
  Linker linker(*traced);
  linker.define("env", "host", [] {});
  ASSERT_TRUE(linker.prepare(*loaded));
  EXPECT_EQ(phases.take(), (Seen{{"link", 1}, {"compile", 1}}));
  auto guest = linker.instantiate(*loaded);
  ASSERT_TRUE(guest);
  Seen started = phases.take();
  EXPECT_EQ(started["create"], 1);
  EXPECT_EQ(started["start"], 1);
  ASSERT_TRUE(guest->call("call"));
  EXPECT_EQ(phases.take(), (Seen{{"call", 1}, {"host_call", 2}}));
  ASSERT_TRUE(guest->reset());
  EXPECT_EQ(phases.take(), (Seen{{"restore", 1}}));
}

}  // namespace
}  // namespace mayfly
