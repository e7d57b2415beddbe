// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The contract of Vm with a spin_time, on every driver: what calls mean does not change, and what a
// hostile guest writes into the lines of the call page ends nothing but its own call.
// On one processor there are no exitless calls, and all of this holds as well.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <thread>
#include <vector>

#include "vmm/guest_test.h"
#include "vmm/spin_x86_64.h"
#include "vmm/vm.h"

namespace mayfly::vmm {
namespace {

using guest_abi::CallPage;
using guest_abi::kCallPage;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;
using Kind = Exit::Kind;

// Longer than a side takes for its turn, but on a machine with much else to do.
constexpr auto kLong = milliseconds(5);

class VmExitlessTest : public DriverTest {
 protected:
  std::unique_ptr<Vm> make(const Code& code, nanoseconds spin_time = microseconds(50),
                           Tracking tracking = Tracking::kOff) {
    const TestImage image(code);
    VmConfig config = image.config();
    config.spin_time = spin_time;
    config.tracking = tracking;
    return DriverTest::make(config);
  }
};
INSTANTIATE_TEST_SUITE_P(Drivers, VmExitlessTest, testing::Values(Driver::kKvm, Driver::kProcess),
                         driver_name);

// mov rax, [rsi]; inc rax; mov [rsi], rax; ret
Code count() {
  return Code().load_rax_from_slot0().bytes({0x48, 0xff, 0xc0}).store_rax_to_slot0().ret();
}

// mov eax, value; mov [the field], eax
Code& store_field(Code& code, size_t offset, uint32_t value) {
  code.bytes({0xb8}).value32(value).bytes({0x89, 0x04, 0x25});
  return code.value32(kCallPage + offset);
}

void expect_count(Vm& vm, uint64_t from) {
  vm.call_page().slots[0].low = from;
  const Exit exit = call(vm);
  EXPECT_EQ(exit.kind, Kind::kPort);
  EXPECT_EQ(exit.port, 0u);
  EXPECT_EQ(slot0(vm), from + 1);
}

TEST_P(VmExitlessTest, AnswersEachCallOnce) {
  const auto vm = make(count());
  for (uint64_t i = 0; i < 1000; ++i) expect_count(*vm, i * 3);
}

TEST_P(VmExitlessTest, LeavesTheGuestInItsMachine) {
  if (!can_spin()) GTEST_SKIP() << "ONE PROCESSOR";
  const auto vm = make(count(), kLong);
  call(*vm);
  int exitless = 0;
  for (int i = 0; i < 60; ++i) exitless += call(*vm).is_exitless ? 1 : 0;
  EXPECT_GT(exitless, 0);
}

TEST_P(VmExitlessTest, WakesAGuestThatStoppedPolling) {
  const auto vm = make(count(), microseconds(20));
  for (uint64_t i = 0; i < 20; ++i) {
    expect_count(*vm, i);
    std::this_thread::sleep_for(microseconds(i * 20));
  }
}

// A guest that takes longer than the caller polls.
TEST_P(VmExitlessTest, WaitsForASlowAnswer) {
  // mov ecx, 40000000; dec ecx; jnz
  const auto vm =
      make(Code().bytes({0xb9}).value32(40'000'000).bytes({0xff, 0xc9, 0x75, 0xfc}).answer_42(),
           microseconds(20));
  for (int i = 0; i < 3; ++i) {
    vm->call_page().slots[0].low = 0;
    EXPECT_EQ(call(*vm).port, 0u);
    EXPECT_EQ(slot0(*vm), 42u);
  }
}

// Polling stops where it does not help, and comes back where it does. Each call runs once
// meanwhile.
TEST_P(VmExitlessTest, PollsAgainWhenAnswersAreQuick) {
  // mov rcx, [rsi]; again: dec rcx; jnz again; inc qword [kMemory]; mov rax, [kMemory]; the result
  Code code = Code().bytes({0x48, 0x8b, 0x0e, 0x48, 0xff, 0xc9, 0x75, 0xfb});
  code.bytes({0x48, 0xff, 0x04, 0x25}).value32(kMemory);
  code.bytes({0x48, 0x8b, 0x04, 0x25}).value32(kMemory);
  const auto vm = make(code.store_rax_to_slot0().ret(), kLong);
  uint64_t calls = 0;
  const auto exitless = [&](uint64_t loops, int count) {
    int answers = 0;
    for (int i = 0; i < count; ++i) {
      vm->call_page().slots[0].low = loops;
      answers += call(*vm).is_exitless ? 1 : 0;
      EXPECT_EQ(slot0(*vm), ++calls);
    }
    return answers;
  };
  EXPECT_LT(exitless(30'000'000, 12), 12);
  const auto until = steady_clock::now() + std::chrono::seconds(5);
  int quick = 0;
  while (can_spin() && quick == 0 && steady_clock::now() < until) quick = exitless(1, 100);
  if (can_spin()) EXPECT_GT(quick, 0);
}

// The guest may still be polling for the first call that nobody polls for: it answers that by
// leaving, and has to tell which command it was.
TEST_P(VmExitlessTest, RunsTheFirstCallOnceAfterPollingStops) {
  for (int round = 0; round < 60; ++round) {
    const auto vm = make(count(), milliseconds(1));
    for (uint64_t i = 0; i < 8; ++i) {  // misses

      std::this_thread::sleep_for(microseconds(1500));  // the guest leaves meanwhile
      expect_count(*vm, i);
    }
    for (uint64_t i = 0; i < 3; ++i) expect_count(*vm, i);
  }
}

// add rdi, [rsi]; mov [rsi], rdi; ret
TEST_P(VmExitlessTest, GivesEachCallItsFunctionAndArguments) {
  const auto vm = make(Code().bytes({0x48, 0x03, 0x3e, 0x48, 0x89, 0x3e}).ret());
  for (uint64_t i = 0; i < 50; ++i) {
    vm->call_page().slots[0].low = 1000 * i;
    EXPECT_EQ(call(*vm, Entry{kText, i}).kind, Kind::kPort);
    EXPECT_EQ(slot0(*vm), 1001 * i);
  }
}

// The registers that a call starts with: all but rax, rbx, rdi, rsi, rsp are 0; the stack is empty.
TEST_P(VmExitlessTest, StartsEachCallWithCleanRegisters) {
  // add r12, r8; add r12, r15; add r12, rbp; add r12, rcx; add r12, rdx
  Code code = Code().bytes(
      {0x4d, 0x01, 0xc4, 0x4d, 0x01, 0xfc, 0x49, 0x01, 0xec, 0x49, 0x01, 0xcc, 0x49, 0x01, 0xd4});
  code.bytes({0x4c, 0x89, 0x26, 0x48, 0x89, 0x66, 0x10});  // mov [rsi], r12; mov [rsi + 16], rsp
  code.bytes({0x9c, 0x58, 0x48, 0x89, 0x46, 0x20});        // pushf; pop rax; mov [rsi + 32], rax
  for (const uint8_t opcode : {uint8_t{0xbb}, uint8_t{0xbd}, uint8_t{0xb9}, uint8_t{0xba}}) {
    code.bytes({opcode}).value32(77);  // mov ebx, ebp, ecx, edx
  }
  code.bytes({0x49, 0xc7, 0xc4}).value32(77);  // mov r12, 77
  code.bytes({0x49, 0xc7, 0xc7}).value32(77);  // mov r15, 77
  code.bytes({0xfd}).ret();                    // std
  const auto vm = make(code);
  std::vector<std::vector<uint64_t>> seen;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(call(*vm).port, 0u);
    const guest_abi::Slot* slots = vm->call_page().slots;
    constexpr uint64_t kFlagsOfACall = 0xcd5 & ~uint64_t{0x8d5};  // but for the arithmetic ones
    seen.push_back({slots[0].low, slots[1].low, slots[2].low & kFlagsOfACall});
  }
  EXPECT_EQ(seen[0], (std::vector<uint64_t>{0, guest_abi::kStackTop - 8, 0}));
  EXPECT_EQ(seen[1], seen[0]);
  EXPECT_EQ(seen[2], seen[0]);
}

TEST_P(VmExitlessTest, AnswersHostFunctionsWithoutAnExit) {
  // push rbx; mov ebx, 40; port 2; inc ebx; port 2; inc ebx; the result is ebx
  const auto vm = make(Code()
                           .bytes({0x53, 0xbb, 40, 0, 0, 0})
                           .hypercall(2)
                           .bytes({0xff, 0xc3})
                           .hypercall(2)
                           .bytes({0xff, 0xc3, 0x48, 0x89, 0xd8})
                           .store_rax_to_slot0()
                           .bytes({0x5b})
                           .ret(),
                       kLong);
  int exitless = 0;
  for (int i = 0; i < 40; ++i) {
    EXPECT_EQ(call(*vm).port, 2u);
    EXPECT_EQ(vm->resume()->port, 2u);
    const auto last = vm->resume();
    ASSERT_TRUE(last);
    EXPECT_EQ(last->port, 0u);
    exitless += last->is_exitless ? 1 : 0;
    EXPECT_EQ(slot0(*vm), 42u);
  }
  if (can_spin()) EXPECT_GT(exitless, 0);
}

TEST_P(VmExitlessTest, GoesOnAfterASlowHostFunction) {
  const auto vm = make(Code().hypercall(2).answer_42(), microseconds(20));
  for (int i = 0; i < 5; ++i) {
    vm->call_page().slots[0].low = 0;
    EXPECT_EQ(call(*vm).port, 2u);
    std::this_thread::sleep_for(milliseconds(1));
    EXPECT_EQ(vm->resume()->port, 0u);
    EXPECT_EQ(slot0(*vm), 42u);
  }
}

// Port 9 is none that is served without an exit: the guest does not run meanwhile.
TEST_P(VmExitlessTest, LeavesForOtherPorts) {
  const auto vm = make(Code().hypercall(2).hypercall(9).answer_42());
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(call(*vm).port, 2u);
    const auto other = vm->resume();
    ASSERT_TRUE(other);
    EXPECT_EQ(other->port, 9u);
    if (GetParam() == Driver::kKvm) EXPECT_FALSE(other->is_exitless);
    EXPECT_EQ(vm->resume()->port, 0u);
  }
}

// Function 0 calls back at port 2, function 1 is called back.
TEST_P(VmExitlessTest, CallsBackIntoAGuestAtItsPort) {
  const Code inner = count();
  // cmp edi, 0; je past the inner function
  Code code = Code().bytes({0x83, 0xff, 0, 0x74, static_cast<uint8_t>(inner.get().size())});
  for (const uint8_t byte : inner.get()) code.bytes({byte});
  const auto vm = make(
      code.hypercall(2).load_rax_from_slot0().bytes({0x48, 0xff, 0xc0}).store_rax_to_slot0().ret());
  for (const auto pause : {0, 0, 3, 0}) {
    vm->call_page().slots[0].low = 10;
    EXPECT_EQ(call(*vm, Entry{kText, 0}).port, 2u);
    for (int i = 0; i < 3; ++i) {
      const auto inside = vm->enter_nested(Entry{kText, 1});
      ASSERT_TRUE(inside);
      EXPECT_EQ(inside->port, 0u);
      std::this_thread::sleep_for(milliseconds(pause));
    }
    EXPECT_EQ(slot0(*vm), 13u);
    EXPECT_EQ(vm->resume()->port, 0u);
    EXPECT_EQ(slot0(*vm), 14u);
  }
}

TEST_P(VmExitlessTest, EndsACallByItsTrap) {
  // cmp qword [rsi], 0; jne over; ud2; over: 42
  const auto vm = make(Code().bytes({0x48, 0x83, 0x3e, 0x00, 0x75, 0x02, 0x0f, 0x0b}).answer_42());
  for (int i = 0; i < 20; ++i) {
    vm->call_page().slots[0].low = 0;
    const Exit exit = call(*vm);
    EXPECT_EQ(exit.kind, Kind::kFault);
    EXPECT_EQ(exit.fault.rip, kText + 6);
    vm->call_page().slots[0].low = 1;
    EXPECT_EQ(call(*vm).kind, Kind::kPort);
    EXPECT_EQ(slot0(*vm), 42u);
  }
}

// Loops while slot 0 is zero, then answers 42.
Code wait_for_slot0() { return Code().bytes({0x48, 0x83, 0x3e, 0x00, 0x74, 0xfa}).answer_42(); }

// The deadline comes while the caller polls, and while it sleeps.
TEST_P(VmExitlessTest, EndsALoopAtItsDeadline) {
  for (const nanoseconds spin_time : {nanoseconds(kLong), nanoseconds(20'000)}) {
    const auto vm = make(wait_for_slot0(), spin_time);
    for (int i = 0; i < 5; ++i) {
      const auto deadline = steady_clock::now() + milliseconds(4);
      vm->set_deadline(deadline);
      vm->call_page().slots[0].low = 0;
      EXPECT_EQ(call(*vm).kind, Kind::kDeadline);
      EXPECT_GE(steady_clock::now(), deadline);
      vm->set_deadline(std::nullopt);
      vm->call_page().slots[0].low = 1;
      EXPECT_EQ(call(*vm).port, 0u);
      EXPECT_EQ(slot0(*vm), 42u);
    }
  }
}

TEST_P(VmExitlessTest, EndsACallWhoseDeadlineCameInTheHost) {
  const auto vm = make(Code().hypercall(2).answer_42());
  for (int i = 0; i < 3; ++i) {
    vm->set_deadline(steady_clock::now() + milliseconds(100));
    vm->call_page().slots[0].low = 7;
    ASSERT_EQ(call(*vm).port, 2u);
    std::this_thread::sleep_for(milliseconds(101));
    EXPECT_EQ(vm->resume()->kind, Kind::kDeadline);
    EXPECT_EQ(slot0(*vm), 7u);
    vm->set_deadline(std::nullopt);
    EXPECT_EQ(call(*vm).port, 2u);
    EXPECT_EQ(vm->resume()->port, 0u);
  }
}

TEST_P(VmExitlessTest, EndsALoopThatIsCancelled) {
  for (const nanoseconds spin_time : {nanoseconds(kLong), nanoseconds(20'000)}) {
    const auto vm = make(wait_for_slot0(), spin_time);
    vm->call_page().slots[0].low = 0;
    std::thread canceller([&vm] {
      std::this_thread::sleep_for(milliseconds(10));
      EXPECT_TRUE(vm->cancel());
    });
    EXPECT_EQ(call(*vm).kind, Kind::kCancelled);
    canceller.join();
    EXPECT_FALSE(vm->cancel());
    vm->call_page().slots[0].low = 1;
    EXPECT_EQ(call(*vm).port, 0u);
  }
}

TEST_P(VmExitlessTest, EndsACallThatIsCancelledInAHostFunction) {
  const auto vm = make(Code().hypercall(2).answer_42());
  for (int i = 0; i < 3; ++i) {
    vm->call_page().slots[0].low = 7;
    ASSERT_EQ(call(*vm).port, 2u);
    EXPECT_TRUE(vm->cancel());
    EXPECT_EQ(vm->resume()->kind, Kind::kCancelled);
    EXPECT_EQ(slot0(*vm), 7u);
    EXPECT_EQ(call(*vm).port, 2u);
    EXPECT_EQ(vm->resume()->port, 0u);
  }
}

// Kicks come all the time, for calls that are over: none may end another call.
TEST_P(VmExitlessTest, NeverHitsAnotherCallWithALateKick) {
  const auto vm = make(Code().hypercall(2).answer_42());
  std::atomic<bool> stop = false;
  std::thread canceller([&] {
    while (!stop) {
      vm->cancel();
      std::this_thread::sleep_for(microseconds(70));
    }
  });
  int cancelled = 0;
  for (int i = 0; i < 3000; ++i) {
    vm->call_page().slots[0].low = static_cast<uint64_t>(i);
    Exit exit = call(*vm);
    if (exit.kind == Kind::kPort) {
      ASSERT_EQ(exit.port, 2u);
      ASSERT_EQ(slot0(*vm), static_cast<uint64_t>(i));
      exit = *vm->resume();
    }
    if (exit.kind == Kind::kCancelled) {
      ++cancelled;
      continue;
    }
    ASSERT_EQ(exit.kind, Kind::kPort);
    ASSERT_EQ(exit.port, 0u);
    ASSERT_EQ(slot0(*vm), 42u);
  }
  stop = true;
  canceller.join();
  RecordProperty("cancelled", cancelled);
}

TEST_P(VmExitlessTest, GrowsAndGoesBackBetweenTurns) {
  // mov qword [kMemory], 5; port 2; mov [kMemory + kMemoryBytes], 5; answer
  const auto store = [](Code& code, uint64_t address) {
    code.bytes({0x48, 0xc7, 0x04, 0x25}).value32(address).value32(5);
  };
  Code code;
  store(code, kMemory);
  code.hypercall(2);
  store(code, kMemory + kMemoryBytes);
  const auto vm = make(code.answer_42(), kLong, Tracking::kOn);
  SavedMemory first;
  for (const size_t region : {kTextRegion, kDataRegion, kMemoryRegion}) {
    first.region_bytes.push_back(vm->region_bytes(region));
  }
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(call(*vm).port, 2u);
    ASSERT_TRUE(vm->resize(kMemoryRegion, 2 * kMemoryBytes));
    EXPECT_EQ(vm->resume()->port, 0u);
    EXPECT_EQ(slot0(*vm), 42u);
    ASSERT_TRUE(vm->restore(first));
    uint64_t word = 1;
    std::array<uint8_t, 8> bytes{};
    ASSERT_TRUE(vm->read(kMemory, bytes));
    std::memcpy(&word, bytes.data(), sizeof word);
    EXPECT_EQ(word, 0u);
    EXPECT_EQ(vm->region_bytes(kMemoryRegion), kMemoryBytes);
  }
}

// ---- hostile guests ----

// Answers its next calls already now, and loops.
Code answers_ahead(uint32_t turns) {
  Code code;
  code.bytes({0xb9}).value32(0);  // mov ecx, 0; again: mov [turn], ecx; inc ecx; cmp ecx, turns
  const size_t again = code.get().size();
  code.bytes({0x89, 0x0c, 0x25}).value32(kCallPage + offsetof(CallPage, guest_line.turn));
  code.bytes({0xff, 0xc1, 0x81, 0xf9}).value32(turns);
  const size_t after = code.get().size() + 2;
  code.bytes({0x75, static_cast<uint8_t>(again - after)});  // jne again
  const size_t restart = code.get().size() + 2;
  code.bytes({0xeb, static_cast<uint8_t>(0 - restart)});  // jmp to the start
  return code;
}

TEST_P(VmExitlessTest, EndsOnlyTheCallThatAForgedAnswerIsFor) {
  const auto vm = make(answers_ahead(64), kLong);
  for (int i = 0; i < 5; ++i) {
    const auto deadline = steady_clock::now() + milliseconds(30);
    vm->set_deadline(deadline);
    vm->call_page().slots[0].low = 7;
    const auto exit = vm->enter(entry_of_text());
    ASSERT_TRUE(exit);
    // Whatever it is, it comes in time, and holds what the page held.
    EXPECT_TRUE(exit->kind == Kind::kPort || exit->kind == Kind::kDeadline);
    EXPECT_LT(steady_clock::now(), deadline + std::chrono::seconds(1));
    EXPECT_EQ(slot0(*vm), 7u);
  }
}

nanoseconds cpu_time_of_process() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

// It says that its call is over, and runs on. On kvm the host makes it leave.
TEST_P(VmExitlessTest, MakesAGuestLeaveThatRunsOnAfterItsAnswer) {
  if (GetParam() != Driver::kKvm || !can_spin()) GTEST_SKIP() << "NO VCPU THREAD";
  Code code;  // mov eax, [host turn]; mov [guest turn], eax
  code.bytes({0xc7, 0x04, 0x25})
      .value32(kCallPage + offsetof(CallPage, guest_line.port))
      .value32(0);
  code.bytes({0x8b, 0x04, 0x25}).value32(kCallPage + offsetof(CallPage, host_line.turn));
  code.bytes({0x89, 0x04, 0x25}).value32(kCallPage + offsetof(CallPage, guest_line.turn));
  const auto vm = make(code.loop_for_ever(), kLong);
  int answers = 0;
  for (int i = 0; i < 10 && answers < 3; ++i) {
    vm->set_deadline(steady_clock::now() + milliseconds(50));
    // A caller that sleeps does not find the answer.
    if (call(*vm).kind == Kind::kDeadline) continue;
    ++answers;
    std::this_thread::sleep_for(4 * kLong);
    const auto before = cpu_time_of_process();
    std::this_thread::sleep_for(milliseconds(50));
    EXPECT_LT(cpu_time_of_process() - before, milliseconds(25));
    // It goes on where it was, in the name of the next call.
    vm->set_deadline(steady_clock::now() + milliseconds(5));
    EXPECT_EQ(call(*vm).kind, Kind::kDeadline);
  }
  EXPECT_GT(answers, 0);
}

// Each word of the lines, in its turn, with bits of all kinds; then the guest answers as ever.
TEST_P(VmExitlessTest, TakesAnythingInTheLines) {
  constexpr size_t kFirst = offsetof(CallPage, host_line);
  constexpr size_t kEnd = offsetof(CallPage, guest_line) + sizeof(guest_abi::GuestLine);
  for (size_t offset = kFirst; offset < kEnd; offset += 4) {
    if (offset - kFirst >= 40 && offset < offsetof(CallPage, guest_line)) continue;
    if (offset >= offsetof(CallPage, guest_line) + 8) continue;
    for (const uint32_t value : {0u, 1u, 3u, ~0u}) {
      Code code;
      const auto vm = make(store_field(code, offset, value).answer_42(), microseconds(30));
      for (int i = 0; i < 4; ++i) {
        vm->set_deadline(steady_clock::now() + milliseconds(3));
        const auto exit = vm->enter(entry_of_text());
        ASSERT_TRUE(exit) << exit.error().message;
        EXPECT_TRUE(exit->kind == Kind::kPort || exit->kind == Kind::kDeadline ||
                    exit->kind == Kind::kFault)
            << offset - kFirst << " " << value << " " << exit->message;
      }
    }
  }
}

// A restore brings the guest out whatever it does, and nothing of it goes on.
TEST_P(VmExitlessTest, GoesBackUnderAGuestThatRunsOn) {
  if (GetParam() != Driver::kKvm) GTEST_SKIP() << "a child is never told to stop between calls";
  // cmp edi, 0; jne hostile; count; hostile: answer, then inc qword [kMemory] for ever
  const Code honest = count();
  Code code = Code().bytes({0x83, 0xff, 0, 0x75, static_cast<uint8_t>(honest.get().size())});
  for (const uint8_t byte : honest.get()) code.bytes({byte});
  code.bytes({0xc7, 0x04, 0x25})
      .value32(kCallPage + offsetof(CallPage, guest_line.port))
      .value32(0);
  code.bytes({0x8b, 0x04, 0x25}).value32(kCallPage + offsetof(CallPage, host_line.turn));
  code.bytes({0x89, 0x04, 0x25}).value32(kCallPage + offsetof(CallPage, guest_line.turn));
  code.bytes({0x48, 0xff, 0x04, 0x25}).value32(kMemory).bytes({0xeb, 0xf6});
  const auto vm = make(code, kLong, Tracking::kOn);
  SavedMemory first;
  for (const size_t region : {kTextRegion, kDataRegion, kMemoryRegion}) {
    first.region_bytes.push_back(vm->region_bytes(region));
  }
  for (int i = 0; i < 5; ++i) {
    vm->set_deadline(steady_clock::now() + milliseconds(20));
    const auto exit = vm->enter(Entry{kText, 1});
    ASSERT_TRUE(exit);
    EXPECT_TRUE(exit->kind == Kind::kPort || exit->kind == Kind::kDeadline);
    ASSERT_TRUE(vm->restore(first));
    std::this_thread::sleep_for(milliseconds(2));
    std::array<uint8_t, 8> bytes{};
    ASSERT_TRUE(vm->read(kMemory, bytes));
    EXPECT_EQ(bytes, (std::array<uint8_t, 8>{}));
    vm->set_deadline(std::nullopt);
    vm->call_page().slots[0].low = 1;
    EXPECT_EQ(call(*vm, Entry{kText, 0}).port, 0u);
    EXPECT_EQ(slot0(*vm), 2u);
  }
}

// A guest that answered, and faults at a page that the host would bring: it is at CPL 0 then, where
// the next call must not begin.
TEST_P(VmExitlessTest, StartsAtCpl3AfterAGuestThatFaultedBetweenCalls) {
  if (GetParam() != Driver::kKvm || !can_spin()) GTEST_SKIP() << "NO VCPU THREAD";
  // mov eax, cs; and eax, 3; mov [rsi], rax; cmp edi, 0; jne hostile; ret
  Code code = Code().bytes({0x8c, 0xc8, 0x83, 0xe0, 0x03}).store_rax_to_slot0();
  code.bytes({0x83, 0xff, 0, 0x75, 1}).ret();
  code.bytes({0xc7, 0x04, 0x25})
      .value32(kCallPage + offsetof(CallPage, guest_line.port))
      .value32(0);
  code.bytes({0x8b, 0x04, 0x25}).value32(kCallPage + offsetof(CallPage, host_line.turn));
  code.bytes({0x89, 0x04, 0x25}).value32(kCallPage + offsetof(CallPage, guest_line.turn));
  constexpr uint64_t kFar = 2 * guest_abi::kLargePageBytes;
  code.bytes({0xb9}).value32(50'000).bytes({0xff, 0xc9, 0x75, 0xfc});  // once the caller is gone
  code.bytes({0xfe, 0x04, 0x25}).value32(kMemory + kFar).loop_for_ever();  // inc byte [there]
  int answers = 0;
  for (int i = 0; i < 50 && answers < 5; ++i) {
    const auto vm = make(code, kLong, Tracking::kOn);
    ASSERT_TRUE(vm->resize(kMemoryRegion, 2 * kFar));
    SavedMemory first;
    for (const size_t region : {kTextRegion, kDataRegion, kMemoryRegion}) {
      first.region_bytes.push_back(vm->region_bytes(region));
    }
    vm->set_deadline(steady_clock::now() + milliseconds(50));
    if (call(*vm, Entry{kText, 1}).is_exitless) ++answers;
    vm->set_deadline(std::nullopt);
    std::this_thread::sleep_for(milliseconds(1));
    ASSERT_TRUE(vm->restore(first));
    EXPECT_EQ(call(*vm, Entry{kText, 0}).port, 0u);
    EXPECT_EQ(slot0(*vm), 3u);
  }
  EXPECT_GT(answers, 0);
}

// ---- many ----

size_t thread_count() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return static_cast<size_t>(std::distance(begin(tasks), end(tasks)));
}

TEST_P(VmExitlessTest, ServesManyGuestsOnFewProcessors) {
  const auto first = make(count());  // the driver's own threads are there
  call(*first);
  const size_t threads = thread_count();
  {
    constexpr size_t kVms = 24;
    std::vector<std::unique_ptr<Vm>> vms;
    vms.reserve(kVms);
    for (size_t i = 0; i < kVms; ++i) vms.push_back(make(count()));
    std::vector<std::thread> callers;
    callers.reserve(4);
    for (size_t i = 0; i < 4; ++i) {
      callers.emplace_back([&vms, i] {
        for (uint64_t round = 0; round < 20; ++round) {
          for (size_t vm = i; vm < kVms; vm += 4) expect_count(*vms[vm], round);
        }
      });
    }
    for (std::thread& caller : callers) caller.join();
  }
  EXPECT_LE(thread_count(), threads + 1);  // the timer's
}

// The guest's thread does not come along.
TEST_P(VmExitlessTest, EndsInAForkedProcess) {
  if (GetParam() != Driver::kKvm) GTEST_SKIP() << "its guest would end with the copy";
  for (const auto pause : {microseconds(0), microseconds(2000)}) {
    auto vm = make(count(), microseconds(500));
    expect_count(*vm, 1);
    std::this_thread::sleep_for(pause);
    const pid_t child = ::fork();
    if (child == 0) {
      ::alarm(5);
      const auto exit = vm->enter(entry_of_text());
      const bool is_refused = !exit && exit.error().kind == ErrorKind::kHost;
      vm.reset();
      ::_exit(is_refused ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    expect_count(*vm, 2);
  }
}

TEST_P(VmExitlessTest, MovesBetweenThreads) {
  const auto vm = make(count());
  for (uint64_t i = 0; i < 10; ++i) {
    std::thread([&vm, i] { expect_count(*vm, i); }).join();
  }
}

}  // namespace
}  // namespace mayfly::vmm
