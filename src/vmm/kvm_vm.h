// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// KvmVm: the Vm of the kvm driver. It joins memory, vCPU and kicks, and decides what an exit of
// the guest means: one instruction at one address is a port, the trap stubs are faults, and
// everything else is hostile.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"
#include "vmm/dirty_ring.h"
#include "vmm/exitless.h"
#include "vmm/guest_memory.h"
#include "vmm/kick.h"
#include "vmm/kvm_environment.h"
#include "vmm/kvm_shell.h"
#include "vmm/kvm_vcpu.h"
#include "vmm/memory_slots.h"
#include "vmm/vm.h"
#include "vmm/weakness.h"

namespace mayfly::vmm {

class KvmVm final : public Vm {
  struct Private {
    explicit Private() = default;
  };

 public:
  // config passed check_config().
  static Result<std::unique_ptr<KvmVm>> create(const KvmEnvironment& environment,
                                               const VmConfig& config);
  // Use create().
  KvmVm(Private, const KvmEnvironment& environment)
      : environment_(environment), kick_(environment.kick_signal) {}
  ~KvmVm() override;

  Result<Exit> enter(const Entry& entry) override;
  Result<Exit> resume() override;
  Result<Exit> enter_nested(const Entry& entry) override;
  void set_deadline(std::optional<DeadlineTimer::Clock::time_point> deadline) override;
  bool cancel() override;
  Result<void> look_at(DeadlineTimer::Clock::time_point when, GuestWatch& watch) override;
  // Without exitless calls the vCPU is the caller's.
  std::chrono::nanoseconds cpu_time() const override {
    return exitless_ == nullptr ? std::chrono::nanoseconds(0) : exitless_->cpu_time();
  }
  Result<void> read(uint64_t address, std::span<uint8_t> to) const override;
  Result<void> write(uint64_t address, std::span<const uint8_t> from) override;
  Result<std::span<uint8_t>> view(uint64_t address, uint64_t bytes) override;
  Result<std::span<const uint8_t>> read_view(uint64_t address, uint64_t bytes) override;
  Result<void> resize(size_t region, uint64_t bytes) override;
  uint64_t region_bytes(size_t region) const override;
  guest_abi::CallPage& call_page() override;
  Result<std::vector<PageView>> touched_pages() override;
  Result<void> set_reference(const SavedMemory& state) override;
  Result<RestoreCount> restore(const SavedMemory& state) override;

  const GuestMemory& memory() const { return *memory_; }

 private:
  // kIdle: the next call is enter(). kPort: resume() or enter(). kDead: neither.
  enum class State : uint8_t { kIdle, kPort, kDead };

  void keep_shell();
  Result<Exit> run();
  // After KVM_RUN without a port. nullopt: the guest goes on.
  Result<std::optional<Exit>> after_run(int errno_value, Kick::Reason reason);
  // Of what is no port. nullopt: the guest goes on.
  Result<std::optional<Exit>> classify();
  // What the end of a run means for the next; every one comes here.
  void settle(const Exit& exit);
  Exit finish(Exit exit) {
    settle(exit);
    return exit;
  }
  // Reads KVM's reports of written pages into memory_.
  void collect_writes();
  Result<void> refresh_reports();
  bool is_port() const;
  std::optional<uint8_t> trapped_vector() const;
  Result<std::optional<Exit>> fault(uint8_t vector);
  Exit interrupted(Kick::Reason reason) const;
  std::string describe_exit() const;
  Result<Exit> run_error(int errno_value);
  // kvm_exitless.cc
  // Whether the caller cannot look at the clock itself.
  bool needs_timer() const { return exitless_ == nullptr || exitless_->runs_here(); }
  std::optional<DeadlineTimer::Clock::time_point> deadline_in_force() const;
  Result<Exit> wait_for_guest();
  Result<Exit> exchange(guest_abi::SpinCommand command, const Entry& entry,
                        uint64_t stack_top = guest_abi::kStackTop);
  Result<std::optional<Exit>> leave_at_port();
  // Before what must not happen while a guest runs, between its turns.
  void hold_guest();
  Result<void> drop_exit();

  // Destroyed from the last to the first: the memory and the vCPU before their VM.
  KvmEnvironment environment_;
  KvmShell::Kind kind_;
  pid_t pid_ = 0;
  Fd fd_;
  std::optional<MemorySlots> slots_;
  std::unique_ptr<GuestMemory> memory_;
  std::optional<Vcpu> vcpu_;
  std::optional<DirtyRing> dirty_ring_;
  Kick kick_;
  LookTime look_time_{kick_};
  GuestWatch* watch_ = nullptr;
  std::optional<DeadlineTimer::Clock::time_point> deadline_;
  State state_ = State::kIdle;
  std::vector<kvm_regs> waiting_;  // calls at a port, with another call inside; the outermost first
  std::unique_ptr<Exitless> exitless_;  // null: every call enters and leaves by KVM_RUN
};

}  // namespace mayfly::vmm
