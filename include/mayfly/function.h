// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Function and TypedFunction: an exported function of one sandbox, found once and called often.
// Threads: as the sandbox's: one call at a time, from any thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include "mayfly/export.h"
#include "mayfly/outcome.h"
#include "mayfly/result.h"
#include "mayfly/value.h"

namespace mayfly {

namespace runtime {
class SandboxState;
}

namespace detail {

// The WebAssembly types of a C++ result: void, one value, or a tuple of values.
template <typename R>
struct ResultTypes {
  static_assert(WasmValue<R>, "not a type that WebAssembly has: see mayfly/value.h");
  static constexpr std::array<ValueKind, 1> kKinds = {Typed<R>::kKind};
  static R from_slots(const Slot* slots) { return Typed<R>::from_slot(slots[0]); }
  static void to_slots(const R& value, Slot* slots) { slots[0] = Typed<R>::to_slot(value); }
};

template <>
struct ResultTypes<void> {
  static constexpr std::array<ValueKind, 0> kKinds = {};
};

template <typename... Rs>
struct ResultTypes<std::tuple<Rs...>> {
  static_assert((WasmValue<Rs> && ...), "not types that WebAssembly has: see mayfly/value.h");
  static constexpr std::array<ValueKind, sizeof...(Rs)> kKinds = {Typed<Rs>::kKind...};
  static std::tuple<Rs...> from_slots(const Slot* slots) {
    return [&]<size_t... I>(std::index_sequence<I...>) {
      return std::tuple<Rs...>{Typed<Rs>::from_slot(slots[I])...};
    }(std::index_sequence_for<Rs...>());
  }
  static void to_slots(const std::tuple<Rs...>& value, Slot* slots) {
    [&]<size_t... I>(std::index_sequence<I...>) {
      ((slots[I] = Typed<Rs>::to_slot(std::get<I>(value))), ...);
    }(std::index_sequence_for<Rs...>());
  }
};

template <typename... Args>
inline constexpr std::array<ValueKind, sizeof...(Args)> kParamKinds = {Typed<Args>::kKind...};

}  // namespace detail

template <typename Signature>
class TypedFunction;

// Copies refer to the same function, and keep the sandbox's memory alive.
class MAYFLY_API Function {
 public:
  FunctionType type() const;
  const std::string& name() const;

  // Errors (as kHostError): kInvalid for arguments of another number or type, and what
  // Sandbox::call says.
  CallOutcome call(std::span<const Value> arguments) const;

  // The same function as a C++ callable. Errors: kInvalid, naming both types.
  template <typename Signature>
  Result<TypedFunction<Signature>> typed() const {
    return TypedFunction<Signature>::from(*this);
  }

 private:
  template <typename Signature>
  friend class TypedFunction;
  friend class Sandbox;
  friend class Caller;
  friend class Table;
  Function(std::shared_ptr<runtime::SandboxState> state, const void* target)
      : state_(std::move(state)), target_(target) {}

  Result<void> check_type(std::span<const ValueKind> params,
                          std::span<const ValueKind> results) const;
  // Arguments in, results out, in the same place. nullptr: it returned.
  std::unique_ptr<CallOutcome> invoke(detail::Slot* slots) const;

  std::shared_ptr<runtime::SandboxState> state_;
  const void* target_;  // the image's entry of the function
};

// Function::typed() makes it. A call allocates nothing when the guest returns.
template <typename R, typename... Args>
class TypedFunction<R(Args...)> {
  static_assert((WasmValue<Args> && ...), "not types that WebAssembly has: see mayfly/value.h");
  using Results = detail::ResultTypes<R>;

 public:
  static Result<TypedFunction> from(Function function) {
    auto checked = function.check_type(detail::kParamKinds<Args...>, Results::kKinds);
    if (!checked) return std::move(checked).error();
    return TypedFunction(std::move(function));
  }

  Outcome<R> operator()(Args... args) const {
    constexpr size_t kSlots = std::max({size_t{1}, sizeof...(Args), Results::kKinds.size()});
    std::array<detail::Slot, kSlots> slots;
    [[maybe_unused]] size_t i = 0;
    ((slots[i++] = Typed<Args>::to_slot(args)), ...);
    auto end = function_.invoke(slots.data());
    if (end != nullptr) return Outcome<R>(std::move(end));
    if constexpr (std::is_void_v<R>) {
      return Outcome<R>();
    } else {
      return Outcome<R>(Results::from_slots(slots.data()));
    }
  }
  const Function& function() const { return function_; }

 private:
  explicit TypedFunction(Function function) : function_(std::move(function)) {}
  Function function_;
};

}  // namespace mayfly
