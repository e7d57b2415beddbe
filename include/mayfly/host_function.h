// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// HostFunction: a C++ callable with the WebAssembly type that its signature stands for.
// All that templates need of the library is one function pointer that works on slots.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "mayfly/caller.h"
#include "mayfly/function.h"
#include "mayfly/result.h"
#include "mayfly/value.h"

namespace mayfly {

// A host function whose type is known at run time only.
using DynamicFunction =
    std::function<Result<std::vector<Value>>(Caller& caller, std::span<const Value> arguments)>;

namespace detail {

// Arguments in, results out, in the same slots. false: Caller::take_error() says why not.
using HostCall = bool (*)(void* callable, Caller& caller, Slot* slots);

enum class HostMode : uint8_t { kOnCaller, kBlocking };

struct HostFunction {
  std::shared_ptr<void> callable;
  HostCall call = nullptr;
  FunctionType type;
  HostMode mode = HostMode::kOnCaller;
};

// Calls `function`; an exception must not unwind through frames of the library.
template <typename F>
bool without_exceptions([[maybe_unused]] Caller& caller, F&& function) {
#if defined(__cpp_exceptions)
  try {
    return function();
  } catch (...) {
    caller.fail(Error{ErrorKind::kInvalid, "the host function threw an exception", 0});
    return false;
  }
#else
  return function();
#endif
}

template <typename T>
struct Signature;  // of a call operator or a function
template <typename R, typename... Args>
struct Signature<R(Args...)> {
  using Return = R;
  using Arguments = std::tuple<Args...>;
};
template <typename R, typename... Args>
struct Signature<R (*)(Args...)> : Signature<R(Args...)> {};
template <typename R, typename... Args>
struct Signature<R (*)(Args...) noexcept> : Signature<R(Args...)> {};
template <typename C, typename R, typename... Args>
struct Signature<R (C::*)(Args...)> : Signature<R(Args...)> {};
template <typename C, typename R, typename... Args>
struct Signature<R (C::*)(Args...) const> : Signature<R(Args...)> {};
template <typename C, typename R, typename... Args>
struct Signature<R (C::*)(Args...) noexcept> : Signature<R(Args...)> {};
template <typename C, typename R, typename... Args>
struct Signature<R (C::*)(Args...) const noexcept> : Signature<R(Args...)> {};

template <typename F>
concept HasOneSignature = std::is_pointer_v<F> || requires { &F::operator(); };

template <typename F>
struct SignatureOf : Signature<decltype(&F::operator())> {};
template <typename F>
  requires std::is_pointer_v<F>
struct SignatureOf<F> : Signature<F> {};

// Splits a leading Caller& from the rest.
template <typename Arguments>
struct Parameters;
template <typename... Args>
struct Parameters<std::tuple<Args...>> {
  static constexpr bool kTakesCaller = false;
  using Values = std::tuple<std::remove_cvref_t<Args>...>;
};
template <typename... Args>
struct Parameters<std::tuple<Caller&, Args...>> {
  static constexpr bool kTakesCaller = true;
  using Values = std::tuple<std::remove_cvref_t<Args>...>;
};

// Result<T> answers T or an Error.
template <typename R>
struct Answer {
  static constexpr bool kCanFail = false;
  using Value = R;
};
template <typename R>
struct Answer<Result<R>> {
  static constexpr bool kCanFail = true;
  using Value = R;
};

template <typename F>
struct HostAdapter {
  using Params = Parameters<typename SignatureOf<F>::Arguments>;
  using Values = typename Params::Values;
  using Return = typename SignatureOf<F>::Return;
  using Results = ResultTypes<typename Answer<Return>::Value>;

  static FunctionType type() {
    FunctionType type;
    [&]<size_t... I>(std::index_sequence<I...>) {
      static_assert((WasmValue<std::tuple_element_t<I, Values>> && ...),
                    "a parameter's type is not one that WebAssembly has: see mayfly/value.h");
      type.params = {Typed<std::tuple_element_t<I, Values>>::kKind...};
    }(std::make_index_sequence<std::tuple_size_v<Values>>());
    type.results.assign(Results::kKinds.begin(), Results::kKinds.end());
    return type;
  }

  static bool call(void* callable, Caller& caller, Slot* slots) {
    return without_exceptions(caller, [&] { return call_checked(callable, caller, slots); });
  }

 private:
  static Return invoke(F& function, Caller& caller, const Slot* slots) {
    return [&]<size_t... I>(std::index_sequence<I...>) -> Return {
      if constexpr (Params::kTakesCaller) {
        return function(caller, Typed<std::tuple_element_t<I, Values>>::from_slot(slots[I])...);
      } else {
        return function(Typed<std::tuple_element_t<I, Values>>::from_slot(slots[I])...);
      }
    }(std::make_index_sequence<std::tuple_size_v<Values>>());
  }

  static bool call_checked(void* callable, Caller& caller, Slot* slots) {
    F& function = *static_cast<F*>(callable);
    using Value = typename Answer<Return>::Value;
    if constexpr (Answer<Return>::kCanFail) {
      Return answer = invoke(function, caller, slots);
      if (!answer) {
        caller.fail(std::move(answer).error());
        return false;
      }
      if constexpr (!std::is_void_v<Value>) Results::to_slots(*answer, slots);
    } else if constexpr (std::is_void_v<Value>) {
      invoke(function, caller, slots);
    } else {
      Results::to_slots(invoke(function, caller, slots), slots);
    }
    return true;
  }
};

template <typename F>
HostFunction host_function(F&& callable, HostMode mode) {
  using Callable = std::decay_t<F>;
  static_assert(HasOneSignature<Callable>,
                "a callable with one signature is wanted: no generic lambda, no overloads");
  using Adapter = HostAdapter<Callable>;
  return {std::make_shared<Callable>(std::forward<F>(callable)), &Adapter::call, Adapter::type(),
          mode};
}

}  // namespace detail
}  // namespace mayfly
