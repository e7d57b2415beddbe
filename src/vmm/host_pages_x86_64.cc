// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Encodes the host-owned pages: a few dozen instructions, the IDT, the GDT and the TSS.
#include "vmm/host_pages_x86_64.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <initializer_list>
#include <vector>

#include "base/check.h"
#include "base/fd.h"
#include "guest_abi/call_page.h"
#include "guest_abi/ports.h"

namespace mayfly::vmm {
namespace {

using guest_abi::kEnter;
using guest_abi::kEntryPage;
using guest_abi::kExitPage;
using guest_abi::kHostOwned;
using guest_abi::kHypercall;
using guest_abi::kVectorPage;

constexpr uint64_t kVectorStubBytes = 16;
constexpr uint64_t kMxcsr = kEntryPage + 0x7f0;  // a constant for ldmxcsr
constexpr uint32_t kMxcsrDefault = 0x1f80;       // all exceptions masked, round to nearest

// Of the call page.
constexpr size_t kHostTurn = offsetof(guest_abi::CallPage, host_line.turn);
constexpr size_t kCommand = offsetof(guest_abi::CallPage, host_line.command);
constexpr size_t kThunk = offsetof(guest_abi::CallPage, host_line.thunk);
constexpr size_t kFunction = offsetof(guest_abi::CallPage, host_line.function);
constexpr size_t kSpinTicks = offsetof(guest_abi::CallPage, host_line.spin_ticks);
constexpr size_t kIsAsleep = offsetof(guest_abi::CallPage, host_line.is_asleep);
constexpr size_t kGuestTurn = offsetof(guest_abi::CallPage, guest_line.turn);
constexpr size_t kGuestPort = offsetof(guest_abi::CallPage, guest_line.port);

// Writes bytes at guest addresses of the host-owned range.
class PageWriter {
 public:
  PageWriter() : bytes_(HostPages::kBytes) {}

  void seek(uint64_t address) { position_ = address; }
  uint64_t position() const { return position_; }
  void code(std::initializer_list<uint8_t> bytes) {
    for (const uint8_t byte : bytes) put(&byte, 1);
  }
  template <typename T>
  void value(T value) {
    put(&value, sizeof value);
  }
  const std::vector<uint8_t>& bytes() const { return bytes_; }

 private:
  void put(const void* data, size_t size) {
    const uint64_t offset = position_ - kHostOwned;
    CHECK(offset + size <= bytes_.size(), offset, size);
    std::memcpy(bytes_.data() + offset, data, size);
    position_ += size;
  }
  std::vector<uint8_t> bytes_;
  uint64_t position_ = kHostOwned;
};

// vpxord zmmN, zmmN, zmmN for N in 16..31.
void clear_high_zmm(PageWriter& out) {
  for (uint8_t n = 16; n < 32; ++n) {
    // EVEX (Intel SDM 2A, 2.7.1): R, X, B and R' extend the ModRM fields, V' extends vvvv; all
    // are stored inverted.
    const uint8_t low = n & 7;
    const bool bit3 = (n & 8) != 0;
    const auto p0 = static_cast<uint8_t>(0x01 | (bit3 ? 0 : 0x80) | 0x00 | (bit3 ? 0 : 0x20));
    const auto p1 = static_cast<uint8_t>(0x05 | ((~n & 0xf) << 3));
    out.code({0x62, p0, p1, 0x40, 0xef, static_cast<uint8_t>(0xc0 | low << 3 | low)});
  }
  for (uint8_t k = 0; k < 8; ++k) {  // kxorw kK, kK, kK
    const auto vex = static_cast<uint8_t>(0x84 | ((~k & 0xf) << 3));
    out.code({0xc5, vex, 0x47, static_cast<uint8_t>(0xc0 | k << 3 | k)});
  }
}

void clear_vector_state(PageWriter& out, VectorState state) {
  if (state == VectorState::kNone) return;  // only a test that removes this defence
  if (state == VectorState::kSse) {
    for (uint8_t n = 0; n < 16; ++n) {  // xorps xmmN, xmmN
      const auto modrm = static_cast<uint8_t>(0xc0 | (n & 7) << 3 | (n & 7));
      if (n >= 8) out.code({0x45});
      out.code({0x0f, 0x57, modrm});
    }
  } else {
    out.code({0xc5, 0xfc, 0x77});  // vzeroall
  }
  if (state == VectorState::kAvx512) clear_high_zmm(out);
  out.code({0x0f, 0xae, 0x14, 0x25});  // ldmxcsr [kMxcsr]
  out.value(static_cast<uint32_t>(kMxcsr));
  // The stack of the x87 unit, which fninit only marks as empty: fldz fills all eight.
  out.code({0xdb, 0xe3});  // fninit
  for (unsigned n = 0; n < 8; ++n) out.code({0xd9, 0xee});
  out.code({0xdb, 0xe3});
}

void write_entry(PageWriter& out, VectorState state) {
  out.seek(kMxcsr);
  out.value(kMxcsrDefault);
  out.seek(kEnter);
  clear_vector_state(out, state);
  // Segments, which code at CPL 3 can load and whose bases it can write: loading brings both back.
  out.code({0xb8});  // mov eax, kUserData
  out.value(uint32_t{HostPages::kUserData});
  out.code({0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xe0, 0x8e, 0xe8});  // mov ds, es, fs, gs, eax
  out.code({0x48, 0x89, 0xf8});                                // mov rax, rdi: the thunk
  out.code({0x48, 0x89, 0xf7});                                // mov rdi, rsi: the function
  out.code({0x48, 0x89, 0xd6});                                // mov rsi, rdx: the slots
  out.code({0x31, 0xd2});                                      // xor edx, edx
  out.code({0xff, 0xd0});                                      // call rax
  out.code({0x31, 0xff});                                      // xor edi, edi: Port::kReturn
  out.code({0xe8});                                            // call kHypercall
  out.value(static_cast<int32_t>(kHypercall - (out.position() + 4)));
  out.code({0x0f, 0x0b});  // ud2: nobody resumes after kReturn
  CHECK(out.position() <= kMxcsr, out.position());
}

// A jump to a place that comes later in the code.
class ForwardJump {
 public:
  ForwardJump(PageWriter& out, uint8_t opcode) : out_(&out) {
    out.code({opcode, 0});
    from_ = out.position();
  }
  void land() const {
    const uint64_t here = out_->position();
    CHECK(here - from_ <= INT8_MAX, here, from_);
    out_->seek(from_ - 1);
    out_->value(static_cast<uint8_t>(here - from_));
    out_->seek(here);
  }

 private:
  PageWriter* out_;
  uint64_t from_ = 0;
};

constexpr uint8_t kJumpBelow = 0x72, kJumpEqual = 0x74, kJumpNotEqual = 0x75;

void jump_back(PageWriter& out, uint8_t opcode, uint64_t to) {
  const uint64_t distance = out.position() + 2 - to;
  CHECK(distance <= INT8_MAX + 1, distance);
  out.code({opcode, static_cast<uint8_t>(-distance)});
}

// Opcode and ModRM bytes whose operand is a field of the call page, by its address.
void with_field(PageWriter& out, std::initializer_list<uint8_t> opcode, size_t offset) {
  out.code(opcode);
  out.value(static_cast<uint32_t>(guest_abi::kCallPage + offset));
}

// rdx: the processor's ticks. Changes rax.
void read_ticks(PageWriter& out) {
  out.code({0x0f, 0x31});              // rdtsc
  out.code({0x48, 0xc1, 0xe2, 0x20});  // shl rdx, 32
  out.code({0x48, 0x09, 0xc2});        // or rdx, rax
}

// The way without an exit: writes the port, then the number of the command that it answers (which
// stays in r8d), and polls for the next one. Falls through to the exit where there is no such way,
// the host sleeps, or nothing comes in time. The jump is taken when a command has come.
ForwardJump write_spin(PageWriter& out) {
  static_assert(guest_abi::kSpinPorts[0] == 0 && guest_abi::kSpinPorts[1] == 2);
  constexpr uint32_t kNotServed = ~uint32_t{2};
  out.code({0xf7, 0xc7});  // test edi, kNotServed
  out.value(kNotServed);
  const ForwardJump not_served(out, kJumpNotEqual);
  // Also where the answer is the exit, which says by it which command it answers.
  with_field(out, {0x44, 0x8b, 0x04, 0x25}, kHostTurn);   // mov r8d, [kHostTurn]
  with_field(out, {0x48, 0x83, 0x3c, 0x25}, kSpinTicks);  // cmp qword [kSpinTicks], 0
  out.code({0});
  const ForwardJump not_here(out, kJumpEqual);
  with_field(out, {0x89, 0x3c, 0x25}, kGuestPort);  // mov [kGuestPort], edi
  out.code({0x44, 0x89, 0xc0});                     // mov eax, r8d
  // A fence, too: either the host finds the answer before it sleeps, or it is seen asleep.
  with_field(out, {0x87, 0x04, 0x25}, kGuestTurn);  // xchg [kGuestTurn], eax
  with_field(out, {0x83, 0x3c, 0x25}, kIsAsleep);   // cmp dword [kIsAsleep], 0
  out.code({0});
  const ForwardJump asleep(out, kJumpNotEqual);
  read_ticks(out);
  out.code({0x49, 0x89, 0xd1});  // mov r9, rdx
  const uint64_t poll = out.position();
  out.code({0xf3, 0x90});                                // pause
  with_field(out, {0x44, 0x3b, 0x04, 0x25}, kHostTurn);  // cmp r8d, [kHostTurn]
  const ForwardJump has_come(out, kJumpNotEqual);
  read_ticks(out);
  out.code({0x4c, 0x29, 0xca});                           // sub rdx, r9
  with_field(out, {0x48, 0x3b, 0x14, 0x25}, kSpinTicks);  // cmp rdx, [kSpinTicks]
  jump_back(out, kJumpBelow, poll);
  for (const ForwardJump& jump : {not_served, not_here, asleep}) jump.land();
  return has_come;
}

struct ExitAddresses {
  uint64_t instruction;
  uint64_t next;
};

// A command that came without an exit. A call starts with the registers and flags of one that
// comes with an entry.
void write_command(PageWriter& out, const ExitAddresses& exit) {
  with_field(out, {0x8b, 0x04, 0x25}, kCommand);  // mov eax, [kCommand]
  out.code({0x83, 0xf8, static_cast<uint8_t>(guest_abi::SpinCommand::kResume)});  // cmp eax, ...
  jump_back(out, kJumpEqual, exit.next);                                          // to the ret
  out.code({0x83, 0xf8, static_cast<uint8_t>(guest_abi::SpinCommand::kEnter)});   // cmp eax, ...
  jump_back(out, kJumpNotEqual, exit.instruction);
  out.code({0xbc});  // mov esp, kStackTop
  out.value(static_cast<uint32_t>(guest_abi::kStackTop));
  out.code({0x6a, 0x02, 0x9d});                          // push 2; popf
  with_field(out, {0x48, 0x8b, 0x3c, 0x25}, kThunk);     // mov rdi, [kThunk]
  with_field(out, {0x48, 0x8b, 0x34, 0x25}, kFunction);  // mov rsi, [kFunction]
  out.code({0xba});                                      // mov edx, the slots
  out.value(static_cast<uint32_t>(guest_abi::kCallPage + offsetof(guest_abi::CallPage, slots)));
  out.code({0x31, 0xdb, 0x31, 0xc9, 0x31, 0xed});  // xor ebx, ecx, ebp
  for (uint8_t n = 0; n < 8; ++n) {                // xor r8d to r15d
    out.code({0x45, 0x31, static_cast<uint8_t>(0xc0 | n << 3 | n)});
  }
  out.code({0xe9});  // jmp kEnter
  out.value(static_cast<int32_t>(kEnter - (out.position() + 4)));
}

// As any C function it keeps rbx, rbp, rsp and r12 to r15 only.
ExitAddresses write_hypercall(PageWriter& out, ExitMethod method) {
  out.seek(kHypercall);
  const ForwardJump has_come = write_spin(out);
  ExitAddresses exit{};
  exit.instruction = out.position();
  if (method == ExitMethod::kPortOut) {
    out.code({0xe6, HostPages::kExitPort});  // out kExitPort, al
  } else {
    out.code({0x89, 0x3c, 0x25});  // mov [kExitPage], edi
    out.value(static_cast<uint32_t>(kExitPage));
  }
  exit.next = out.position();
  out.code({0xc3});  // ret
  // Who jumps past the exit's first byte comes to an access to null, not to what follows.
  out.value(uint64_t{0});
  has_come.land();
  write_command(out, exit);
  return exit;
}

// A stub stores nothing and touches no register that the guest gave it: the port tells the host
// that a trap happened, the stub's address which one.
void write_vectors(PageWriter& out, Weakness weakness) {
  for (unsigned vector = 0; vector < HostPages::kVectorCount; ++vector) {
    const uint64_t handler = kVectorPage + vector * kVectorStubBytes;
    out.seek(handler);
    out.code({0xe6, HostPages::kTrapPort});  // out kTrapPort, al
    if (vector == HostPages::kPageFaultVector) {
      out.code({0x48, 0x83, 0xc4, 0x08});  // add rsp, 8: the error code
      out.code({0x48, 0xcf});              // iretq
    }
    out.code({0xf4, 0xeb, 0xfd});  // hlt; jmp to it

    const bool is_needed = vector == 6 || vector == 13 || vector == HostPages::kPageFaultVector;
    if (weakness == Weakness::kEmptyVectors && !is_needed) continue;
    out.seek(HostPages::kIdt + vector * 16);
    // Present, DPL 0: `int n` at CPL 3 is #GP.
    const uint64_t interrupt_gate = weakness == Weakness::kOpenGates ? 0xee : 0x8e;
    constexpr uint64_t kStackTableIndex = 1;
    out.value((handler & 0xffff) | uint64_t{HostPages::kKernelCode} << 16 | kStackTableIndex << 32 |
              interrupt_gate << 40 | (handler >> 16 & 0xffff) << 48);
    out.value(uint64_t{handler >> 32});
  }
}

// Accessed and busy bits are set already, because the processor cannot write these pages.
void write_descriptors(PageWriter& out, const HostPagesOptions& options) {
  constexpr uint64_t kKernelCodeDescriptor = 0x00af'9b00'0000'ffff;
  constexpr uint64_t kKernelDataDescriptor = 0x00cf'9300'0000'ffff;
  constexpr uint64_t kUserDataDescriptor = 0x00cf'f300'0000'ffff;
  constexpr uint64_t kUserCodeDescriptor = 0x00af'fb00'0000'ffff;  // 64-bit; there is no 32-bit one
  constexpr uint64_t kPresent = 0x80;
  const auto descriptor = [&out](uint16_t selector, uint64_t value) {
    out.seek(HostPages::kGdt + (selector & ~7u));
    out.value(value);
  };
  descriptor(HostPages::kKernelCode, kKernelCodeDescriptor);
  descriptor(HostPages::kKernelData, kKernelDataDescriptor);
  descriptor(HostPages::kUserData, kUserDataDescriptor);
  descriptor(HostPages::kUserCode, kUserCodeDescriptor);
  if (options.weakness == Weakness::kCode32) descriptor(0x23, 0x00cf'fb00'0000'ffff);
  descriptor(HostPages::kTaskState, HostPages::kTssLimit | (HostPages::kTss & 0xff'ffff) << 16 |
                                        (kPresent | static_cast<uint64_t>(options.task_state))
                                            << 40);

  // Intel SDM 3A, figure 8-11 and 19.5.2: RSP0, IST1, and a bitmap in which a clear bit opens a
  // port. Ports past the TSS's limit are closed.
  out.seek(HostPages::kTss + 0x04);
  out.value(HostPages::kTrapStackTop);
  out.seek(HostPages::kTss + 0x24);
  out.value(HostPages::kTrapStackTop);
  out.seek(HostPages::kTss + 0x66);
  out.value(uint16_t{0x68});
  static_assert(HostPages::kExitPort == 0x10);
  out.code({0xff, 0xff, 0xfe, 0xff});
  CHECK(out.position() == HostPages::kTss + HostPages::kTssLimit + 1);
}

}  // namespace

std::string_view to_string(ExitMethod method) {
  return method == ExitMethod::kPortOut ? "out" : "mmio";
}

std::string_view to_string(VectorState state) {
  switch (state) {
    case VectorState::kNone:
      return "none";
    case VectorState::kSse:
      return "sse";
    case VectorState::kAvx:
      return "avx";
    case VectorState::kAvx512:
      return "avx512";
  }
  return "?";
}

Result<HostPages> HostPages::create(const HostPagesOptions& options) {
  PageWriter out;
  write_entry(out, options.vector_state);
  const ExitAddresses exit = write_hypercall(out, options.exit_method);
  write_vectors(out, options.weakness);
  write_descriptors(out, options);

  const Fd file = MAYFLY_TRY(create_memfd("mayfly-host-pages", 0));
  MAYFLY_TRY(write_whole(file.get(), out.bytes()));
  if (::fcntl(file.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) !=
      0) {
    return host_error("sealing the host-owned pages");
  }
  HostPages pages;
  pages.options_ = options;
  pages.exit_instruction_ = exit.instruction;
  pages.exit_next_ = exit.next;
  pages.pages_ = MAYFLY_TRY(
      Mapping::file(file.get(), 0, kBytes, Mapping::Access::kRead, Mapping::Sharing::kPrivate));
  return pages;
}

std::optional<uint8_t> HostPages::vector_at(uint64_t rip) {
  const uint64_t offset = rip - kVectorPage;
  if (offset >= kVectorCount * kVectorStubBytes) return std::nullopt;
  const uint64_t inside = offset % kVectorStubBytes;
  if (inside != 0 && inside != kOutInstructionBytes) return std::nullopt;
  return static_cast<uint8_t>(offset / kVectorStubBytes);
}

bool HostPages::has_error_code(uint8_t vector) {
  // Intel SDM 3A, table 6-1, and AMD APM 2, table 8-1.
  constexpr uint32_t kWithErrorCode = 1u << 8 | 1u << 10 | 1u << 11 | 1u << 12 | 1u << 13 |
                                      1u << 14 | 1u << 17 | 1u << 21 | 1u << 29 | 1u << 30;
  return (kWithErrorCode >> vector & 1) != 0;
}

}  // namespace mayfly::vmm
