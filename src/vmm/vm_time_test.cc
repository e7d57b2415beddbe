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

// Lets a guest that waits for slot 0 go on, at the third look.
class LooksThrice final : public GuestWatch {
 public:
  explicit LooksThrice(Vm& vm) : vm_(vm) {}
  void look() override {
    if (++looks_ == 3) {
      __atomic_store_n(&vm_.call_page().slots[0].low, 1, __ATOMIC_RELAXED);
    } else {
      EXPECT_TRUE(vm_.look_at(steady_clock::now() + milliseconds(2), *this).has_value());
    }
  }
  int looks() const { return looks_; }

 private:
  Vm& vm_;
  int looks_ = 0;
};

TEST_P(VmTimeTest, LooksAtAGuestThatRunsOn) {
  // cmp qword [rsi], 0; je back to it
  const TestImage image(
      Code().hypercall(5).bytes({0x48, 0x83, 0x3e, 0x00, 0x74, 0xfa}).answer_42());
  const auto vm = make(image);
  LooksThrice watch(*vm);
  EXPECT_EQ(call(*vm).port, 5u);
  ASSERT_TRUE(vm->look_at(steady_clock::now() + milliseconds(2), watch).has_value());
  EXPECT_EQ(vm->resume()->port, 0u);
  EXPECT_EQ(slot0(*vm), 42u);
  EXPECT_EQ(watch.looks(), 3);
}

TEST_P(VmTimeTest, LooksAtNoCallAfterTheOneThatAskedForIt) {
  const TestImage image(Code().hypercall(5).answer_42());
  const auto vm = make(image);
  LooksThrice watch(*vm);
  EXPECT_EQ(call(*vm).port, 5u);
  ASSERT_TRUE(vm->look_at(steady_clock::now() + milliseconds(5), watch).has_value());
  EXPECT_EQ(vm->resume()->port, 0u);
  EXPECT_EQ(call(*vm).port, 5u);
  std::this_thread::sleep_for(milliseconds(10));
  EXPECT_EQ(vm->resume()->port, 0u);
  EXPECT_EQ(watch.looks(), 0);
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

// A function that answers, number 0, before one that does not.
Code answer_or(const Code& other) {
  const Code answer = Code().answer_42();
  Code code;  // cmp edi, 0; jne past the answer
  code.bytes({0x83, 0xff, 0, 0x75, static_cast<uint8_t>(answer.get().size())});
  for (const Code* part : {&answer, &other}) {
    for (const uint8_t byte : part->get()) code.bytes({byte});
  }
  return code;
}

void expect_answer(Vm& vm) {
  vm.set_deadline(std::nullopt);
  vm.call_page().slots[0].low = 0;
  const Exit exit = call(vm);
  EXPECT_EQ(exit.kind, Kind::kPort);
  EXPECT_EQ(exit.port, 0u);
  EXPECT_EQ(slot0(vm), 42u);
}

// The exit of a port is the one that a call can be replaced after.
TEST_P(VmTimeTest, ForgetsAPortWhoseCallTheDeadlineEnds) {
  const TestImage image(answer_or(Code().hypercall(5).loop_for_ever()));
  const auto vm = make(image);
  for (const bool resumes : {true, false}) {
    EXPECT_EQ(call(*vm, Entry{kText, 1}).port, 5u);
    vm->set_deadline(steady_clock::now() - milliseconds(1));
    const auto ended = resumes ? vm->resume() : vm->enter(Entry{kText, 1});
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->kind, Kind::kDeadline);
    expect_answer(*vm);
  }
}

// A load from the exit page is left unfinished, and the deadline comes at about that moment.
// Whichever of the two ends the call, the next is itself or is refused.
TEST_P(VmTimeTest, LetsNoUnfinishedExitHaveTheCallAfterADeadline) {
  // mov ecx, 40000; dec ecx; jnz; mov eax, [kExitPage]
  const Code attack = Code()
                          .bytes({0xb9, 0x40, 0x9c, 0, 0, 0xff, 0xc9, 0x75, 0xfc, 0x8b, 0x04, 0x25})
                          .value32(guest_abi::kExitPage)
                          .hypercall(66)
                          .answer_42();
  const TestImage image(answer_or(attack));
  int deadlines = 0;
  for (int round = 0; round < 24; ++round) {
    const auto vm = make(image);
    vm->set_deadline(steady_clock::now() + std::chrono::microseconds(10 + 5 * round));
    const auto ended = vm->enter(Entry{kText, 1});
    ASSERT_TRUE(ended);
    if (ended->kind == Kind::kBroken) {
      EXPECT_FALSE(vm->enter(entry_of_text()));
      continue;
    }
    deadlines += ended->kind == Kind::kDeadline ? 1 : 0;
    EXPECT_NE(ended->kind, Kind::kPort);
    expect_answer(*vm);
  }
  RecordProperty("deadlines", deadlines);
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
