// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a component calls of the host: a C++ callable with the type of WIT that its signature stands
// for, or one that is called with dynamic values.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "mayfly/caller.h"
#include "mayfly/component_call.h"
#include "mayfly/component_resource_abi.h"
#include "mayfly/component_type.h"
#include "mayfly/component_value.h"
#include "mayfly/host_function.h"
#include "mayfly/result.h"
#include "mayfly/transfer.h"

namespace mayfly {

// A host function of components: the values are of the types that the component's import has.
using DynamicComponentFunction = std::function<Result<std::optional<ComponentValue>>(
    Caller& caller, std::span<const ComponentValue> arguments)>;

namespace detail {

// What components call. `call` answers as HostCall does.
struct ComponentHostFunction {
  std::shared_ptr<void> callable;
  bool (*call)(void* callable, Caller& caller, HostTransfer& transfer) = nullptr;
  const ComponentSignature* signature = nullptr;  // nullptr: it takes what an import says
  const ResourceKind* resource = nullptr;         // of the destructor that define_resource() made
};

// false with the error for the caller.
inline bool is_done(Result<void> done, Caller& caller) {
  if (done) return true;
  caller.fail(std::move(done).error());
  return false;
}

struct DynamicComponentAdapter {
  static bool call(void* callable, Caller& caller, HostTransfer& transfer) {
    return without_exceptions(caller, [&] {
      return is_done(
          call_checked(*static_cast<DynamicComponentFunction*>(callable), caller, transfer),
          caller);
    });
  }

 private:
  static Result<void> call_checked(const DynamicComponentFunction& function, Caller& caller,
                                   HostTransfer& transfer) {
    auto arguments = transfer.lift();
    if (!arguments) return std::move(arguments).error();
    auto answer = function(caller, *arguments);
    if (!answer) return std::move(answer).error();
    return transfer.lower(answer->has_value() ? &**answer : nullptr);
  }
};

// What an argument is kept in while a function has a view of it.
template <typename T>
struct Kept {
  using Type = T;
};
template <>
struct Kept<std::string_view> {
  using Type = std::string;
};
template <typename T>
struct Kept<std::span<const T>> {
  using Type = std::vector<T>;
};

template <typename Values>
struct IncomingValues;
template <typename... Ts>
struct IncomingValues<std::tuple<Ts...>> {
  static constexpr bool kAreValues = (WitValue<typename Kept<Ts>::Type> && ...);
  using Kept = std::tuple<typename Kept<Ts>::Type...>;
  using Parts = Product<typename detail::Kept<Ts>::Type...>;
};

template <typename R>
constexpr bool is_wit_result() {
  if constexpr (std::is_void_v<R>) {
    return true;
  } else {
    return WitValue<R>;
  }
}

template <typename F>
struct ComponentHostAdapter {
  using Arguments = typename SignatureOf<F>::Arguments;
  using Params = Parameters<Arguments>;
  using Incoming = IncomingValues<typename Params::Values>;
  using Return = typename SignatureOf<F>::Return;
  using Value = std::remove_cvref_t<typename Answer<Return>::Value>;
  static constexpr bool kIsTyped = Incoming::kAreValues && is_wit_result<Value>();

  static bool call(void* callable, Caller& caller, HostTransfer& transfer) {
    return without_exceptions(caller, [&] {
      return is_done(call_checked(*static_cast<F*>(callable), caller, transfer), caller);
    });
  }
  static const ComponentSignature* signature() {
    static_assert(Incoming::Parts::kCanLift,
                  "a parameter cannot be made of what a component passes: views inside of others");
    return &kSignature;
  }

 private:
  using Parts = typename Incoming::Parts;
  static constexpr ComponentSignature kSignature{Parts::kParts, shape_of_result<Value>()};
  static constexpr size_t kFirst = Params::kTakesCaller ? 1 : 0;

  static Result<void> lift(HostTransfer& transfer, typename Incoming::Kept& values) {
    constexpr bool kInMemory = Parts::kFlat > kFlatParamsMax;
    std::array<uint64_t, kInMemory ? 1 : Parts::kFlat + 1> flat{};  // never empty
    transfer.arguments(flat.data(), kInMemory ? 1 : Parts::kFlat);
    auto reader = transfer.reader();
    if (!reader) return std::move(reader).error();
    std::apply(
        [&](auto&... out) {
          if constexpr (kInMemory) {
            const auto address = static_cast<uint32_t>(flat[0]);
            if (reader->expect("parameters", address, Parts::kSize, Parts::kAlignment)) {
              Parts::load(*reader, address, out...);
            }
          } else {
            const uint64_t* next = flat.data();
            Parts::lift(*reader, next, out...);
          }
        },
        values);
    return reader->finish();
  }

  static Return invoke(F& function, Caller& caller, typename Incoming::Kept& values) {
    return [&]<size_t... I>(std::index_sequence<I...>) -> Return {
      if constexpr (Params::kTakesCaller) {
        return function(caller,
                        pass<std::tuple_element_t<I + kFirst, Arguments>>(std::get<I>(values))...);
      } else {
        return function(pass<std::tuple_element_t<I, Arguments>>(std::get<I>(values))...);
      }
    }(std::make_index_sequence<std::tuple_size_v<typename Incoming::Kept>>());
  }
  // Values are moved in; references and views are of what is kept.
  template <typename Parameter, typename T>
  static decltype(auto) pass(T& kept) {
    if constexpr (std::same_as<std::remove_cv_t<Parameter>, T> ||
                  std::is_rvalue_reference_v<Parameter>) {
      return std::move(kept);
    } else {
      return static_cast<Parameter>(kept);
    }
  }

  static Result<void> call_checked(F& function, Caller& caller, HostTransfer& transfer) {
    typename Incoming::Kept values;
    if (auto lifted = lift(transfer, values); !lifted) return lifted;
    if constexpr (Answer<Return>::kCanFail) {
      Return answer = invoke(function, caller, values);
      if (!answer) return std::move(answer).error();
      if constexpr (!std::is_void_v<Value>) return lower(*answer, caller, transfer);
    } else if constexpr (std::is_void_v<Value>) {
      invoke(function, caller, values);
    } else {
      return lower(invoke(function, caller, values), caller, transfer);
    }
    return {};
  }

  template <typename T>
  static Result<void> lower(const T& value, Caller& caller, HostTransfer& transfer) {
    using Type = Abi<T>;
    constexpr bool kInMemory = Type::kFlat > kFlatResultsMax;
    TransferSize size(caller.state());
    if constexpr (kInMemory) size.allocate(Type::kSize, Type::kAlignment);
    Type::measure(value, size);
    if (size.failed()) size.name_result();
    auto bytes = size.finish();
    if (!bytes) return std::move(bytes).error();
    TransferArea area;
    if (*bytes != 0) {
      auto reserved = transfer.reserve(*bytes);
      if (!reserved) return std::move(reserved).error();
      area = *reserved;
    }
    TransferWriter writer(area.bytes, area.base, caller.state());
    if constexpr (kInMemory) {
      const uint32_t address = writer.allocate(Type::kSize, Type::kAlignment);
      Type::store(value, writer, address);
      transfer.answer(address);
    } else {
      uint64_t flat = 0;
      uint64_t* next = &flat;
      Type::lower(value, writer, next);
      transfer.answer(flat);
    }
    return {};
  }
};

// What Linker::define() binds: what modules call, what components call, or both.
struct DefinedFunction {
  HostFunction of_modules;
  ComponentHostFunction of_components;
};

template <typename Values>
inline constexpr bool kAreWasm = false;
template <typename... Ts>
inline constexpr bool kAreWasm<std::tuple<Ts...>> = (WasmValue<Ts> && ...);

template <typename F>
DefinedFunction defined_function(F&& callable) {
  using Callable = std::decay_t<F>;
  static_assert(HasOneSignature<Callable>,
                "a callable with one signature is wanted: no generic lambda, no overloads");
  using Adapter = ComponentHostAdapter<Callable>;
  using Value = typename Adapter::Value;
  constexpr bool kIsOfModules =
      kAreWasm<typename Adapter::Params::Values> &&
      (std::is_void_v<Value> || kAreWasm<std::tuple<Value>> || kAreWasm<Value>);
  static_assert(kIsOfModules || Adapter::kIsTyped,
                "the type of a parameter or of the result is one that neither WebAssembly nor WIT "
                "has: see mayfly/value.h and mayfly/component_type.h");
  auto shared = std::make_shared<Callable>(std::forward<F>(callable));
  DefinedFunction defined;
  if constexpr (kIsOfModules) {
    defined.of_modules = {shared, &HostAdapter<Callable>::call, HostAdapter<Callable>::type(),
                          HostMode::kOnCaller};
  }
  if constexpr (Adapter::kIsTyped) {
    defined.of_components = {std::move(shared), &Adapter::call, Adapter::signature()};
  }
  return defined;
}

}  // namespace detail
}  // namespace mayfly
