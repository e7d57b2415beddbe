// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Calls, ports and ends of calls. kvm_exit.cc reads what KVM reports.
#include "vmm/kvm_vm.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/check.h"
#include "vmm/kvm_ioctl.h"
#include "vmm/spin_x86_64.h"

namespace mayfly::vmm {

Result<std::unique_ptr<KvmVm>> KvmVm::create(const KvmEnvironment& environment,
                                             const VmConfig& config) {
  auto vm = std::make_unique<KvmVm>(Private(), environment);
  const bool spins = config.spin_time.count() > 0 && can_spin();
  const KvmShell::Kind kind{config.domain, config.tracking, spins};
  std::optional<KvmShell> shell = environment.shells->take(kind);
  if (!shell) shell = MAYFLY_TRY(KvmShell::create(environment, kind));
  vm->kind_ = kind;
  vm->pid_ = shell->pid;
  vm->fd_ = std::move(shell->fd);
  vm->vcpu_ = std::move(shell->vcpu);
  vm->dirty_ring_ = shell->dirty_ring;
  vm->slots_ = std::move(shell->slots);
  vm->memory_ = MAYFLY_TRY(GuestMemory::create(
      config, *environment.host_pages, *vm->slots_,
      GuestMemoryOptions{environment.gpa_end, config.tracking, environment.weakness},
      std::move(shell->memory)));
  vm->kick_.attach(&vm->vcpu_->shared().immediate_exit);
  if (spins) {
    vm->exitless_ =
        MAYFLY_TRY(Exitless::create(*vm->vcpu_, vm->kick_, *environment.timer, vm->call_page(),
                                    {config.spin_time, environment.shells->moves_freely()}));
  }
  return vm;
}

KvmVm::~KvmVm() {
  environment_.timer->forget(kick_);
  environment_.timer->forget(look_time_);
  // What its vCPU was at, nobody looked at: such a VM serves no other guest.
  const bool spun = exitless_ != nullptr;
  exitless_.reset();
  if (!spun) keep_shell();
}

// Without its memory: KVM then knows no page of it. A VM that cannot be cleared ends.
void KvmVm::keep_shell() {
  const bool is_whole = memory_ != nullptr && state_ != State::kDead && ::getpid() == pid_;
  if (!is_whole || environment_.shells->max() == 0) return;
  std::optional<KeptMemory> kept = memory_->keep();
  if (!kept && !slots_->remove_all()) return;
  if (dirty_ring_.has_value()) {
    dirty_ring_->collect([](uint32_t, uint64_t) {});
    if (!dirty_ring_->reset(fd_.get())) return;
  }
  vcpu_->shared().immediate_exit = 0;
  KvmShell shell;
  shell.kind = kind_;
  shell.pid = pid_;
  shell.thread = kick_.thread();
  shell.fd = std::move(fd_);
  shell.vcpu = std::move(vcpu_);
  shell.dirty_ring = dirty_ring_;
  shell.slots = std::move(slots_);
  if (kept) shell.memory = *std::move(kept);
  environment_.shells->put(std::move(shell));
}

Result<Exit> KvmVm::enter(const Entry& entry) {
  if (state_ == State::kDead) return invalid("the VM is broken; only its destruction is left");
  waiting_.clear();
  const uint64_t generation = kick_.begin_call();
  if (exitless_ != nullptr) exitless_->begin_call();
  if (deadline_.has_value() && environment_.weakness != Weakness::kNoDeadline) {
    if (*deadline_ <= DeadlineTimer::Clock::now()) return finish({Exit::Kind::kDeadline});
    if (needs_timer()) MAYFLY_TRY(environment_.timer->arm(kick_, generation, *deadline_));
  }
  if (exitless_ != nullptr) return exchange(guest_abi::SpinCommand::kEnter, entry);
  // Nothing that KVM has to finish can override these registers. After a port a store is done, and
  // an `out` is skipped only where RIP still is at it. Before a deadline's EINTR KVM has finished
  // what it had begun. After anything else the VM is dead: a load would be finished into the call,
  // which would then go on where the load was.
  vcpu_->set_entry(entry, memory_->root_gpa());
  return run();
}

Result<Exit> KvmVm::resume() {
  CHECK(state_ == State::kPort);
  return exitless_ == nullptr ? run() : exchange(guest_abi::SpinCommand::kResume, {});
}

Result<Exit> KvmVm::enter_nested(const Entry& entry) {
  CHECK(state_ == State::kPort);
  if (exitless_ != nullptr) {
    auto ended = MAYFLY_TRY(leave_at_port());
    if (ended.has_value()) return *std::move(ended);
  }
  kvm_regs waiting = vcpu_->registers();
  // Where RIP still is at the `out`, it would leave a second time.
  waiting.rip = environment_.host_pages->exit_next();
  waiting_.push_back(waiting);
  // System V x86-64 ABI, 3.2.2: 128 bytes below rsp are the function's own.
  constexpr uint64_t kRedZone = 128;
  constexpr uint64_t kStackAlignment = 16;
  const uint64_t stack_top = (waiting.rsp - kRedZone) & ~(kStackAlignment - 1);
  if (exitless_ != nullptr) return exchange(guest_abi::SpinCommand::kEnter, entry, stack_top);
  vcpu_->set_entry(entry, memory_->root_gpa(), stack_top);
  return run();
}

void KvmVm::settle(const Exit& exit) {
  const bool is_port = exit.kind == Exit::Kind::kPort;
  if (is_port && exit.port == 0 && !waiting_.empty()) {
    vcpu_->set_registers(waiting_.back());
    waiting_.pop_back();
    state_ = State::kPort;
    return;
  }
  const bool goes_on = is_port && exit.port != 0;
  state_ = goes_on ? State::kPort : State::kIdle;
  if (exit.kind == Exit::Kind::kBroken && environment_.weakness != Weakness::kBrokenRuns) {
    state_ = State::kDead;
  }
  if (!goes_on) kick_.end_call();
}

Result<Exit> KvmVm::run() {
  for (;;) {
    kick_.enter_guest();
    const int errno_value = vcpu_->run();
    const Kick::Reason reason = kick_.leave_guest();
    if (errno_value == 0 && is_port()) [[likely]] {
      Exit exit{Exit::Kind::kPort, static_cast<uint32_t>(vcpu_->registers().rdi)};
      settle(exit);
      return exit;
    }
    auto exit = after_run(errno_value, reason);
    if (!exit) return std::move(exit).error();
    if (exit->has_value()) return finish(**std::move(exit));
  }
}

Result<std::optional<Exit>> KvmVm::after_run(int errno_value, Kick::Reason reason) {
  if (errno_value == EINTR || errno_value == EAGAIN) {
    if (kick_.take_look()) watch_->look();
    if (reason == Kick::Reason::kNone) return std::optional<Exit>();
    vcpu_->forget_system_state();
    return std::optional(interrupted(reason));
  }
  if (errno_value != 0) return std::optional<Exit>(MAYFLY_TRY(run_error(errno_value)));
  auto exit = classify();
  if (!exit) finish({Exit::Kind::kBroken});
  return exit;
}

Result<Exit> KvmVm::run_error(int errno_value) {
  finish({Exit::Kind::kBroken});
  errno = errno_value;
  Error error = host_error("KVM_RUN");
  if (is_out_of_memory(error)) return Exit{Exit::Kind::kOutOfMemory, 0, {}, error.message};
  if (errno_value == EIO && ::getpid() != pid_) {
    return Error{ErrorKind::kHost,
                 "a VM of process " + std::to_string(pid_) + " cannot run in its child", EIO};
  }
  return error;
}

void KvmVm::set_deadline(std::optional<DeadlineTimer::Clock::time_point> deadline) {
  deadline_ = deadline;
  const std::optional<uint64_t> generation = kick_.generation();
  if (!generation.has_value() || !needs_timer()) return;
  if (!deadline.has_value()) {
    environment_.timer->forget(kick_);
  } else if (!environment_.timer->arm(kick_, *generation, *deadline)) {
    kick_.deadline_passed(*generation);  // no timer in this process: rather now than never
  }
}

bool KvmVm::cancel() {
  const std::optional<uint64_t> generation = kick_.cancel();
  if (!generation.has_value()) return false;
  // The next kick, should this one be lost. Without a timer (after fork) there is no call either.
  (void)environment_.timer->arm(kick_, *generation, DeadlineTimer::Clock::now());
  return true;
}

Result<void> KvmVm::look_at(DeadlineTimer::Clock::time_point when, GuestWatch& watch) {
  const std::optional<uint64_t> generation = kick_.generation();
  CHECK(generation.has_value(), "look_at() without a call");
  watch_ = &watch;
  kick_.want_look();
  return environment_.timer->arm(look_time_, *generation, when);
}

Result<void> KvmVm::read(uint64_t address, std::span<uint8_t> to) const {
  const auto from = MAYFLY_TRY(memory_->view(address, to.size()));
  if (!to.empty()) std::memcpy(to.data(), from.data(), to.size());
  return {};
}

Result<void> KvmVm::write(uint64_t address, std::span<const uint8_t> from) {
  const auto to = MAYFLY_TRY(memory_->view_writable(address, from.size()));
  if (!from.empty()) std::memcpy(to.data(), from.data(), from.size());
  return {};
}

Result<std::span<uint8_t>> KvmVm::view(uint64_t address, uint64_t bytes) {
  return memory_->view_writable(address, bytes);
}

Result<std::span<const uint8_t>> KvmVm::read_view(uint64_t address, uint64_t bytes) {
  return memory_->view(address, bytes);
}

Result<void> KvmVm::resize(size_t region, uint64_t bytes) {
  hold_guest();
  return memory_->resize(region, bytes);
}

uint64_t KvmVm::region_bytes(size_t region) const { return memory_->region_bytes(region); }

guest_abi::CallPage& KvmVm::call_page() {
  // SAFETY: kCallPageBytes of the arena, page-aligned, alive as long as the VM; CallPage is plain
  // data and any bytes are a valid one.
  return *reinterpret_cast<guest_abi::CallPage*>(memory_->call_page());
}

void KvmVm::collect_writes() {
  if (!dirty_ring_.has_value()) return;
  dirty_ring_->collect([&](uint32_t slot, uint64_t page) {
    const std::optional<uint64_t> gpa = slots_->gpa_of(slot, page);
    if (gpa.has_value()) memory_->note_write(*gpa);
  });
}

Result<std::vector<PageView>> KvmVm::touched_pages() {
  CHECK(dirty_ring_.has_value());
  hold_guest();
  collect_writes();
  return memory_->touched_pages();
}

Result<void> KvmVm::refresh_reports() {
  return memory_->wants_fresh_reports() ? dirty_ring_->reset(fd_.get()) : Result<void>();
}

Result<void> KvmVm::set_reference(const SavedMemory& state) {
  CHECK(dirty_ring_.has_value());
  hold_guest();
  collect_writes();
  memory_->set_reference(state);
  return refresh_reports();
}

Result<RestoreCount> KvmVm::restore(const SavedMemory& state) {
  CHECK(dirty_ring_.has_value());
  if (state_ == State::kDead) return invalid("the VM is broken; only its destruction is left");
  MAYFLY_TRY(drop_exit());
  if (state_ == State::kPort) kick_.end_call();
  collect_writes();
  if (exitless_ != nullptr) {  // what the host wrote there
    MAYFLY_TRY(
        memory_->view_writable(guest_abi::kCallPage + offsetof(guest_abi::CallPage, host_line),
                               sizeof(guest_abi::HostLine)));
  }
  // Half of it is neither state: nobody may enter it, nor compare it with what it was to become.
  state_ = State::kDead;
  const RestoreCount count = MAYFLY_TRY(memory_->restore(state));
  MAYFLY_TRY(refresh_reports());
  state_ = State::kIdle;
  return count;
}

}  // namespace mayfly::vmm
