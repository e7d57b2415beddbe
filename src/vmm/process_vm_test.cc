// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The process driver with guests of hand-written machine code.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "base/fd.h"
#include "vmm/process/control.h"
#include "vmm/process/next_step.h"
#include "vmm/process_host.h"
#include "vmm/vm.h"

namespace mayfly::vmm {
namespace {

using guest_abi::kCallPage;
using guest_abi::kHypercall;
using guest_abi::kImage;
using guest_abi::kLowMemory;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

// One page of code at kImage, called as thunk(function, slots), and a memory that can grow.
struct Guest {
  explicit Guest(std::vector<uint8_t> code) : file(create_memfd("code", 4096).value()) {
    EXPECT_TRUE(write_whole(file.get(), code));
    host = open_process_host().value();
    VmConfig config;
    config.stack_bytes = 1 << 20;
    config.regions.push_back({kImage, 4096, 4096, Protection::kReadExecute, file.get(), 0, 4096});
    config.regions.push_back({kLowMemory, 65536, 65536 * 16, Protection::kReadWrite, -1, 0, 0});
    vm = host->create_vm(config).value();
  }
  Exit enter() { return vm->enter({kImage, 7}).value(); }

  Fd file;
  std::unique_ptr<Host> host;
  std::unique_ptr<Vm> vm;
};

uint64_t result(Guest& guest) { return guest.vm->call_page().slots[0].low; }

TEST(ProcessVm, ReturnsFortyTwoFromAGuest) {
  Guest guest({0x48, 0xc7, 0x06, 42, 0, 0, 0, 0xc3});  // mov qword [rsi], 42; ret
  const Exit exit = guest.enter();
  EXPECT_EQ(exit.kind, Exit::Kind::kPort);
  EXPECT_EQ(exit.port, 0u);
  EXPECT_EQ(result(guest), 42u);
}

TEST(ProcessVm, ResumesAfterAPort) {
  // push rsi; mov edi, 9; mov eax, kHypercall; call rax; pop rsi; mov qword [rsi], 5; ret
  Guest guest({0x56, 0xbf, 9,    0,    0,    0,    0xb8, 0x00, 0x08, 0x20, 0x00,
               0xff, 0xd0, 0x5e, 0x48, 0xc7, 0x06, 5,    0,    0,    0,    0xc3});
  static_assert(kHypercall == 0x200800);
  EXPECT_EQ(guest.enter().port, 9u);
  EXPECT_EQ(guest.vm->resume().value().port, 0u);
  EXPECT_EQ(result(guest), 5u);
}

TEST(ProcessVm, ReportsAnInvalidOpcodeAndRunsTheNextCall) {
  // cmp dword [0x40000000], 0; jne over; ud2; over: mov qword [rsi], 1; ret
  Guest guest({0x83, 0x3c, 0x25, 0,    0,    0, 0x40, 0, 0x75, 2,
               0x0f, 0x0b, 0x48, 0xc7, 0x06, 1, 0,    0, 0,    0xc3});
  const Exit exit = guest.enter();
  EXPECT_EQ(exit.kind, Exit::Kind::kFault);
  EXPECT_EQ(exit.fault.vector, 6);
  EXPECT_EQ(exit.fault.rip, kImage + 10);
  const uint8_t one = 1;
  ASSERT_TRUE(guest.vm->write(kLowMemory, {&one, 1}));
  EXPECT_EQ(guest.enter().kind, Exit::Kind::kPort);
  EXPECT_EQ(result(guest), 1u);
}

TEST(ProcessVm, FaultsPastAMemorysSizeUntilItGrows) {
  // mov dword [0x40010000], 3; ret
  Guest guest({0xc7, 0x04, 0x25, 0, 0, 1, 0x40, 3, 0, 0, 0, 0xc3});
  const Exit exit = guest.enter();
  EXPECT_EQ(exit.kind, Exit::Kind::kFault);
  EXPECT_EQ(exit.fault.vector, 14);
  EXPECT_EQ(exit.fault.address, kLowMemory + 65536);
  ASSERT_TRUE(guest.vm->resize(1, 2 * 65536));
  EXPECT_EQ(guest.enter().kind, Exit::Kind::kPort);
  uint8_t byte = 0;
  ASSERT_TRUE(guest.vm->read(kLowMemory + 65536, {&byte, 1}));
  EXPECT_EQ(byte, 3);
  ASSERT_TRUE(guest.vm->resize(1, 65536));
  EXPECT_EQ(guest.enter().kind, Exit::Kind::kFault);
  EXPECT_FALSE(guest.vm->resize(1, 65536 * 17));
}

TEST(ProcessVm, EndsALoopAtItsDeadlineAndRunsTheNextCall) {
  // cmp dword [0x40000000], 0; je $; ret
  Guest guest({0x83, 0x3c, 0x25, 0, 0, 0, 0x40, 0, 0x74, 0xf6, 0xc3});
  guest.vm->set_deadline(steady_clock::now() + milliseconds(30));
  EXPECT_EQ(guest.enter().kind, Exit::Kind::kDeadline);
  guest.vm->set_deadline(std::nullopt);
  const uint8_t one = 1;
  ASSERT_TRUE(guest.vm->write(kLowMemory, {&one, 1}));
  EXPECT_EQ(guest.enter().kind, Exit::Kind::kPort);
}

TEST(ProcessVm, EndsALoopWhenCancelled) {
  Guest guest({0xeb, 0xfe});  // jmp $
  std::thread other([&] {
    std::this_thread::sleep_for(milliseconds(30));
    guest.vm->cancel();
  });
  EXPECT_EQ(guest.enter().kind, Exit::Kind::kCancelled);
  other.join();
}

TEST(ProcessVm, RefusesEverySystemCallButWaiting) {
  const std::vector<uint8_t> numbers = {2 /* open */,
                                        9 /* mmap */,
                                        10 /* mprotect */,
                                        41 /* socket */,
                                        57 /* fork */,
                                        59 /* execve */,
                                        62 /* kill */};
  for (const uint8_t number : numbers) {
    Guest guest({0xb8, number, 0, 0, 0, 0x0f, 0x05, 0xc3});  // mov eax, number; syscall; ret
    const Exit exit = guest.enter();
    EXPECT_EQ(exit.kind, Exit::Kind::kFault) << int{number};
    EXPECT_EQ(exit.fault.vector, 6) << int{number};
  }
}

TEST(ProcessVm, RefusesSystemCallsOfOtherAbis) {
  Guest x32({0xb8, 9, 0, 0, 0x40, 0x0f, 0x05, 0xc3});  // mov eax, x32's mmap; syscall; ret
  EXPECT_EQ(x32.enter().fault.vector, 6);
  Guest i386({0xb8, 5, 0, 0, 0, 0xcd, 0x80, 0xc3});  // mov eax, open; int 0x80; ret
  EXPECT_EQ(i386.enter().kind, Exit::Kind::kFault);
}

TEST(ProcessVm, RefusesFutexOnOtherMemory) {
  // mov eax, futex; mov edi, 0x40000000; mov esi, FUTEX_WAKE; syscall; ret
  Guest guest({0xb8, 202, 0, 0, 0, 0xbf, 0, 0, 0, 0x40, 0xbe, 1, 0, 0, 0, 0x0f, 0x05, 0xc3});
  EXPECT_EQ(guest.enter().fault.vector, 6);
}

TEST(ProcessVm, RefusesFutexOperationsButWaitAndWake) {
  // mov eax, futex; mov rdi, control; mov esi, FUTEX_REQUEUE; syscall; ret
  Guest guest({0xb8, 202, 0, 0,    0, 0x48, 0xbf, 0, 0,    0,    0,   0x80,
               0x70, 0,   0, 0xbe, 3, 0,    0,    0, 0x0f, 0x05, 0xc3});
  static_assert(process::kControlAddress == 0x7080'0000'0000);
  EXPECT_EQ(guest.enter().fault.vector, 6);
}

TEST(ProcessVm, KeepsTheDeadlineOfAGuestThatForgesReports) {
  // mov rax, control; again: mov dword [rax + report], kInterrupted; mov dword [rax], kTurnHost;
  // jmp again
  Guest guest({0x48, 0xb8, 0, 0, 0,    0, 0x80, 0x70, 0, 0, 0xc7, 0x40, 24,
               4,    0,    0, 0, 0xc7, 0, 0,    0,    0, 0, 0xeb, 0xf1});
  static_assert(offsetof(process::Control, report) == 24);
  guest.vm->set_deadline(steady_clock::now() + milliseconds(30));
  EXPECT_EQ(guest.enter().kind, Exit::Kind::kDeadline);
}

// The guest above is too slow at times to hide every look from the host; these are all of them.
TEST(NextStep, NeverLetsAReportPutOffTheDeadline) {
  using process::Look;
  using process::next_step;
  using process::NextStep;
  using Kind = Exit::Kind;
  EXPECT_EQ(next_step({.report = Kind::kCancelled}), NextStep::kGiveBack);
  EXPECT_EQ(next_step({.report = Kind::kCancelled, .is_late = true}), NextStep::kDeadline);
  EXPECT_EQ(next_step({.report = Kind::kCancelled, .is_cancelled = true}), NextStep::kReturn);
  for (const Kind kind : {Kind::kPort, Kind::kFault, Kind::kBroken}) {
    EXPECT_EQ(next_step({.report = kind}), NextStep::kReturn);
    EXPECT_EQ(next_step({.report = kind, .is_cancelled = true, .is_late = true}),
              NextStep::kReturn);
  }
}

TEST(NextStep, EndsACallWithoutAReport) {
  using process::next_step;
  using process::NextStep;
  EXPECT_EQ(next_step({}), NextStep::kWait);
  EXPECT_EQ(next_step({.is_dead = true}), NextStep::kDied);
  EXPECT_EQ(next_step({.is_late = true, .is_dead = true}), NextStep::kDeadline);
  EXPECT_EQ(next_step({.is_cancelled = true, .is_late = true}), NextStep::kCancel);
}

// Waking a child whose memory is gone ends the process. Without the lock around its end a thread of
// these does that within the rounds, four times in five.
TEST(ProcessVm, IsCancelledWhileItsChildGoesAway) {
  Guest guest({0xb8, 231, 0, 0, 0, 0x0f, 0x05});  // exit_group
  std::atomic<bool> done = false;
  std::vector<std::jthread> others(3);
  for (std::jthread& other : others) {
    other = std::jthread([&] {
      while (!done) guest.vm->cancel();
    });
  }
  for (int i = 0; i < 150; ++i) {
    const Exit exit = guest.enter();
    EXPECT_TRUE(exit.kind == Exit::Kind::kCancelled || exit.kind == Exit::Kind::kBroken);
  }
  done = true;
}

TEST(ProcessVm, EndsAsBrokenWhenTheGuestEndsItsProcess) {
  Guest guest({0xb8, 231, 0, 0, 0, 0x0f, 0x05});  // exit_group
  EXPECT_EQ(guest.enter().kind, Exit::Kind::kBroken);
}

TEST(ProcessVm, RefusesWritesToItsCode) {
  // mov byte [0x400000], 0; ret
  Guest guest({0xc6, 0x04, 0x25, 0, 0, 0x40, 0, 0, 0xc3});
  const Exit exit = guest.enter();
  EXPECT_EQ(exit.kind, Exit::Kind::kFault);
  EXPECT_EQ(exit.fault.address, kImage);
  EXPECT_EQ(exit.fault.error_code & 3, 3u);
}

TEST(ProcessVm, EndsRunawayRecursionAtTheStacksGuard) {
  Guest guest({0xe8, 0xfb, 0xff, 0xff, 0xff});  // call $
  const Exit exit = guest.enter();
  EXPECT_EQ(exit.kind, Exit::Kind::kFault);
  EXPECT_EQ(exit.fault.vector, 14);
  EXPECT_EQ(exit.fault.address, guest_abi::kStackTop - (1 << 20) - 8);
}

TEST(ProcessVm, ClearsRegistersBetweenCalls) {
  // movq rax, xmm7; add rax, r12; mov [rsi], rax; mov r12d, 1; movq xmm7, r12; stmxcsr [rsi+8];
  // or dword [rsi+12], 0x8040; ret
  Guest guest({0x66, 0x48, 0x0f, 0x7e, 0xf8, 0x4c, 0x01, 0xe0, 0x48, 0x89, 0x06, 0x41,
               0xbc, 1,    0,    0,    0,    0x66, 0x49, 0x0f, 0x6e, 0xfc, 0xc3});
  guest.enter();
  guest.enter();
  EXPECT_EQ(result(guest), 0u);
}

TEST(ProcessVm, RefusesRangesThatAreNotTheGuests) {
  Guest guest({0xc3});
  uint8_t byte = 0;
  EXPECT_FALSE(guest.vm->read(0, {&byte, 1}));
  EXPECT_FALSE(guest.vm->read(kLowMemory + 65536, {&byte, 1}));
  EXPECT_FALSE(guest.vm->view(kLowMemory, ~uint64_t{0}));
  EXPECT_FALSE(guest.vm->view(kLowMemory + 1, 65536));
  EXPECT_FALSE(guest.vm->view(kImage, 1));
  EXPECT_TRUE(guest.vm->view(kCallPage, guest_abi::kCallPageBytes));
}

}  // namespace
}  // namespace mayfly::vmm
