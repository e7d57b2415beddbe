// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What an exit means. Only what the processor and KVM wrote decides: the exit's reason, RIP, RSP
// and the trap frame, none of which the guest can choose apart from doing exactly that.
#include <array>
#include <cstring>

#include "vmm/kvm_vm.h"

namespace mayfly::vmm {
namespace {

std::string hex(uint64_t value) {
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "0x%llx", static_cast<unsigned long long>(value));
  return text.data();
}

// What the processor pushes on the trap stack; Intel SDM 3A, 6.14.2. The error code is below it.
struct TrapFrame {
  uint64_t rip;
  uint64_t cs;
  uint64_t rflags;
  uint64_t rsp;
  uint64_t ss;
};

bool is_out(const kvm_run& run, uint8_t port) {
  return run.exit_reason == KVM_EXIT_IO && run.io.direction == KVM_EXIT_IO_OUT &&
         run.io.size == 1 && run.io.count == 1 && run.io.port == port;
}

bool is_store(const kvm_run& run) {
  return run.exit_reason == KVM_EXIT_MMIO && run.mmio.is_write == 1 && run.mmio.len == 4 &&
         run.mmio.phys_addr == guest_abi::kExitPage;
}

}  // namespace

bool KvmVm::is_port() const {
  const kvm_run& shared = vcpu_->shared();
  const HostPages& pages = *environment_.host_pages;
  const uint64_t rip = vcpu_->registers().rip;
  const bool is_out_method = pages.options().exit_method == ExitMethod::kPortOut;
  bool shape = is_out_method ? is_out(shared, HostPages::kExitPort) : is_store(shared);
  // An emulated instruction is done, so RIP is past it; mainline's fast `out` leaves RIP at it.
  bool address = rip == pages.exit_next() || (is_out_method && rip == pages.exit_instruction());
  if (environment_.weakness == Weakness::kAnyExitInstruction) address = true;
  if (environment_.weakness == Weakness::kAnyExitShape) {
    shape = address = !trapped_vector().has_value();
  }
  return shape && address;
}

std::optional<uint8_t> KvmVm::trapped_vector() const {
  if (!is_out(vcpu_->shared(), HostPages::kTrapPort)) return std::nullopt;
  return HostPages::vector_at(vcpu_->registers().rip);
}

Result<std::optional<Exit>> KvmVm::classify() {
  if (const std::optional<uint8_t> vector = trapped_vector()) return fault(*vector);
  if (vcpu_->shared().exit_reason == KVM_EXIT_DIRTY_RING_FULL && dirty_ring_.has_value()) {
    collect_writes();
    MAYFLY_TRY(dirty_ring_->reset(fd_.get()));
    return std::optional<Exit>();
  }
  Exit exit{Exit::Kind::kBroken};
  exit.message = describe_exit();
  return std::optional(std::move(exit));
}

Result<std::optional<Exit>> KvmVm::fault(uint8_t vector) {
  const bool has_error_code = HostPages::has_error_code(vector);
  const uint64_t frame_address = HostPages::kTrapStackTop - sizeof(TrapFrame);
  const uint64_t rsp = frame_address - (has_error_code ? 8 : 0);
  TrapFrame frame{};
  std::memcpy(&frame, memory_->trap_stack() + (frame_address - guest_abi::kTrapStackPage),
              sizeof frame);
  Exit exit{Exit::Kind::kFault};
  const uint64_t guest_code = environment_.weakness == Weakness::kKernelMode
                                  ? HostPages::kKernelCode
                                  : HostPages::kUserCode;
  if (vcpu_->registers().rsp != rsp || frame.cs != guest_code) {
    exit.kind = Exit::Kind::kBroken;
    exit.message = "vector " + std::to_string(vector) + " outside CPL 3: cs " + hex(frame.cs) +
                   ", rip " + hex(frame.rip) + ", rsp " + hex(vcpu_->registers().rsp);
    return std::optional(std::move(exit));
  }
  exit.fault.vector = vector;
  exit.fault.rip = frame.rip;
  exit.fault.rsp = frame.rsp;
  exit.fault.rbp = vcpu_->registers().rbp;
  if (has_error_code) {
    std::memcpy(&exit.fault.error_code, memory_->trap_stack() + (rsp - guest_abi::kTrapStackPage),
                sizeof(uint64_t));
  }
  if (vector == HostPages::kPageFaultVector) {
    exit.fault.address = MAYFLY_TRY(vcpu_->read_cr2());
    // Without a change of registers the stub goes on, and back to the instruction.
    constexpr uint64_t kPresent = 1;
    if ((exit.fault.error_code & kPresent) == 0) {
      const auto populated = memory_->populate(exit.fault.address);
      if (populated && *populated) return std::optional<Exit>();
      if (!populated && !is_out_of_memory(populated.error())) return populated.error();
      if (!populated) {
        exit.kind = Exit::Kind::kOutOfMemory;
        exit.message = populated.error().message;
      }
    }
  }
  vcpu_->forget_system_state();
  return std::optional(std::move(exit));
}

Exit KvmVm::interrupted(Kick::Reason reason) const {
  Exit exit{reason == Kick::Reason::kDeadline ? Exit::Kind::kDeadline : Exit::Kind::kCancelled};
  const kvm_regs& registers = vcpu_->registers();
  exit.fault.rip = registers.rip;
  exit.fault.rsp = registers.rsp;
  exit.fault.rbp = registers.rbp;
  if (HostPages::vector_at(registers.rip).has_value()) {  // between a trap and its report
    TrapFrame frame{};
    std::memcpy(&frame, memory_->trap_stack() + guest_abi::kPageBytes - sizeof frame, sizeof frame);
    exit.fault.rip = frame.rip;
    exit.fault.rsp = frame.rsp;
  }
  return exit;
}

std::string KvmVm::describe_exit() const {
  const kvm_run& shared = vcpu_->shared();
  std::string text = "the guest left by ";
  switch (shared.exit_reason) {
    case KVM_EXIT_IO:
      text += std::string(shared.io.direction == KVM_EXIT_IO_OUT ? "a write to" : "a read of") +
              " port " + hex(shared.io.port) + ", " + std::to_string(shared.io.count) + " times " +
              std::to_string(shared.io.size) + " bytes";
      break;
    case KVM_EXIT_MMIO:
      text += std::string(shared.mmio.is_write != 0 ? "a store of " : "a load of ") +
              std::to_string(shared.mmio.len) + " bytes at guest-physical " +
              hex(shared.mmio.phys_addr);
      break;
    case KVM_EXIT_SHUTDOWN:
      text += "a triple fault";
      break;
    case KVM_EXIT_INTERNAL_ERROR:
      text += "an instruction that KVM cannot emulate, suberror " +
              std::to_string(shared.internal.suberror);
      break;
    case KVM_EXIT_FAIL_ENTRY:
      text +=
          "a failed entry, hardware reason " + hex(shared.fail_entry.hardware_entry_failure_reason);
      break;
    default:
      text += "exit reason " + std::to_string(shared.exit_reason);
  }
  return text + ", rip " + hex(vcpu_->registers().rip);
}

}  // namespace mayfly::vmm
