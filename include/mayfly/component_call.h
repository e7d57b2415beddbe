// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// OutgoingCall: the arguments and the result of one typed call of a component's function. Nothing
// here is meant for users.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "mayfly/component_abi.h"
#include "mayfly/component_described.h"
#include "mayfly/component_resource_abi.h"
#include "mayfly/component_type.h"
#include "mayfly/result.h"
#include "mayfly/transfer.h"

namespace mayfly::detail {

template <typename R>
constexpr const ComponentShape* shape_of_result() {
  if constexpr (std::is_void_v<R>) {
    return nullptr;
  } else {
    return &Abi<R>::kShape;
  }
}

// How an argument is passed to a typed function.
template <typename T>
using Passed = std::conditional_t<(Abi<T>::kUse & kOwnsResources) != 0, T&&, const T&>;

struct NoLoans {
  explicit NoLoans(runtime::SandboxState*) {}
};

template <typename R, typename... Args>
class OutgoingCall {
  static_assert((WitValue<Args> && ...),
                "a parameter's type is not one that WIT has: see mayfly/component_type.h");
  using Params = Product<Args...>;
  static constexpr bool kParamsInMemory = Params::kFlat > kFlatParamsMax;

 public:
  static constexpr ComponentSignature kSignature{Params::kParts, shape_of_result<R>()};

  explicit OutgoingCall(runtime::SandboxState* sandbox, const Args&... args)
      : sandbox_(sandbox), arguments_(args...) {}

  // The bytes of the arguments in memory. Errors: kInvalid, kLimit.
  Result<uint64_t> measure() const {
    TransferSize size(sandbox_);
    if constexpr (kParamsInMemory) size.allocate(Params::kSize, Params::kAlignment);
    if constexpr (!Params::kIsPlain) {
      [&]<size_t... I>(std::index_sequence<I...>) {
        (measure_argument(size, I, std::get<I>(arguments_)), ...);
      }(std::index_sequence_for<Args...>());
    }
    return size.finish();
  }
  // As long as this is where it is.
  TransferCall transfer(uint64_t bytes) { return {this, bytes, &lower, &lift}; }
  auto take_result() { return std::move(result_); }

 private:
  template <typename T>
  static void measure_argument(TransferSize& size, size_t index, const T& value) {
    if (size.failed()) return;
    Abi<T>::measure(value, size);
    if (size.failed()) size.name_argument(index);
  }
  static void lower(void* values, const TransferArea& area, uint64_t* flat) {
    const auto& self = *static_cast<const OutgoingCall*>(values);
    TransferWriter writer(area.bytes, area.base, self.sandbox_);
    std::apply(
        [&](const auto&... args) {
          if constexpr (kParamsInMemory) {
            const uint32_t address = writer.allocate(Params::kSize, Params::kAlignment);
            *flat = address;
            Params::store(writer, address, args...);
          } else {
            Params::lower(writer, flat, args...);
          }
        },
        self.arguments_);
  }
  static Result<void> lift(void* values, std::span<const uint8_t> memory, uint64_t flat) {
    if constexpr (std::is_void_v<R>) {
      return {};
    } else {
      using Type = Abi<R>;
      static_assert(WitValue<R> && Type::kCanLift,
                    "the result's type is not one that can be made of what a component answers: "
                    "see mayfly/component_type.h");
      auto& self = *static_cast<OutgoingCall*>(values);
      R& result = self.result_;
      TransferReader reader(memory, lifted_bytes_max(*self.sandbox_), self.sandbox_);
      if constexpr (Type::kFlat <= kFlatResultsMax) {
        const uint64_t* next = &flat;
        Type::lift(reader, next, result);
      } else {
        const auto address = static_cast<uint32_t>(flat);
        if (reader.expect("results", address, Type::kSize, Type::kAlignment)) {
          Type::load(reader, address, result);
        }
      }
      return reader.finish();
    }
  }

  runtime::SandboxState* sandbox_;
  [[no_unique_address]] std::conditional_t<(Params::kUse & kLendsResources) != 0, Loans, NoLoans>
      loans_{sandbox_};
  std::tuple<const Args&...> arguments_;
  std::conditional_t<std::is_void_v<R>, std::monostate, R> result_{};
};

}  // namespace mayfly::detail
