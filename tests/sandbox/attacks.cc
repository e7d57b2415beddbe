// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The attacks. Each one is a guest that tries one thing; the comment beside its bytes says what.
#include <chrono>

#include "attack.h"
#include "guest_abi/call_page.h"
#include "vmm/host_pages_x86_64.h"

namespace mayfly::vmm {
namespace {

using namespace guest_abi;
using Kind = Exit::Kind;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr uint8_t kInvalidOpcode = 6;
constexpr uint8_t kProtectionFault = 13;
constexpr uint8_t kPageFault = 14;
constexpr Entry kAttackEntry{kText, 1};

const End kBroken{Kind::kBroken};
const End kRefused{Kind::kFault, kProtectionFault};
const End kReturned{Kind::kPort, {}, {}, 42};

End page_fault(uint64_t address) { return {Kind::kFault, kPageFault, address}; }

Attack store_to(const char* name, uint64_t address, Weakness weakness) {
  return {name, Code().mov_rcx(address).store_rax_to_rcx().answer_42(), page_fault(address),
          weakness};
}

Attack load_from(const char* name, uint64_t address) {
  return {name, Code().mov_rax(address).load_rax_from_rax().answer_42(), page_fault(address),
          Weakness::kReadableSystemPages};
}

// Data that would return if it were executed.
Attack jump_to(const char* name, uint64_t address) {
  return {name,
          Code()
              .bytes({0x54, 0x58, 0x50, 0x50, 0x58, 0x58})  // push rsp; pop rax; ...: no effect
              .mov_rcx(address)
              .bytes({0xc6, 0x01, 0xc3, 0xff, 0xd1})  // mov byte [rcx], 0xc3 (ret); call rcx
              .answer_42(),
          page_fault(address), Weakness::kExecutableData};
}

Attack instruction(const char* name, std::initializer_list<uint8_t> bytes, const End& end) {
  Attack attack;
  attack.name = name;
  attack.code.bytes(bytes).answer_42();
  attack.end = end;
  return attack;
}

void add_memory_attacks(std::vector<Attack>& all) {
  all.push_back(store_to("WritesTheEntryCode", kEnter, Weakness::kWritableHostPages));
  all.push_back(store_to("WritesTheHypercall", kHypercall, Weakness::kWritableHostPages));
  all.push_back(store_to("WritesTheTrapVectors", kVectorPage, Weakness::kWritableHostPages));
  all.push_back(
      store_to("WritesTheDescriptorTables", kDescriptorPages, Weakness::kWritableHostPages));
  all.push_back(
      store_to("WritesTheTaskState", kDescriptorPages + 0x1000, Weakness::kWritableHostPages));
  all.push_back(
      store_to("WritesTheTrapStack", kTrapStackPage + 0xfd0, Weakness::kWritableHostPages));
  all.push_back(store_to("WritesItsText", kText, Weakness::kWritableText));
  all.push_back(store_to("WritesToNull", 0, Weakness::kMemoryEverywhere));
  all.push_back(store_to("WritesPastItsData", kData + 4 * kPageBytes, Weakness::kMemoryEverywhere));
  all.push_back(
      store_to("WritesPastTheCallPage", kCallPage + kCallPageBytes, Weakness::kMemoryEverywhere));
  all.push_back(load_from("ReadsTheTrapVectors", kVectorPage));
  all.push_back(load_from("ReadsTheDescriptorTables", kDescriptorPages));
  all.push_back(load_from("ReadsTheTrapStack", kTrapStackPage + 0xff8));
  all.push_back(jump_to("JumpsIntoData", kData + 64));
  all.push_back(jump_to("JumpsIntoItsMemory", kMemory + 64));
  all.push_back(jump_to("JumpsIntoTheCallPage", kCallPage + 4096));
  all.push_back(jump_to("JumpsIntoItsStack", kStackTop - 4096));
  all.push_back({"ReadsTheKernelsAddresses",
                 Code().mov_rax(0xffff'ffff'8100'0000).load_rax_from_rax().answer_42(),
                 page_fault(0xffff'ffff'8100'0000), Weakness::kMemoryEverywhere,
                 End{Kind::kFault, kPageFault}});
}

// Calls of the exit page that are not the one instruction.
void add_exit_attacks(std::vector<Attack>& all, bool exit_is_store) {
  const auto add = [&all](const char* name, std::initializer_list<uint8_t> bytes,
                          Weakness weakness) {
    Attack attack = instruction(name, bytes, kBroken);
    Code code;  // rdi: the exit page; eax: 0
    code.mov_rdi(kExitPage).bytes({0x31, 0xc0});
    for (const uint8_t byte : attack.code.get()) code.bytes({byte});
    attack.code = code;
    attack.weakness = weakness;
    attack.process_end = page_fault(kExitPage);
    all.push_back(attack);
  };
  // Where guests leave by `out`, no store counts, wherever it comes from.
  const Weakness any_address =
      exit_is_store ? Weakness::kAnyExitInstruction : Weakness::kAnyExitShape;
  add("LeavesByItsOwnStore", {0x89, 0x07}, any_address);  // mov [rdi], eax
  add("LeavesByALoad", {0x8b, 0x07}, Weakness::kAnyExitShape);
  add("LeavesByAByte", {0x88, 0x07}, Weakness::kAnyExitShape);
  add("LeavesByEightBytes", {0x48, 0x89, 0x07}, Weakness::kAnyExitShape);
  add("LeavesByLockXadd", {0xf0, 0x0f, 0xc1, 0x07}, Weakness::kAnyExitShape);
  add("LeavesByLockCompareExchange", {0xf0, 0x0f, 0xb1, 0x0f}, Weakness::kAnyExitShape);
  add("LeavesByRepStos", {0xb9, 0x00, 0x04, 0, 0, 0xf3, 0xab}, any_address);
  // vmovdqa [rdi], ymm0: no KVM emulates it; some end the guest, some raise #UD in it.
  add("LeavesByAVectorStore", {0xc5, 0xfd, 0x7f, 0x07}, Weakness::kAnyExitShape);
  if (!exit_is_store) {
    all.back().end = {Kind::kFault, kInvalidOpcode};
    all.back().weakness = Weakness::kNone;
    all.back().irremovable = "KVM's emulator refuses the instruction";
  }
  add("LeavesByASmallVectorStore", {0x0f, 0x29, 0x07}, Weakness::kAnyExitShape);  // movaps

  Attack out = instruction("LeavesByItsOwnOut", {0xe6, 0x10}, kBroken);
  out.weakness = exit_is_store ? Weakness::kAnyExitShape : Weakness::kAnyExitInstruction;
  out.process_end = kRefused;
  all.push_back(out);
  const uint64_t exit_instruction =
      HostPages::create({exit_is_store ? ExitMethod::kMmioStore : ExitMethod::kPortOut})
          .value()
          .exit_instruction();
  Attack inside{"JumpsIntoTheExitInstruction",
                Code().bytes({0x31, 0xc0}).mov_rcx(exit_instruction + 1).bytes({0xff, 0xe1}),
                End{Kind::kFault, kPageFault}};
  inside.process_end = End{Kind::kFault};
  inside.irremovable = "behind its first byte the instruction is a load from null";
  all.push_back(inside);
  all.push_back({"JumpsToTheExitPage", Code().mov_rax(kExitPage).call_rax().answer_42(),
                 page_fault(kExitPage), Weakness::kExecutableExitPage});
  // mov rdi, kCallPage; mov ecx, 0x10000; mov al, 0xff; rep stosb
  all.push_back(
      {"FillsTheCallPageWithGarbage",
       Code().mov_rdi(kCallPage).bytes({0xb9, 0, 0, 1, 0, 0xb0, 0xff, 0xf3, 0xaa}).answer_42(),
       kReturned});
  all.back().irremovable = "the Vm reads nothing there; who does is tested in runtime and wasi";
}

// A load that KVM has begun and not finished when the host makes the next call.
Result<Exit> call_again_when_broken(Vm& vm) {
  Exit first = MAYFLY_TRY(vm.enter(kAttackEntry));
  if (first.kind != Kind::kBroken) return first;
  auto second = vm.enter(Entry{kText, 0});
  return second ? std::move(second) : first;
}

void add_hijack_attack(std::vector<Attack>& all) {
  Attack attack;
  attack.name = "LeavesALoadForTheNextCall";
  attack.code.mov_rcx(kExitPage).bytes({0x8b, 0x01}).hypercall(66).answer_42();  // mov eax, [rcx]
  attack.end = kBroken;
  attack.weakness = Weakness::kBrokenRuns;
  attack.process_end = page_fault(kExitPage);
  attack.drive = call_again_when_broken;
  all.push_back(attack);
}

const End kAnyFault{Kind::kFault};  // #GP here, #UD there

Attack& add_one(std::vector<Attack>& all, const char* name, std::initializer_list<uint8_t> bytes,
                const End& end, Weakness weakness = Weakness::kKernelMode) {
  all.push_back(instruction(name, bytes, end));
  all.back().weakness = weakness;
  return all.back();
}

void add_privileged_attacks(std::vector<Attack>& all, bool exit_is_store) {
  add_one(all, "Halts", {0xf4}, kRefused);
  add_one(all, "ClearsTheInterruptFlag", {0xfa}, kRefused, Weakness::kIoPrivilege);
  add_one(all, "SetsTheInterruptFlag", {0xfb}, kRefused, Weakness::kIoPrivilege);
  add_one(all, "WritesAnotherPort", {0xe6, 0x80}, kRefused, Weakness::kIoPrivilege);
  add_one(all, "WritesTheTrapPort", {0xe6, 0x20}, kRefused, Weakness::kIoPrivilege);
  add_one(all, "WritesTwoPorts", {0x66, 0xe7, 0x10}, kRefused, Weakness::kIoPrivilege);
  add_one(all, "ReadsAPort", {0xe4, 0x80}, kRefused, Weakness::kIoPrivilege);
  add_one(all, "ReadsAControlRegister", {0x0f, 0x20, 0xd8}, kRefused);
  add_one(all, "WritesAControlRegister", {0x0f, 0x22, 0xd0}, kRefused);  // mov cr2, rax
  add_one(all, "WritesADebugRegister", {0x31, 0xc0, 0x0f, 0x23, 0xf8}, kRefused);
  add_one(all, "LoadsAGdt", {0x0f, 0x01, 0x14, 0x24}, kRefused);
  add_one(all, "LoadsAnIdt", {0x0f, 0x01, 0x1c, 0x24}, kRefused);
  add_one(all, "LoadsALocalTable", {0x31, 0xc0, 0x0f, 0x00, 0xd0}, kRefused);
  Attack& task = add_one(all, "LoadsATaskRegister", {0x0f, 0x00, 0xd8}, kRefused, Weakness::kNone);
  task.irremovable = "the one task state is busy, which CPL 0 cannot load either";
  // ecx: MSR_KERNEL_GS_BASE, EFER
  add_one(all, "WritesAModelRegister",
          {0xb9, 0x02, 0x01, 0, 0xc0, 0x31, 0xc0, 0x31, 0xd2, 0x0f, 0x30}, kRefused);
  add_one(all, "ReadsAModelRegister", {0xb9, 0x80, 0, 0, 0xc0, 0x0f, 0x32}, kRefused);
  add_one(all, "InvalidatesAPage", {0x0f, 0x01, 0x3c, 0x24}, kRefused);
  add_one(all, "InvalidatesTheCaches", {0x0f, 0x09}, kRefused);
  add_one(all, "SwapsGs", {0x0f, 0x01, 0xf8}, kRefused);
  // xor ecx, ecx; xor edx, edx; mov eax, 3; xsetbv
  Attack& xcr0 = add_one(all, "WritesXcr0",
                         {0x31, 0xc9, 0x31, 0xd2, 0xb8, 3, 0, 0, 0, 0x0f, 0x01, 0xd1}, kRefused);
  if (!exit_is_store) {
    xcr0.weakness = Weakness::kNone;
    xcr0.irremovable = "at CPL 0 QEMU writes the host's own register, and its kernel ends";
  }
}

// Ways to another privilege level: far returns, interrupts, traps, system calls.
void add_transfer_attacks(std::vector<Attack>& all, bool exit_is_store) {
  // Refused everywhere; QEMU says so by a page fault, because it reads the stack at CPL 0.
  // push ss, rsp, rflags, cs: all of CPL 0; lea rax, [behind]; push rax; iretq; behind: pop rax
  add_one(all, "ReturnsToCpl0",
          {0x6a, 0x18, 0x54, 0x9c, 0x6a, 0x10, 0x48, 0x8d, 5, 3, 0, 0, 0, 0x50, 0x48, 0xcf, 0x58},
          kAnyFault);
  // push cs of CPL 0; lea rax, [behind]; push rax; retfq
  add_one(all, "JumpsToTheKernelsCode", {0x6a, 0x10, 0x48, 0x8d, 5, 3, 0, 0, 0, 0x50, 0x48, 0xcb},
          kAnyFault);
  add_one(all, "JumpsTo32BitCode", {0x6a, 0x23, 0x56, 0x48, 0xcb}, kAnyFault, Weakness::kCode32)
      .process_end = kAnyFault;
  add_one(all, "LoadsTheKernelsStackSegment", {0x66, 0xb8, 0x18, 0, 0x8e, 0xd0}, kAnyFault);
  add_one(all, "RaisesAPageFaultItself", {0xcd, 0x0e}, kAnyFault, Weakness::kOpenGates);
  Attack& interrupt = add_one(all, "RaisesAnInterrupt", {0xcd, 0x80}, kAnyFault, Weakness::kNone);
  interrupt.process_end = kAnyFault;
  interrupt.irremovable = "the table of vectors ends before it";
  if (exit_is_store) {  // kvm_pvm lets it through whatever the gate says
    add_one(all, "RaisesABreakpoint", {0xcc}, End{Kind::kFault, 3}, Weakness::kEmptyVectors);
  } else {
    add_one(all, "RaisesABreakpoint", {0xcc}, kRefused, Weakness::kOpenGates).process_end =
        kAnyFault;
  }
  Attack& trap = add_one(all, "RaisesADebugTrap", {0xf1}, kAnyFault, Weakness::kEmptyVectors);
  if (!exit_is_store) {
    trap.weakness = Weakness::kNone;
    trap.irremovable = "QEMU has no such instruction";
  }
  add_one(all, "StepsByTheTrapFlag", {0x9c, 0x81, 0x0c, 0x24, 0, 1, 0, 0, 0x9d, 0x90, 0x90},
          End{Kind::kFault, 1}, Weakness::kEmptyVectors);
  // pushfq; or dword [rsp], 0x3000; popfq; out 0x80, al: asks for IOPL 3
  add_one(all, "GivesItselfIoPrivilege", {0x9c, 0x81, 0x0c, 0x24, 0, 0x30, 0, 0, 0x9d, 0xe6, 0x80},
          kRefused);
  add_one(all, "EntersASystemCall", {0x0f, 0x05}, kAnyFault, Weakness::kSystemCalls).process_end =
      kAnyFault;
  add_one(all, "EntersTheSystem", {0x0f, 0x34}, kAnyFault, Weakness::kNone).irremovable =
      "its registers are never set, and AMD's 64-bit mode has no such instruction";
}

Result<Exit> with_deadline(Vm& vm) {
  vm.set_deadline(steady_clock::now() + milliseconds(30));
  return vm.enter(kAttackEntry);
}

Result<Exit> answer_ports_until_the_deadline(Vm& vm) {
  Exit exit = MAYFLY_TRY(with_deadline(vm));
  while (exit.kind == Kind::kPort && exit.port == 9) exit = MAYFLY_TRY(vm.resume());
  return exit;
}

// Port 9 asks for one page more; the guest counts in slot 0 and touches what it got.
Result<Exit> grow_for_ever(Vm& vm) {
  MAYFLY_TRY(vm.resize(kMemoryRegion, kMemoryBytesReserved - 4 * kPageBytes));
  vm.call_page().slots[0].low = 0;
  Exit exit = MAYFLY_TRY(vm.enter(kAttackEntry));
  for (int i = 0; i < 16 && exit.kind == Kind::kPort && exit.port == 9; ++i) {
    const bool grown =
        vm.resize(kMemoryRegion, vm.region_bytes(kMemoryRegion) + kPageBytes).has_value();
    vm.call_page().slots[0].high = grown ? 1 : 0;
    exit = MAYFLY_TRY(vm.resume());
  }
  return exit;
}

constexpr uint64_t kShrinkBytes = uint64_t{4} << 20;

// The guest touches its memory, which then shrinks, grows, and shrinks.
Result<Exit> shrink_meanwhile(Vm& vm) {
  MAYFLY_TRY(vm.resize(kMemoryRegion, kShrinkBytes));
  MAYFLY_TRY(vm.enter(kAttackEntry));
  MAYFLY_TRY(vm.resize(kMemoryRegion, kMemoryBytes));
  return vm.resume();
}

Result<Exit> shrink_and_grow_meanwhile(Vm& vm) {
  MAYFLY_TRY(vm.resize(kMemoryRegion, kShrinkBytes));
  MAYFLY_TRY(vm.enter(kAttackEntry));
  MAYFLY_TRY(vm.resize(kMemoryRegion, kMemoryBytes));
  MAYFLY_TRY(vm.resize(kMemoryRegion, kShrinkBytes));
  return vm.resume();
}

Result<Exit> call_twice(Vm& vm) {
  MAYFLY_TRY(vm.enter(kAttackEntry));
  return vm.enter(kAttackEntry);
}

void add_resource_attacks(std::vector<Attack>& all) {
  const End at_guard = page_fault(kStackTop - kStackBytesDefault - 8);
  all.push_back({"LoopsForEver",
                 Code().loop_for_ever(),
                 End{Kind::kDeadline},
                 Weakness::kNoDeadline,
                 {},
                 with_deadline});
  Code flood;
  flood.hypercall(9);
  flood.bytes({0xeb, static_cast<uint8_t>(-static_cast<int>(flood.get().size()) - 2)});
  all.push_back({"LeavesForEver",
                 flood,
                 End{Kind::kDeadline},
                 Weakness::kNoDeadline,
                 {},
                 answer_ports_until_the_deadline});
  all.push_back({"RecursesForEver", Code().bytes({0xe8, 0xfb, 0xff, 0xff, 0xff}), at_guard,
                 Weakness::kNoStackGuard});
  all.push_back(
      {"PushesForEver", Code().bytes({0x50, 0xeb, 0xfd}), at_guard, Weakness::kNoStackGuard});
  // sub rsp, kFrameBytesMax; call next: the largest frame still ends in the guard
  all.push_back(
      {"SkipsTheGuardWithALargeFrame",
       Code().mov_rax(kFrameBytesMax).bytes({0x48, 0x29, 0xc4, 0xe8, 0, 0, 0, 0, 0x58}).answer_42(),
       page_fault(kStackTop - kFrameBytesMax - 16), Weakness::kMemoryEverywhere});
  // loop: push rsi; mov edi, 9; call hypercall; pop rsi; inc [rsi]; cmp [rsi + 8], 0; jne loop; ret
  Code eat;
  eat.hypercall(9).bytes({0x48, 0xff, 0x06, 0x48, 0x83, 0x7e, 0x08, 0x00});
  eat.bytes({0x75, static_cast<uint8_t>(-static_cast<int>(eat.get().size()) - 2)}).ret();
  all.push_back({"GrowsForEver",
                 eat,
                 End{Kind::kPort, {}, {}, 5},
                 Weakness::kNoReserveLimit,
                 {},
                 grow_for_ever});
}

void add_leftover_attacks(std::vector<Attack>& all) {
  const uint64_t address = kMemory + kShrinkBytes - 8;
  const Code touch = Code()
                         .mov_rcx(address)
                         .mov_rax(7)
                         .store_rax_to_rcx()
                         .hypercall(9)
                         .mov_rax(address)
                         .load_rax_from_rax()
                         .store_rax_to_slot0()
                         .ret();
  all.push_back({"TouchesItsMemoryAfterAShrink",
                 touch,
                 page_fault(address),
                 Weakness::kMappedAfterShrink,
                 {},
                 shrink_meanwhile});
  all.push_back({"ReadsOldBytesAfterAShrinkAndAGrowth",
                 touch,
                 End{Kind::kPort, {}, {}, 0},
                 Weakness::kStaleShrink,
                 {},
                 shrink_and_grow_meanwhile});
  // pushfq; pop rax; and eax, DF | AC; store; pushfq; or dword [rsp], DF | AC; popfq; ret
  all.push_back({"FindsTheLastCallsFlags",
                 Code()
                     .bytes({0x9c, 0x58, 0x25, 0, 0x04, 0x04, 0})
                     .store_rax_to_slot0()
                     .bytes({0x9c, 0x81, 0x0c, 0x24, 0, 0x04, 0x04, 0, 0x9d})
                     .ret(),
                 End{Kind::kPort, {}, {}, 0},
                 Weakness::kDirtyFlags,
                 {},
                 call_twice});
  // movq rax, xmm15; store; mov eax, -1; movq xmm15, rax; ret
  all.push_back({"FindsTheLastCallsVectors",
                 Code()
                     .bytes({0x66, 0x4c, 0x0f, 0x7e, 0xf8})
                     .store_rax_to_slot0()
                     .mov_rax(~uint64_t{0})
                     .bytes({0x66, 0x4c, 0x0f, 0x6e, 0xf8})
                     .ret(),
                 End{Kind::kPort, {}, {}, 0},
                 Weakness::kDirtyVectorState,
                 {},
                 call_twice});
  // stmxcsr [rsi]; push 0; ldmxcsr [rsp]; pop rax; ret
  all.push_back({"FindsTheLastCallsRounding",
                 Code()
                     .bytes({0x48, 0xc7, 0x06, 0, 0, 0, 0, 0x0f, 0xae, 0x1e})
                     .bytes({0x6a, 0x00, 0x0f, 0xae, 0x14, 0x24, 0x58})
                     .ret(),
                 End{Kind::kPort, {}, {}, 0x1f80},
                 Weakness::kDirtyVectorState,
                 {},
                 call_twice});
}

}  // namespace

std::vector<Attack> attacks(bool exit_is_store) {
  std::vector<Attack> all;
  add_memory_attacks(all);
  add_exit_attacks(all, exit_is_store);
  add_hijack_attack(all);
  add_privileged_attacks(all, exit_is_store);
  add_transfer_attacks(all, exit_is_store);
  add_resource_attacks(all);
  add_leftover_attacks(all);
  return all;
}

}  // namespace mayfly::vmm
