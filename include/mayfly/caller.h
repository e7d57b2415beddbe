// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Caller: what a host function sees of the sandbox that calls it.
// It lives for that one call: neither keep it nor hand it to another thread.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string_view>
#include <utility>

#include "mayfly/component_function.h"
#include "mayfly/export.h"
#include "mayfly/function.h"
#include "mayfly/memory.h"
#include "mayfly/outcome.h"
#include "mayfly/result.h"

namespace mayfly {

class MAYFLY_API Caller {
 public:
  // A memory that the program exports. Errors: kInvalid when there is none of that name.
  Result<Memory> memory(std::string_view name = "memory") const;

  // Calls back into the sandbox, on the same stack, up to Limits::call_depth_max calls inside
  // calls. When the inner call does not return, the outer one ends in the same way as soon as the
  // host function is left.
  template <typename R = void, WasmValue... Args>
  Outcome<R> call(std::string_view name, Args... args) {
    auto found = function(name);
    if (!found) return Outcome<R>(std::move(found).error());
    auto typed = found->template typed<R(Args...)>();
    if (!typed) return Outcome<R>(std::move(typed).error());
    return (*typed)(args...);
  }
  Result<Function> function(std::string_view name) const;
  // The same of a component.
  Result<ComponentFunction> component_function(std::string_view name) const;
  template <typename Signature>
  Result<TypedComponentFunction<Signature>> component_function(std::string_view name) const {
    auto found = component_function(name);
    if (!found) return std::move(found).error();
    return found->template typed<Signature>();
  }

  // What Policy::user_data() was given; null by default.
  void* user_data() const;
  // When the call ends; a host function that is still at work then ends the call on its return.
  std::optional<std::chrono::steady_clock::time_point> deadline() const;
  // Asked to stop at the deadline and by interrupt().
  std::stop_token stop_token() const;

  // The library's own.
  explicit Caller(runtime::SandboxState* state) : state_(state) {}
  void fail(Error error) { error_ = std::move(error); }
  Error take_error() { return std::move(error_); }
  runtime::SandboxState* state() const { return state_; }

 private:
  runtime::SandboxState* state_;
  Error error_;
};

}  // namespace mayfly
