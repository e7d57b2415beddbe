// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ImageRunner: an image in a Vm of its own. It runs the steps of the image's plan, then calls
// exports; every call ends as a CallOutcome.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "image/image.h"
#include "runtime/backtrace.h"
#include "runtime/call_outcome.h"
#include "runtime/page_changes.h"
#include "runtime/port_dispatcher.h"
#include "runtime/run_counts.h"
#include "runtime/seed_source.h"
#include "runtime/snapshot.h"
#include "vmm/vm.h"

namespace mayfly::runtime {

// How one step of the plan ended.
struct StepOutcome {
  enum class Kind : uint8_t {
    kInstantiated,
    kUnlinkable,  // an imported memory or table is too small at this moment
    kBlocked,     // a step that this one depends on has not been instantiated
    kStopped,     // the instantiation trapped, exited or ran out of time: its effects stay
  };
  Kind kind = Kind::kInstantiated;
  std::string message;  // kUnlinkable, kBlocked
  CallOutcome call;     // kStopped
};
std::string to_string(const StepOutcome& outcome);

struct RunnerOptions {
  uint64_t stack_bytes = guest_abi::kStackBytesDefault;
  PortOptions ports;
  // kOn: snapshot() and restore() work.
  vmm::Tracking tracking = vmm::Tracking::kOff;
  uint64_t domain = 0;                    // VmConfig's
  std::chrono::nanoseconds spin_time{0};  // VmConfig
  RunCounts* counts = nullptr;            // null: nobody reads them. Outlives the runner.
  bool measures_time = false;             // counts->guest_ns and host_ns
};

// A running image without its machine: what of its memory differs from a snapshot.
struct FrozenRun {
  SnapshotPtr base;
  std::vector<uint64_t> region_bytes;
  std::vector<bool> instantiated;  // by step of the plan
  PageChanges changes;             // of base
};

// Threads: one at a time, but for cancel().
class ImageRunner {
 public:
  // Host and image outlive the runner. Nothing of the image has run yet.
  // Errors: kUnsupported (the CPU lacks a feature), kLimit, kHost.
  static Result<std::unique_ptr<ImageRunner>> create(vmm::Host& host, const image::Image& image,
                                                     const RunnerOptions& options);

  // Runs step `step` of the plan. Each step runs once. Errors: kHost.
  Result<StepOutcome> run_step(uint32_t step);

  // Calls a function of an instance, which need not be instantiated: the spec lets functions of a
  // failed instance live on in tables. Errors: kInvalid when arguments and type differ; kHost.
  Result<CallOutcome> call(const image::FuncExport& function, std::span<const Value> arguments);

  // The same for who knows the function's type and has checked that the slots fit it: arguments in,
  // results out. nullptr: it returned. During a call, from a host function, it runs inside that
  // one: unless it returns, the outer call must not go on. Errors: kHost.
  Result<std::unique_ptr<CallOutcome>> call_slots(const image::FuncExport& function,
                                                  guest_abi::Slot* slots);

  Result<Value> read_global(const image::GlobalExport& global) const;

  // The state now; what the host gives to a call (deadline, arguments) is no part of it. Takes
  // time in proportion to the pages written since the last snapshot() or restore().
  // Errors: kInvalid after kBroken; kHost.
  Result<SnapshotPtr> snapshot();
  // Whether restore() may go to that state. Errors: kInvalid for another image's; kLimit when its
  // memories or tables are past the limits.
  Result<void> check_restore(const Snapshot& snapshot) const;
  // Makes the state that of a snapshot of the same image, with new random numbers and clocks that
  // go on. Takes time in proportion to the pages written since, and to those that differ.
  // Errors: check_restore()'s; kInvalid after kBroken; kHost: only destruction is left.
  Result<vmm::RestoreCount> restore(const SnapshotPtr& snapshot);

  // The state now, less what the machine has in common with the last snapshot() or restore(), for
  // another runner of the same image and handler to go on with; this one then goes. The handler
  // keeps what it holds. Takes time in proportion to the pages written since.
  // Errors: as snapshot(); nothing has changed then.
  Result<FrozenRun> freeze();
  // Makes the state of a runner that has run nothing the frozen one, with new random numbers and
  // clocks that go on. Takes time in proportion to the pages that changed, and what a restore() to
  // the base takes. Errors: kHost: only destruction is left.
  Result<void> thaw(const FrozenRun& frozen);

  // Covers the calls and steps from now on. nullopt: none.
  void set_deadline(std::optional<std::chrono::steady_clock::time_point> deadline);
  // For the calls and steps from now on; without it there is no end to it. Errors: kInvalid when
  // the image counts no fuel, or past 2^63 - 1.
  Result<void> set_fuel(uint64_t units);
  // What is left: exact after a call that returned or exited, and below zero after one that ran
  // out; after any other, what was left when the guest last called the host or the guest library.
  // A claim of the guest, whose code could have changed it.
  int64_t fuel() const { return vm_->call_page().fuel; }
  // Any thread. Ends the call in progress; no effect on a later one.
  // false: there is none.
  bool cancel() { return vm_->cancel(); }

  const image::Image& image() const { return image_; }
  const PortDispatcher& ports() const { return ports_; }
  vmm::Vm& vm() { return *vm_; }
  // Null when the instance has no such export.
  const image::ImageExport* find_export(uint32_t instance, std::string_view name) const;

 private:
  struct Key {};

 public:
  // create() is the way in: nobody else has a Key.
  ImageRunner(Key, const image::Image& image, std::unique_ptr<vmm::Vm> vm,
              const RunnerOptions& options);

 private:
  Result<void> prepare_call_page();
  std::vector<uint64_t> region_bytes() const;
  // nullptr: the call returned.
  Result<std::unique_ptr<CallOutcome>> enter(const vmm::Entry& entry);
  void count_exit(const vmm::Exit& exit);
  CallOutcome outcome_of(const vmm::Exit& exit);
  CallOutcome outcome_of_fault(const vmm::Fault& fault);
  Result<std::optional<std::string>> failed_limit(const image::ImageInstance& instance) const;

  const image::Image& image_;
  CodeMap code_;
  std::unique_ptr<vmm::Vm> vm_;
  uint64_t stack_bytes_;
  PortHandler* handler_;
  PortDispatcher ports_;
  std::vector<bool> instantiated_;
  SnapshotPtr reference_;  // the Vm's
  std::optional<CallOutcome> broken_;
  SeedSource seeds_;
  RunCounts own_counts_;
  RunCounts& counts_;
  std::optional<RunClock> clock_;
  uint32_t depth_ = 0;  // calls in progress, one inside the other
};

}  // namespace mayfly::runtime
