// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Encodes the host-owned pages: a few dozen instructions, the IDT, the GDT and the TSS.
#include "vmm/host_pages_x86_64.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <array>
#include <cstring>
#include <initializer_list>
#include <vector>

#include "base/check.h"
#include "base/fd.h"

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

struct ExitAddresses {
  uint64_t instruction;
  uint64_t next;
};

ExitAddresses write_hypercall(PageWriter& out, ExitMethod method) {
  out.seek(kHypercall);
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
