// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// SandboxState: everything of one sandbox: its machine, what its ports may do, and who is in a call
// of it. The public Sandbox, Function, Memory, ... are handles to it.
//
// A call claims the sandbox for its thread (owner_), so that a second thread is refused and a host
// function may call back. What ends otherwise than by returning poisons the sandbox.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/result.h"
#include "linker/state_module.h"
#include "mayfly/limits.h"
#include "mayfly/policy.h"
#include "mayfly/sandbox.h"
#include "mayfly/transfer.h"
#include "runtime/component_target.h"
#include "runtime/cpu_limit.h"
#include "runtime/image_runner.h"
#include "runtime/linked_program.h"
#include "runtime/port_handler.h"
#include "runtime/resource_table.h"
#include "runtime/sandbox_snapshot.h"

namespace mayfly::runtime {

struct SandboxConfig {
  Limits limits;
  void* user_data = nullptr;
  TrustDomain domain;
  bool measures_cpu_time = false;
  bool is_resettable = true;              // snapshot(), restore() and reset() work
  std::chrono::nanoseconds spin_time{0};  // of exitless calls; 0: there are none
  // Makes the handler of WASI's ports, anew at each start. May be empty.
  std::function<Result<std::unique_ptr<PortHandler>>()> make_ports;
};

// A resource that the host has of a component, to be dropped.
struct GuestDrop {
  const ComponentTarget* target = nullptr;
  uint32_t number = 0;
  uint64_t epoch = 0;
};

// Threads: interrupt(), usage(), is_frozen(), is_poisoned(), epoch(), drop_guest_soon() any; the
// rest as said in mayfly/sandbox.h.
class SandboxState final : public HostCalls, public std::enable_shared_from_this<SandboxState> {
  struct Key {
    explicit Key() = default;
  };

 public:
  // Nothing of the program has run yet.
  // Errors: kInvalid and kLimit for limits that cannot be; kHost.
  static Result<std::shared_ptr<SandboxState>> create(std::shared_ptr<EngineState> engine,
                                                      std::shared_ptr<const LinkedProgram> program,
                                                      SandboxConfig config);
  SandboxState(Key, std::shared_ptr<EngineState> engine,
               std::shared_ptr<const LinkedProgram> program, SandboxConfig config);
  ~SandboxState() override;

  // Runs the steps of the plan, and _initialize of a reactor. nullptr: all returned.
  // Errors: kLink for a memory or table that is too small; kHost.
  Result<std::unique_ptr<CallOutcome>> start();

  // Arguments in, results out; they fit the function's type. nullptr: it returned.
  // Errors: kState, kHost.
  Result<std::unique_ptr<CallOutcome>> call(const image::FuncExport& function,
                                            guest_abi::Slot* slots);

  // The same of a component's function. Errors also: kInvalid and kLimit of lower_call().
  Result<std::unique_ptr<CallOutcome>> call(const ComponentTarget& target,
                                            const detail::TransferCall& values);
  // Where a call inside the call in progress finds free transfer memory; what it was.
  uint32_t exchange_transfer_top(uint32_t top) { return std::exchange(transfer_top_, top); }

  // The resources of the host that the component has. Only by who may call.
  ResourceTable& resources() { return resources_; }
  const ResourceTable& resources() const { return resources_; }
  // Grows when the sandbox goes back to a state: then the component's resources are others.
  uint64_t epoch() const { return epoch_.load(std::memory_order_relaxed); }
  // A call that drops a resource of the component; none when the resource is gone already. Errors
  // and answer: as call()'s.
  Result<std::unique_ptr<CallOutcome>> drop_guest(const GuestDrop& drop);
  // Now, or when it is in a call, before the next one.
  void drop_guest_soon(const GuestDrop& drop);

  std::unique_ptr<CallOutcome> call_host(uint32_t index, guest_abi::Slot* slots) override;

  // Between calls. A poisoned sandbox can be restored, and then is not any more.
  // Errors: kState in a call, or without is_resettable; kInvalid for another program's; kHost.
  Result<std::shared_ptr<const SandboxSnapshot>> snapshot();
  Result<void> restore(const std::shared_ptr<const SandboxSnapshot>& snapshot);
  // To the state that keep_first() named.
  Result<void> reset();
  // Lets the machine go until it is needed. Errors: as snapshot(); nothing has changed then.
  Result<void> freeze();
  // nullptr: the state now. Once, before the first call.
  Result<void> keep_first(std::shared_ptr<const SandboxSnapshot> snapshot);

  // Before guest memory is read or written: kState while a call runs on another thread; thaws.
  Result<void> check_access();
  void interrupt();
  Result<void> set_deadline(std::optional<std::chrono::nanoseconds> per_call);
  Result<void> set_fuel(std::optional<uint64_t> per_call);
  // Those that this or a sandbox of the same program was made with. Errors: kState in a call.
  Result<void> set_limits(const Limits& limits);
  std::optional<int64_t> fuel_left() const;

  // Of the main program.
  const image::ImageExport* find_export(wasm::ExternKind kind, std::string_view name) const;
  Error no_export(wasm::ExternKind kind, std::string_view name) const;

  // After check_access(), or in a call.
  ImageRunner& runner() { return *runner_; }
  const LinkedProgram& program() const { return *program_; }
  EngineState& engine() { return *engine_; }
  const std::shared_ptr<EngineState>& shared_engine() const { return engine_; }
  const SandboxConfig& config() const { return config_; }
  bool is_poisoned() const { return poisoned_.load(std::memory_order_relaxed); }
  bool is_frozen() const { return is_frozen_.load(std::memory_order_relaxed); }
  Usage usage() const;
  // After the host grew a memory.
  void count_memory();
  // Of the call in progress.
  std::optional<std::chrono::steady_clock::time_point> call_deadline() const { return deadline_; }
  std::stop_token stop_token();

 private:
  // Claims the sandbox for a call of this thread, and gives it back.
  class Turn;
  // Asks the host function of a call to stop at the call's deadline.
  class StopAtDeadline final : public vmm::DeadlineTarget {
   public:
    explicit StopAtDeadline(SandboxState& state) : state_(state) {}
    void deadline_passed(uint64_t call) override;

   private:
    SandboxState& state_;
  };

  // Claims the sandbox between calls.
  class Pause;
  Result<void> check_resettable() const;
  Result<std::unique_ptr<ImageRunner>> make_runner(PortHandler* ports);
  Result<void> make_machine();
  // By who has claimed the sandbox. Errors: kLimit, kHost; it stays frozen then.
  Result<void> thaw();
  void take_machine(std::unique_ptr<ImageRunner> runner);
  Result<std::unique_ptr<CallOutcome>> run_steps();
  // In a call. What waits for one.
  Result<std::unique_ptr<CallOutcome>> run_drops();
  Result<std::unique_ptr<CallOutcome>> run_lowered(const ComponentTarget& target,
                                                   const detail::TransferCall& values);
  Result<std::unique_ptr<CallOutcome>> ended(Result<std::unique_ptr<CallOutcome>> outcome);
  Result<void> begin_call();
  void leave_call();
  void end_call();
  Result<void> apply_limits();
  void measure_end();
  // Tells whoever works for the call to stop. false: the machine does not know of the call yet.
  bool stop_call();
  void take_back_stop();
  std::unique_ptr<CallOutcome> host_trap(const Error& error) const;
  std::unique_ptr<CallOutcome> run_host(const detail::HostFunction& function, detail::Slot* slots);
  std::unique_ptr<CallOutcome> run_blocking(const detail::HostFunction& function,
                                            detail::Slot* slots);

  std::shared_ptr<EngineState> engine_;
  std::shared_ptr<const LinkedProgram> program_;
  SandboxConfig config_;
  std::unique_ptr<PortHandler> ports_;
  // Invariant: one of both is there. Changes by who has claimed the sandbox, before the guest runs;
  // who interrupts a call looks at is_frozen_ first, which is false only while the runner is there.
  std::unique_ptr<ImageRunner> runner_;
  std::unique_ptr<const FrozenRun> frozen_;
  std::atomic<bool> is_frozen_ = false;
  std::atomic<uint64_t> frozen_bytes_ = 0;
  std::shared_ptr<const SandboxSnapshot> first_;

  std::atomic<std::thread::id> owner_{};  // of the call in progress
  uint32_t depth_ = 0;                    // calls inside calls
  bool in_host_function_ = false;
  uint32_t transfer_top_ = linker::kTransferFirst;
  std::optional<std::chrono::steady_clock::time_point> deadline_;
  std::unique_ptr<CallOutcome> inner_end_;  // how an inner call ended that did not return
  std::string poison_;                      // what happened
  std::atomic<bool> poisoned_ = false;

  std::mutex stop_mutex_;
  std::optional<std::stop_source> stop_;  // once somebody asked for the token
  StopAtDeadline stop_at_deadline_{*this};
  std::atomic<bool> has_stop_ = false;
  std::atomic<bool> interrupted_ = false;
  // Invariant: who interrupts does so between its ++interrupters_ and --interrupters_, and only
  // while in_call_; a call's end waits until nobody is in between, so that no interruption reaches
  // the next call, or a machine that is being put back.
  std::atomic<bool> in_call_ = false;
  std::atomic<uint32_t> interrupters_ = 0;
  Fd interrupt_event_;  // readable once interrupt() was called; of programs that use WASI

  CpuTime cpu_time_;  // of the call in progress
  CpuLimit cpu_limit_{cpu_time_, [this] { return stop_call(); }};
  std::atomic<int64_t> cpu_time_ns_ = 0;  // of the calls before it
  bool has_fuel_limit_ = false;
  std::atomic<int64_t> fuel_left_ = INT64_MAX;  // INT64_MAX: there was no limit

  ResourceTable resources_;
  std::atomic<uint64_t> epoch_ = 0;
  std::mutex drops_mutex_;
  std::vector<GuestDrop> drops_;  // guarded by it
  std::atomic<bool> has_drops_ = false;

  RunCounts counts_;
  uint64_t host_calls_before_ = 0;  // those of earlier calls
  PortTraffic traffic_{counts_};
  std::atomic<uint64_t> memory_bytes_ = 0;
  std::atomic<uint64_t> memory_bytes_peak_ = 0;
};

}  // namespace mayfly::runtime
