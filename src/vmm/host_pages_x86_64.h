// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// HostPages: the read-only pages that every KVM guest of this process shares: entry code, trap
// vectors, descriptor tables. The way out of the VM is chosen here, so images do not know it.
//
//   kEntryPage        enter, hypercall                     CPL 3, read and execute
//   kVectorPage       32 stubs of 16 bytes                 CPL 0
//   kDescriptorPages  IDT, GDT (+0x800), TSS (+0x1000)     CPL 0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/mapping.h"
#include "base/result.h"
#include "guest_abi/layout.h"
#include "vmm/weakness.h"

namespace mayfly::vmm {

// How the guest leaves the VM on purpose.
enum class ExitMethod : uint8_t {
  kPortOut,    // `out` to the one port that the TSS's bitmap opens
  kMmioStore,  // a store to a page without memory, where the host's KVM ignores the bitmap
};
std::string_view to_string(ExitMethod method);

// Which vector registers the entry code clears: all that code at CPL 3 can use on this host.
enum class VectorState : uint8_t { kNone, kSse, kAvx, kAvx512 };
std::string_view to_string(VectorState state);

// How the task state is described. Processors want a loaded one busy; QEMU's emulation reads the
// I/O bitmap of an available one only.
enum class TaskState : uint8_t { kAvailable = 9, kBusy = 11 };

struct HostPagesOptions {
  ExitMethod exit_method = ExitMethod::kPortOut;
  VectorState vector_state = VectorState::kSse;
  TaskState task_state = TaskState::kBusy;
  Weakness weakness = Weakness::kNone;
};

class HostPages {
 public:
  static constexpr uint64_t kBytes = guest_abi::kExitPage - guest_abi::kHostOwned;
  static constexpr uint8_t kExitPort = 0x10;  // open to CPL 3
  static constexpr uint8_t kTrapPort = 0x20;  // closed to CPL 3
  static constexpr unsigned kVectorCount = 32;
  static constexpr unsigned kPageFaultVector = 14;
  static constexpr uint64_t kOutInstructionBytes = 2;

  static constexpr uint64_t kIdt = guest_abi::kDescriptorPages;
  static constexpr uint64_t kIdtLimit = kVectorCount * 16 - 1;
  static constexpr uint64_t kGdt = guest_abi::kDescriptorPages + 0x800;
  static constexpr uint64_t kGdtLimit = 0x4f;
  static constexpr uint64_t kTss = guest_abi::kDescriptorPages + 0x1000;
  static constexpr uint64_t kTssLimit = 0x6b;  // 104 bytes, ports 0 to 23, and the closing byte
  static constexpr uint16_t kKernelCode = 0x10;
  static constexpr uint16_t kKernelData = 0x18;
  static constexpr uint16_t kUserData = 0x2b;
  static constexpr uint16_t kUserCode = 0x33;
  static constexpr uint16_t kTaskState = 0x40;
  static constexpr uint64_t kTrapStackTop = guest_abi::kTrapStackPage + guest_abi::kPageBytes;

  static Result<HostPages> create(const HostPagesOptions& options);

  const HostPagesOptions& options() const { return options_; }
  uint8_t* data() const { return pages_.data(); }

  // Where the only instruction that leaves the guest on purpose starts, and where the next does.
  uint64_t exit_instruction() const { return exit_instruction_; }
  uint64_t exit_next() const { return exit_next_; }

  // The vector whose stub holds `rip` at its `out` or just after it.
  static std::optional<uint8_t> vector_at(uint64_t rip);
  static bool has_error_code(uint8_t vector);

 private:
  HostPagesOptions options_;
  Mapping pages_;
  uint64_t exit_instruction_ = 0;
  uint64_t exit_next_ = 0;
};

}  // namespace mayfly::vmm
