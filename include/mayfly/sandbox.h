// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sandbox: a running program in a virtual machine of its own. Linker::instantiate() makes it.
//
// Threads: one call at a time, from any thread; a second one meanwhile is refused with an Error.
// Changing threads costs up to 10 ms for the first call on kernels before 6.13. interrupt(),
// usage(), frozen() and poisoned() may be called by any thread at any time.
// A call that ends otherwise than by returning (but for kHostError) poisons the sandbox: its state
// may be half-way through something, and every later call is refused until reset() or restore().
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "mayfly/component_function.h"
#include "mayfly/export.h"
#include "mayfly/function.h"
#include "mayfly/memory.h"
#include "mayfly/outcome.h"
#include "mayfly/result.h"
#include "mayfly/snapshot.h"
#include "mayfly/value.h"

namespace mayfly {

struct Usage {
  std::chrono::nanoseconds cpu_time{0};  // of the calls; 0 unless measured or limited
  uint64_t calls = 0;
  uint64_t host_calls = 0;         // of host functions, by the guest
  uint64_t exits = 0;              // times that the guest left its machine
  uint64_t exitless = 0;           // times that it did not have to: Policy::spin()
  uint64_t bytes_in = 0;           // from files, streams and sockets of the host, by the guest
  uint64_t bytes_out = 0;          // to them
  uint64_t restores = 0;           // and resets
  uint64_t pages_copied = 0;       // by them, of 4,096 bytes
  uint64_t memory_bytes = 0;       // linear memories and tables now
  uint64_t memory_bytes_peak = 0;  // the same, at most so far
  uint64_t frozen_bytes = 0;       // that are kept for a frozen sandbox; 0 while it is not
};

class MAYFLY_API Sandbox {
 public:
  Sandbox(Sandbox&& other) noexcept;
  Sandbox& operator=(Sandbox&& other) noexcept;
  ~Sandbox();

  // Calls an exported function: call<int32_t>("add", 1, 2); call<std::tuple<int, double>>("f").
  // Errors (as kHostError): kInvalid for an unknown export or a type that differs, naming both;
  // kState when the sandbox is poisoned, running on another thread, too deep in calls inside
  // calls, moved from, or of a process before fork().
  // Cost: the export is looked up each time; function() does it once.
  template <typename R = void, WasmValue... Args>
  Outcome<R> call(std::string_view name, Args... args) {
    auto found = function<R(Args...)>(name);
    if (!found) return Outcome<R>(std::move(found).error());
    return (*found)(args...);
  }
  CallOutcome call_values(std::string_view name, std::span<const Value> arguments);

  // Errors: kInvalid when there is no such export of that kind, naming those that are.
  Result<Function> function(std::string_view name) const;
  template <typename Signature>
  Result<TypedFunction<Signature>> function(std::string_view name) const {
    auto found = function(name);
    if (!found) return std::move(found).error();
    return found->typed<Signature>();
  }
  // Of a component: "ns:pkg/interface@1.0.0#name", or "name" of one outside of interfaces. A
  // compatible version will do. Errors: kInvalid when there is none, naming those that are.
  Result<ComponentFunction> component_function(std::string_view name) const;
  // With C++ types: component_function<std::string(uint32_t)>("name"). Errors: also kInvalid for
  // types that differ, naming both.
  template <typename Signature>
  Result<TypedComponentFunction<Signature>> component_function(std::string_view name) const {
    auto found = component_function(name);
    if (!found) return std::move(found).error();
    return found->template typed<Signature>();
  }
  Result<Memory> memory(std::string_view name = "memory") const;
  Result<Global> global(std::string_view name) const;
  Result<Table> table(std::string_view name) const;

  // The state now, from which this sandbox and others can go on (Linker::instantiate). Between
  // calls. What a call has of its host (deadline, user data) is no part of it; open files are, and
  // the standard streams and preopened directories are each sandbox's own.
  // Takes time in proportion to the pages written since the last snapshot or restore.
  // Errors: kState in a call, of a poisoned sandbox, or with Policy::resettable(false); kHost.
  Result<Snapshot> snapshot();
  // Makes the state that of a snapshot of the same program, whatever happened since: a poisoned
  // sandbox is as good as new. Random numbers are seeded anew; clocks go on.
  // Takes time in proportion to the pages written since, and to those that differ.
  // Errors: kState in a call, or with Policy::resettable(false); kInvalid for another program's
  // snapshot; kLimit for one that is past the Limits; kHost, and then the sandbox stays poisoned.
  Result<void> restore(const Snapshot& snapshot);
  // To the state that the sandbox was made with: after its start functions, or its snapshot.
  Result<void> reset();

  // Gives what the sandbox has of the host back until it is used again: its memory, and its machine
  // with its descriptors unless that is kept idle (EngineOptions::idle_machines_max). What stays
  // are the pages that differ from the snapshot (or start) that it last took or went to, and that
  // are not zeros. The next call, access to memory, a global or a table, or snapshot() starts in a
  // machine as a new sandbox does; nobody sees a difference but in time, and in random numbers,
  // which are seeded anew. Open files stay open. Of a frozen sandbox, freeze() has no effect;
  // restore() and reset() go where they go to without what was frozen.
  // Between calls. Takes time in proportion to the pages written since that snapshot, and up to
  // 0.3 ms for the machine; what thaws takes as long as a new sandbox from a snapshot, up to
  // 0.7 ms, and the copying of these pages; a call's deadline begins afterwards.
  // Errors: kState in a call, of a poisoned sandbox (reset() or drop it), or with
  // Policy::resettable(false); kHost. The sandbox is then as it was. What thaws may fail for want
  // of memory or descriptors, with kHost or kLimit; the sandbox then stays frozen, and whole.
  Result<void> freeze();
  bool frozen() const;

  // How long each call from now on may take. nullopt: no end. Errors: kInvalid for 0 or less;
  // kState during a call.
  Result<void> set_deadline(std::optional<std::chrono::nanoseconds> per_call);

  // How much fuel each call from now on may use. nullopt: no end. Errors: kInvalid for 0, past
  // 2^63 - 1, or without EngineOptions::count_fuel; kState during a call.
  Result<void> set_fuel(std::optional<uint64_t> per_call);
  // What the last call left of its fuel: exact after one that returned or exited, and below zero
  // after one that ran out; after any other, what was left when the guest last called the host.
  // nullopt: it had no limit. Between calls.
  std::optional<int64_t> fuel_left() const;

  // Any thread: ends the call in progress as kCancelled. Without effect between calls.
  void interrupt() const;

  bool poisoned() const;
  Usage usage() const;

  // The library's own.
  explicit Sandbox(std::shared_ptr<runtime::SandboxState> state);
  const std::shared_ptr<runtime::SandboxState>& state() const { return state_; }

 private:
  std::shared_ptr<runtime::SandboxState> state_;
};

}  // namespace mayfly
