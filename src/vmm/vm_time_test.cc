// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The contract of Vm, on every driver: deadlines, cancelling, threads.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "vmm/guest_test.h"
#include "vmm/vm.h"

namespace mayfly::vmm {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using Kind = Exit::Kind;

class VmTimeTest : public DriverTest {};
INSTANTIATE_TEST_SUITE_P(Drivers, VmTimeTest, testing::Values(Driver::kKvm, Driver::kProcess),
                         driver_name);

// Loops while slot 0 is zero, then answers 42.
Code wait_for_slot0() { return Code().bytes({0x48, 0x83, 0x3e, 0x00, 0x74, 0xfa}).answer_42(); }

TEST_P(VmTimeTest, EndsAnEndlessLoopAtTheDeadline) {
  const TestImage image(Code().bytes({0x90}).loop_for_ever());
  const auto vm = make(image);
  const auto start = steady_clock::now();
  vm->set_deadline(start + milliseconds(20));
  const Exit exit = call(*vm);
  EXPECT_EQ(exit.kind, Kind::kDeadline);
  if (exit.fault.rip != 0) {  // where the driver knows it
    EXPECT_EQ(exit.fault.rip, kText + 1);
  }
  EXPECT_GE(steady_clock::now() - start, milliseconds(20));
  EXPECT_LT(steady_clock::now() - start, milliseconds(2000));
}

TEST_P(VmTimeTest, RunsTheNextCallAfterADeadline) {
  const TestImage image(wait_for_slot0());
  const auto vm = make(image);
  for (int i = 0; i < 3; ++i) {
    vm->set_deadline(steady_clock::now() + milliseconds(5));
    vm->call_page().slots[0].low = 0;
    EXPECT_EQ(call(*vm).kind, Kind::kDeadline);
    vm->set_deadline(std::nullopt);
    vm->call_page().slots[0].low = 1;
    EXPECT_EQ(call(*vm).kind, Kind::kPort);
    EXPECT_EQ(slot0(*vm), 42u);
  }
}

TEST_P(VmTimeTest, EndsACallThatStartsAfterItsDeadline) {
  const TestImage image(Code().loop_for_ever());
  const auto vm = make(image);
  vm->set_deadline(steady_clock::now() - milliseconds(1));
  EXPECT_EQ(call(*vm).kind, Kind::kDeadline);
}

TEST_P(VmTimeTest, CountsTheHostsTimeInAPort) {
  const TestImage image(Code().hypercall(5).loop_for_ever());
  const auto vm = make(image);
  vm->set_deadline(steady_clock::now() + milliseconds(300));
  EXPECT_EQ(call(*vm).port, 5u);
  std::this_thread::sleep_for(milliseconds(310));
  const auto exit = vm->resume();
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->kind, Kind::kDeadline);
}

TEST_P(VmTimeTest, TakesADeadlineThatIsSetInAPort) {
  const TestImage image(Code().hypercall(5).loop_for_ever());
  const auto vm = make(image);
  EXPECT_EQ(call(*vm).port, 5u);
  vm->set_deadline(steady_clock::now() + milliseconds(10));
  EXPECT_EQ(vm->resume()->kind, Kind::kDeadline);
}

TEST_P(VmTimeTest, EndsALoopThatIsCancelled) {
  const TestImage image(wait_for_slot0());
  const auto vm = make(image);
  vm->call_page().slots[0].low = 0;
  std::thread canceller([&vm] {
    std::this_thread::sleep_for(milliseconds(20));
    vm->cancel();
  });
  EXPECT_EQ(call(*vm).kind, Kind::kCancelled);
  canceller.join();
  vm->call_page().slots[0].low = 1;
  EXPECT_EQ(call(*vm).kind, Kind::kPort);
}

TEST_P(VmTimeTest, DoesNotCancelALaterCall) {
  const TestImage image(Code().answer_42());
  const auto vm = make(image);
  vm->cancel();
  EXPECT_EQ(call(*vm).kind, Kind::kPort);
  vm->cancel();
  EXPECT_EQ(call(*vm).kind, Kind::kPort);
}

// Kicks come all the time, for calls that are over: none may end another call.
TEST_P(VmTimeTest, NeverHitsAnotherCallWithALateKick) {
  const TestImage image(Code().hypercall(5).answer_42());
  const auto vm = make(image);
  const int count = GetParam() == Driver::kKvm ? 3000 : 300;
  int deadlines = 0;
  for (int i = 0; i < count; ++i) {
    const auto deadline = steady_clock::now() + std::chrono::microseconds(60 + i % 50);
    vm->set_deadline(deadline);
    Exit exit = call(*vm);
    while (exit.kind == Kind::kPort && exit.port == 5) exit = *vm->resume();
    if (exit.kind == Kind::kDeadline) {
      ++deadlines;
      EXPECT_GE(steady_clock::now(), deadline);
    } else {
      ASSERT_EQ(exit.kind, Kind::kPort);
    }
    vm->set_deadline(std::nullopt);
    exit = call(*vm);
    ASSERT_EQ(exit.kind, Kind::kPort);
    ASSERT_EQ(vm->resume()->kind, Kind::kPort);
  }
  RecordProperty("deadlines", deadlines);
}

TEST_P(VmTimeTest, RunsTwoVmsOnTwoThreads) {
  const TestImage image(Code().hypercall(3).answer_42());
  const int count = GetParam() == Driver::kKvm ? 2000 : 200;
  std::atomic<int> good = 0;
  const auto run = [&] {
    const auto vm = make(image);
    for (int i = 0; i < count; ++i) {
      if (call(*vm).port == 3 && vm->resume()->port == 0 && slot0(*vm) == 42) ++good;
      vm->call_page().slots[0].low = 0;
    }
  };
  std::thread first(run);
  std::thread second(run);
  first.join();
  second.join();
  EXPECT_EQ(good, 2 * count);
}

TEST_P(VmTimeTest, MovesBetweenThreads) {
  const TestImage image(wait_for_slot0());
  const auto vm = make(image);
  for (int i = 0; i < 5; ++i) {
    std::thread([&vm, i] {
      vm->call_page().slots[0].low = 1;
      EXPECT_EQ(call(*vm).kind, Kind::kPort);
      vm->call_page().slots[0].low = 0;
      vm->set_deadline(steady_clock::now() + milliseconds(2 + i));
      EXPECT_EQ(call(*vm).kind, Kind::kDeadline);
      vm->set_deadline(std::nullopt);
    }).join();
  }
}

}  // namespace
}  // namespace mayfly::vmm
