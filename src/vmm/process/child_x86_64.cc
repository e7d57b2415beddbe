// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The child of the process driver: maps what the host lists, gives up every system call but
// waiting, and then runs guest code. Freestanding, static, linked above every guest address.
//
// SAFETY: this file is inline assembly and fixed addresses by nature. The addresses are those of
// control.h and layout.h; the list of mappings comes from the host before any guest code ran.
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>

#include <cstddef>
#include <cstdint>

#include "guest_abi/call_page.h"
#include "guest_abi/layout.h"
#include "vmm/process/control.h"

namespace mayfly::vmm::process {
namespace {

enum SystemCall : long {
  kMmap = 9,
  kRtSigaction = 13,
  kRtSigprocmask = 14,
  kRtSigreturn = 15,
  kGetppid = 110,
  kPrctl = 157,
  kSigaltstack = 131,
  kFutex = 202,
  kExitGroup = 231,
  kSeccomp = 317,
  kCloseRange = 436,
};

long system_call(long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
                 uint64_t f) {
  long result;
  register uint64_t r10 asm("r10") = d;
  register uint64_t r8 asm("r8") = e;
  register uint64_t r9 asm("r9") = f;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
}

Control& control() { return *reinterpret_cast<Control*>(kControlAddress); }

// The kernel's struct sigaction, with its own restorer.
struct KernelSigaction {
  void (*handler)(int, void*, void*);
  uint64_t flags;
  void (*restorer)();
  uint64_t mask;
};
struct KernelStack {
  void* base;
  int flags;
  size_t size;
};
// The head of the kernel's siginfo_t and ucontext (arch/x86 sigcontext_64).
struct SignalInfo {
  int32_t number, error, code, padding;
  uint64_t address;
};
struct SignalContext {
  uint64_t flags, link;
  KernelStack stack;
  uint64_t r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip;
  uint64_t eflags;
  uint16_t cs, gs, fs, ss;
  uint64_t error, trap_number, old_mask, cr2, fp_state;
};
static_assert(offsetof(SignalContext, rip) == 168);
static_assert(offsetof(SignalContext, cr2) == 216);

constexpr uint64_t kSaSiginfo = 4;
constexpr uint64_t kSaRestorer = 0x0400'0000;
constexpr uint64_t kSaOnstack = 0x0800'0000;
constexpr int kSigIll = 4, kSigTrap = 5, kSigBus = 7, kSigFpe = 8, kSigUsr1 = 10, kSigSegv = 11,
              kSigSys = 31;
constexpr uint32_t kVectorInvalidOpcode = 6;
constexpr uint32_t kVectorPageFault = 14;
constexpr uint64_t kInterruptFlagOnly = 0x202;

alignas(64) uint8_t signal_stack[64 * 1024];
bool running = false;  // whether guest code is what a signal interrupts

uint64_t ticks() {
  uint32_t low = 0, high = 0;
  asm volatile("rdtsc" : "=a"(low), "=d"(high));
  return (uint64_t{high} << 32) | low;
}

bool has_turn() { return __atomic_load_n(&control().turn, __ATOMIC_ACQUIRE) == kTurnChild; }

// Gives the turn to the host and waits until it comes back.
void hand_over(Report report) {
  Control& c = control();
  running = false;
  c.report = report;
  // Either this finds the host asleep, or the host finds its turn before it sleeps.
  __atomic_store_n(&c.turn, kTurnHost, __ATOMIC_SEQ_CST);
  if (__atomic_load_n(&c.host_sleeps, __ATOMIC_SEQ_CST) != 0) {
    system_call(kFutex, kControlAddress, FUTEX_WAKE, 1, 0, 0, 0);
  }
  const uint64_t spin_ticks = c.spin_ticks;
  const uint64_t start = spin_ticks == 0 ? 0 : ticks();
  while (spin_ticks != 0 && !has_turn() && ticks() - start < spin_ticks) __builtin_ia32_pause();
  while (!has_turn()) {
    __atomic_store_n(&c.child_sleeps, 1, __ATOMIC_SEQ_CST);
    system_call(kFutex, kControlAddress, FUTEX_WAIT, kTurnHost, 0, 0, 0);
  }
  __atomic_store_n(&c.child_sleeps, 0, __ATOMIC_RELAXED);
  running = true;
}

}  // namespace

extern "C" {
// The names are entry_x86_64.S's.
uint32_t mayfly_vector_level = 0;  // 0: SSE; 1: AVX; 2: AVX-512; 3: clears nothing, for a test
[[noreturn]] void mayfly_jump_to_guest(uint64_t thunk, uint64_t function, uint64_t slots,
                                       uint64_t stack_top);
void mayfly_signal_return();
void mayfly_enter();
void mayfly_nest(uint64_t thunk, uint64_t function, uint64_t slots);
void mayfly_leave(uint32_t port);
[[noreturn]] void mayfly_child_main(uint64_t* stack);

[[gnu::used]] void mayfly_leave(uint32_t port) {
  control().port = port;
  hand_over(Report::kPort);
  const Control& c = control();
  while (c.command == Command::kNest) {
    mayfly_nest(c.thunk, c.function, guest_abi::kCallPage + offsetof(guest_abi::CallPage, slots));
    control().port = 0;
    hand_over(Report::kPort);
  }
  if (c.command == Command::kEnter) {
    mayfly_jump_to_guest(c.thunk, c.function,
                         guest_abi::kCallPage + offsetof(guest_abi::CallPage, slots),
                         guest_abi::kStackTop);
  }
}

// SECCOMP_RET_TRAP and -ffreestanding need nothing of a C library; these two the compiler may call.
[[gnu::used]] void* memset(void* to, int value, size_t bytes) {
  auto* p = static_cast<volatile uint8_t*>(to);
  for (size_t i = 0; i < bytes; ++i) p[i] = static_cast<uint8_t>(value);
  return to;
}
[[gnu::used]] void* memcpy(void* to, const void* from, size_t bytes) {
  auto* p = static_cast<volatile uint8_t*>(to);
  const auto* q = static_cast<const uint8_t*>(from);
  for (size_t i = 0; i < bytes; ++i) p[i] = q[i];
  return to;
}
}

namespace {

void on_signal(int number, void* info_pointer, void* context_pointer) {
  const auto* info = static_cast<const SignalInfo*>(info_pointer);
  auto* context = static_cast<SignalContext*>(context_pointer);
  Control& c = control();
  // A late interrupt of a call that is over already.
  if (number == kSigUsr1 && !running) return;
  c.rip = context->rip;
  c.rsp = context->rsp;
  c.rbp = context->rbp;
  if (number == kSigUsr1) {
    hand_over(Report::kInterrupted);
    // The signal was meant for a call that ended before it came.
    if (c.command == Command::kResume) return;
  } else {
    // A refused system call looks like what it is without an operating system: an invalid opcode.
    c.vector =
        number == kSigSys ? kVectorInvalidOpcode : static_cast<uint32_t>(context->trap_number);
    c.error_code = number == kSigSys ? 0 : context->error;
    c.address = c.vector == kVectorPageFault ? info->address : 0;
    hand_over(Report::kFault);
  }
  // Only enter follows the end of a call.
  context->rip = reinterpret_cast<uint64_t>(&mayfly_enter);
  context->rsp = guest_abi::kStackTop;
  context->rdi = c.thunk;
  context->rsi = c.function;
  context->rdx = guest_abi::kCallPage + offsetof(guest_abi::CallPage, slots);
  context->eflags = kInterruptFlagOnly;
  // Linux has a 32-bit code segment, and the guest may have jumped to it.
  constexpr uint16_t kUserCode = 0x33, kUserData = 0x2b;
  context->cs = kUserCode;
  context->ss = kUserData;
}

[[noreturn]] void fail(uint32_t step, long result) {
  Control& c = control();
  c.failed_step = step;
  c.failed_errno = static_cast<int32_t>(-result);
  c.report = Report::kFailed;
  __atomic_store_n(&c.turn, kTurnHost, __ATOMIC_RELEASE);
  system_call(kFutex, kControlAddress, FUTEX_WAKE, 1, 0, 0, 0);
  for (;;) system_call(kExitGroup, 1, 0, 0, 0, 0, 0);
}

void detect_vectors() {
  uint32_t a = 1, b, c = 0, d;
  asm("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
  constexpr uint32_t kOsxsaveAndAvx = (1u << 27) | (1u << 28);
  if ((c & kOsxsaveAndAvx) != kOsxsaveAndAvx) return;
  uint32_t low, high;
  asm("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  if ((low & 6) != 6) return;
  mayfly_vector_level = 1;
  a = 7;
  c = 0;
  asm("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
  if ((b & (1u << 16)) != 0 && (low & 0xe6) == 0xe6) mayfly_vector_level = 2;
}

int parse_number(const char* text) {
  int value = 0;
  for (; *text >= '0' && *text <= '9'; ++text) value = value * 10 + (*text - '0');
  return value;
}

void map_all() {
  const Control& c = control();
  const auto* mappings =
      reinterpret_cast<const ChildMapping*>(kControlAddress + kControlHeaderBytes);
  constexpr uint64_t kMapSharedFixed = 0x11, kMapPrivateFixed = 0x12;
  for (uint32_t i = 0; i < c.mapping_count; ++i) {
    const ChildMapping& m = mappings[i];
    const uint64_t protection = m.access == Access::kRead          ? 1
                                : m.access == Access::kReadExecute ? 5
                                : m.access == Access::kReadWrite   ? 3
                                                                   : 7;
    const bool is_writable = m.access == Access::kReadWrite || m.access == Access::kAll;
    const uint64_t flags = is_writable ? kMapSharedFixed : kMapPrivateFixed;
    const long result = system_call(kMmap, m.address, m.bytes, protection, flags,
                                    static_cast<uint64_t>(m.file), m.file_offset);
    if (result != static_cast<long>(m.address)) fail(i, result);
  }
}

void install_handlers() {
  KernelStack stack{signal_stack, 0, sizeof signal_stack};
  long result = system_call(kSigaltstack, reinterpret_cast<uint64_t>(&stack), 0, 0, 0, 0, 0);
  if (result != 0) fail(1000, result);
  KernelSigaction action{on_signal, kSaSiginfo | kSaOnstack | kSaRestorer, mayfly_signal_return,
                         ~uint64_t{0}};
  constexpr int kNumbers[] = {kSigIll, kSigTrap, kSigBus, kSigFpe, kSigUsr1, kSigSegv, kSigSys};
  for (const int number : kNumbers) {
    result = system_call(kRtSigaction, static_cast<uint64_t>(number),
                         reinterpret_cast<uint64_t>(&action), 0, 8, 0, 0);
    if (result != 0) fail(1001, result);
  }
  // The host started the child with every signal blocked. Those that a terminal sends to the whole
  // process group stay so: they are the host's to answer.
  uint64_t blocked = ~uint64_t{0};
  for (const int number : kNumbers) blocked &= ~(uint64_t{1} << (number - 1));
  constexpr uint64_t kSigSetmask = 2;
  result =
      system_call(kRtSigprocmask, kSigSetmask, reinterpret_cast<uint64_t>(&blocked), 0, 8, 0, 0);
  if (result != 0) fail(1001, result);
}

// Allows to wait and to wake on the control page, rt_sigreturn and exit. All else raises SIGSYS.
void lock_in() {
  constexpr uint32_t kAllow = SECCOMP_RET_ALLOW, kRefuse = SECCOMP_RET_TRAP;
  constexpr auto kNr = static_cast<uint32_t>(offsetof(seccomp_data, nr));
  constexpr auto kArch = static_cast<uint32_t>(offsetof(seccomp_data, arch));
  constexpr auto kArg0 = static_cast<uint32_t>(offsetof(seccomp_data, args));
  constexpr uint32_t kArg1 = kArg0 + 8;
  static_assert(FUTEX_WAIT == 0 && FUTEX_WAKE == 1);
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kArch),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, 11),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kNr),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kRtSigreturn, 8, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kExitGroup, 7, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kFutex, 0, 7),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kArg0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(kControlAddress), 0, 5),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kArg0 + 4),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(kControlAddress >> 32), 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kArg1),
      BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, FUTEX_WAKE, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, kAllow),
      BPF_STMT(BPF_RET | BPF_K, kRefuse),
  };
  const sock_fprog program{sizeof filter / sizeof filter[0], filter};
  constexpr uint64_t kPrSetNoNewPrivs = 38;
  long result = system_call(kPrctl, kPrSetNoNewPrivs, 1, 0, 0, 0, 0);
  if (result != 0) fail(1002, result);
  result = system_call(kSeccomp, SECCOMP_SET_MODE_FILTER, 0, reinterpret_cast<uint64_t>(&program),
                       0, 0, 0);
  if (result != 0) fail(1003, result);
}

}  // namespace

// argv: the number of the control descriptor, its size in bytes, the host's process id.
extern "C" [[gnu::used]] [[noreturn]] void mayfly_child_main(uint64_t* stack) {
  constexpr uint64_t kPrSetPdeathsig = 1, kPrSetDumpable = 4, kSigKill = 9;
  const auto* const* argv = reinterpret_cast<const char* const*>(stack + 1);
  const int file = parse_number(argv[1]);
  const auto bytes = static_cast<uint64_t>(parse_number(argv[2]));
  constexpr uint64_t kReadWrite = 3, kMapSharedFixed = 0x11;
  if (system_call(kMmap, kControlAddress, bytes, kReadWrite, kMapSharedFixed,
                  static_cast<uint64_t>(file), 0) != static_cast<long>(kControlAddress)) {
    for (;;) system_call(kExitGroup, 2, 0, 0, 0, 0, 0);
  }
  system_call(kPrctl, kPrSetPdeathsig, kSigKill, 0, 0, 0, 0);
  if (system_call(kGetppid, 0, 0, 0, 0, 0, 0) != parse_number(argv[3])) {
    for (;;) system_call(kExitGroup, 3, 0, 0, 0, 0, 0);
  }
  system_call(kPrctl, kPrSetDumpable, 0, 0, 0, 0, 0);
  detect_vectors();
  map_all();
  system_call(kCloseRange, 0, ~uint32_t{0}, 0, 0, 0, 0);
  install_handlers();
  const Weakness weakness = control().weakness;
  if (weakness == Weakness::kDirtyVectorState) mayfly_vector_level = 3;
  if (weakness != Weakness::kSystemCalls) lock_in();
  hand_over(Report::kReady);
  const Control& c = control();
  mayfly_jump_to_guest(c.thunk, c.function,
                       guest_abi::kCallPage + offsetof(guest_abi::CallPage, slots),
                       guest_abi::kStackTop);
}

}  // namespace mayfly::vmm::process
