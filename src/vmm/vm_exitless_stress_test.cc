// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Exitless calls by chance: guests that count their calls, on more threads than processors, with
// spin times in which every order of answering, leaving, sleeping and kicking comes about. Each
// call that returns has run exactly once; one that was ended has run once or not.
// $MAYFLY_STRESS_SECONDS makes it longer than a test of each build should be.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include "vmm/guest_test.h"
#include "vmm/vm.h"

namespace mayfly::vmm {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using Kind = Exit::Kind;

constexpr uint32_t kHostFunction = 2;  // served without an exit
constexpr uint32_t kOtherPort = 9;     // not

enum Function : uint64_t { kCount, kCallHost, kCompute, kLoop, kLeave, kTrap, kFunctions };

// inc qword [kMemory]; mov rax, [kMemory]; the result is rax
Code& then_count(Code& code) {
  code.bytes({0x48, 0xff, 0x04, 0x25}).value32(kMemory);
  code.bytes({0x48, 0x8b, 0x04, 0x25}).value32(kMemory);
  return code.store_rax_to_slot0().ret();
}

Code body_of(uint64_t function) {
  Code code;
  switch (function) {
    case kCallHost:
      code.hypercall(kHostFunction);
      break;
    case kCompute:  // mov rcx, [slot 1]; again: dec rcx; jnz again
      code.bytes({0x48, 0x8b, 0x4e, 0x10, 0x48, 0xff, 0xc9, 0x75, 0xfb});
      break;
    case kLoop:
      return code.loop_for_ever();
    case kLeave:
      code.hypercall(kOtherPort);
      break;
    case kTrap:
      return code.bytes({0x0f, 0x0b});
    default:
      break;
  }
  return then_count(code);
}

Code guest() {
  Code code;
  for (uint64_t function = 0; function < kFunctions; ++function) {
    const Code body = body_of(function);
    // cmp edi, function; jne over the body
    code.bytes({0x83, 0xff, static_cast<uint8_t>(function), 0x0f, 0x85});
    code.value32(body.get().size());
    for (const uint8_t byte : body.get()) code.bytes({byte});
  }
  return code;
}

// One guest, what it should have counted, and chance.
class Caller {
 public:
  Caller(std::unique_ptr<Vm> vm, bool is_cancelled, unsigned seed)
      : vm_(std::move(vm)), is_cancelled_(is_cancelled), random_(seed) {
    for (const size_t region : {kTextRegion, kDataRegion, kMemoryRegion}) {
      first_.region_bytes.push_back(vm_->region_bytes(region));
    }
  }

  Vm& vm() { return *vm_; }
  void step() {
    const uint64_t function = chance(3) ? kCount : pick(kFunctions);
    const bool has_deadline = function == kLoop || chance(6);
    if (has_deadline) vm_->set_deadline(steady_clock::now() + microseconds(pick(400)));
    vm_->call_page().slots[1].low = 1 + pick(chance(4) ? 200'000 : 2'000);
    run(function, has_deadline);
    if (has_deadline) vm_->set_deadline(std::nullopt);
    if (chance(30)) restore();
    pause();
  }

 private:
  uint64_t pick(uint64_t end) { return random_() % end; }
  bool chance(uint64_t of) { return pick(of) == 0; }

  // Around the spin times.
  void pause() {
    if (!chance(8)) return;
    const auto until = steady_clock::now() + microseconds(pick(150));
    if (chance(2)) std::this_thread::sleep_until(until);
    while (steady_clock::now() < until) {
    }
  }

  uint64_t counted() {
    std::array<uint8_t, 8> bytes{};
    EXPECT_TRUE(vm_->read(kMemory, bytes));
    uint64_t count = 0;
    std::memcpy(&count, bytes.data(), sizeof count);
    return count;
  }

  void run(uint64_t function, bool has_deadline) {
    auto exit = vm_->enter(Entry{kText, function});
    for (; exit && exit->kind == Kind::kPort && exit->port != 0; exit = vm_->resume()) {
      ASSERT_EQ(exit->port, function == kCallHost ? kHostFunction : kOtherPort);
      ASSERT_TRUE(function == kCallHost || function == kLeave) << function;
      pause();
      if (chance(10)) ASSERT_TRUE(vm_->resize(kMemoryRegion, kMemoryBytes * (1 + pick(3))));
      if (chance(5) && !call_inside(has_deadline)) return;
    }
    ASSERT_TRUE(exit) << exit.error().message;
    switch (exit->kind) {
      case Kind::kPort:
        ASSERT_TRUE(function != kLoop && function != kTrap) << function;
        expect_one_more();
        return;
      case Kind::kFault:
        ASSERT_EQ(function, kTrap);
        return;
      default:
        expect_ended(*exit, has_deadline);
    }
  }

  // Whether the outer call goes on.
  bool call_inside(bool has_deadline) {
    const auto exit = vm_->enter_nested(Entry{kText, kCount});
    EXPECT_TRUE(exit);
    if (!exit) return false;
    if (exit->kind == Kind::kPort) {
      EXPECT_EQ(exit->port, 0u);
      expect_one_more();
      return true;
    }
    expect_ended(*exit, has_deadline);
    return false;
  }

  void expect_one_more() {
    ++count_;
    ASSERT_EQ(vm_->call_page().slots[0].low, count_);
    ASSERT_EQ(counted(), count_);
  }

  void expect_ended(const Exit& exit, bool has_deadline) {
    ASSERT_TRUE((exit.kind == Kind::kDeadline && has_deadline) ||
                (exit.kind == Kind::kCancelled && is_cancelled_))
        << static_cast<int>(exit.kind) << " " << exit.message;
    const uint64_t now = counted();
    ASSERT_TRUE(now == count_ || now == count_ + 1) << now << " after " << count_;
    count_ = now;
  }

  void restore() {
    ASSERT_TRUE(vm_->restore(first_));
    count_ = 0;
    ASSERT_EQ(counted(), 0u);
  }

  std::unique_ptr<Vm> vm_;
  SavedMemory first_;
  uint64_t count_ = 0;
  const bool is_cancelled_;
  std::mt19937 random_;
};

class VmExitlessStressTest : public DriverTest {};
INSTANTIATE_TEST_SUITE_P(Drivers, VmExitlessStressTest,
                         testing::Values(Driver::kKvm, Driver::kProcess), driver_name);

TEST_P(VmExitlessStressTest, RunsEachCallOnce) {
  const char* const longer = std::getenv("MAYFLY_STRESS_SECONDS");
  const auto end =
      steady_clock::now() +
      (longer == nullptr ? milliseconds(1500) : std::chrono::seconds(std::atoi(longer)));
  constexpr unsigned kCallers = 4;
  const TestImage image(guest());
  std::vector<Caller> callers;
  callers.reserve(kCallers);
  for (unsigned i = 0; i < kCallers; ++i) {
    VmConfig config = image.config();
    config.spin_time =
        std::array{microseconds(2), microseconds(8), microseconds(50), microseconds(300)}[i];
    config.tracking = Tracking::kOn;
    callers.emplace_back(make(config), i % 2 == 0, i + std::random_device()());
  }
  std::atomic<uint64_t> calls = 0;
  std::vector<std::thread> threads;
  threads.reserve(kCallers);
  for (Caller& caller : callers) {
    threads.emplace_back([&] {
      while (steady_clock::now() < end && !HasFailure()) {
        caller.step();
        ++calls;
      }
    });
  }
  std::mt19937 random(1);
  while (steady_clock::now() < end) {
    callers[0].vm().cancel();
    if (random() % 2 == 0) callers[2].vm().cancel();
    std::this_thread::sleep_for(microseconds(random() % 500));
  }
  for (std::thread& thread : threads) thread.join();
  RecordProperty("calls", static_cast<int>(calls.load()));
  EXPECT_GT(calls, 100u);
}

}  // namespace
}  // namespace mayfly::vmm
