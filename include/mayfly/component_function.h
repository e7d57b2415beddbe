// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ComponentFunction: a function that a sandbox's component exports, found once and called often.
// Threads: as the sandbox's: one call at a time, from any thread.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "mayfly/component_value.h"
#include "mayfly/export.h"
#include "mayfly/outcome.h"
#include "mayfly/transfer.h"

namespace mayfly {

namespace runtime {
class SandboxState;
}

// Copies refer to the same function, and keep the sandbox's memory alive.
class MAYFLY_API ComponentFunction {
 public:
  // "ns:pkg/interface@1.0.0#name", as the component exports it.
  const std::string& name() const;
  // As WIT writes it: "func(a: u32) -> string".
  std::string type() const;

  // nullopt: the function has no result. Handles of resources are this sandbox's until they are
  // passed on as own, or dropped by the exported function "[resource-drop]NAME".
  // Errors (as kHostError): kInvalid for arguments of another number or type, with the way to the
  // part that differs; kLimit for too many bytes; and what Sandbox::call says.
  Outcome<std::optional<ComponentValue>> call(std::span<const ComponentValue> arguments) const;

 private:
  friend class Sandbox;
  friend class Caller;
  ComponentFunction(std::shared_ptr<runtime::SandboxState> state, const void* target)
      : state_(std::move(state)), target_(target) {}

  // nullptr: it returned.
  std::unique_ptr<CallOutcome> invoke(const detail::TransferCall& call) const;

  std::shared_ptr<runtime::SandboxState> state_;
  const void* target_;  // the linker's entry of the function
};

}  // namespace mayfly
