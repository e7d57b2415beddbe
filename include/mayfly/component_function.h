// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ComponentFunction and TypedComponentFunction: a function that a sandbox's component exports,
// found once and called often. Threads: as the sandbox's: one call at a time, from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include "mayfly/component_call.h"
#include "mayfly/component_type.h"
#include "mayfly/component_value.h"
#include "mayfly/export.h"
#include "mayfly/outcome.h"
#include "mayfly/result.h"
#include "mayfly/transfer.h"

namespace mayfly {

namespace runtime {
class SandboxState;
}

template <typename Signature>
class TypedComponentFunction;

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

  // The same function with C++ types (component_type.h): typed<uint32_t(std::string_view)>().
  // Errors: kInvalid, naming both types.
  template <typename Signature>
  Result<TypedComponentFunction<Signature>> typed() const {
    return TypedComponentFunction<Signature>::from(*this);
  }

 private:
  template <typename Signature>
  friend class TypedComponentFunction;
  friend class Sandbox;
  friend class Caller;
  ComponentFunction(std::shared_ptr<runtime::SandboxState> state, const void* target)
      : state_(std::move(state)), target_(target) {}

  Result<void> check_type(const ComponentSignature& signature) const;
  // nullptr: it returned.
  std::unique_ptr<CallOutcome> invoke(const detail::TransferCall& call) const;

  std::shared_ptr<runtime::SandboxState> state_;
  const void* target_;  // a runtime::ComponentTarget of the program
};

// ComponentFunction::typed() makes it.
template <typename R, typename... Args>
class TypedComponentFunction<R(Args...)> {
  using Call = detail::OutgoingCall<R, std::remove_cvref_t<Args>...>;

 public:
  static Result<TypedComponentFunction> from(ComponentFunction function) {
    auto checked = function.check_type(Call::kSignature);
    if (!checked) return std::move(checked).error();
    return TypedComponentFunction(std::move(function));
  }

  // The arguments stay as they are until it returns. Errors (as kHostError): kInvalid for a string
  // that is not UTF-8, a char or enum that is none; kLimit; and what Sandbox::call says. What the
  // component answers is checked: a value that is none of its type is a trap.
  // Resources that are given away with them are, once the component is called; such arguments are
  // rvalues.
  Outcome<R> operator()(detail::Passed<std::remove_cvref_t<Args>>... args) const {
    Call call(function_.state_.get(), args...);
    auto bytes = call.measure();
    if (!bytes) return Outcome<R>(std::move(bytes).error());
    if (auto end = function_.invoke(call.transfer(*bytes)); end != nullptr) return end;
    if constexpr (std::is_void_v<R>) {
      return Outcome<R>();
    } else {
      return Outcome<R>(call.take_result());
    }
  }
  const ComponentFunction& function() const { return function_; }

 private:
  explicit TypedComponentFunction(ComponentFunction function) : function_(std::move(function)) {}
  ComponentFunction function_;
};

}  // namespace mayfly
