// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ComponentResult<T, E>: the `result<T, E>` of WIT: what a component's function answers when it can
// fail by itself. It is a value like any other: mayfly::Result is how Mayfly's own calls fail.
#pragma once

#include <concepts>
#include <cstdlib>
#include <type_traits>
#include <utility>
#include <variant>

namespace mayfly {

// Makes the error of a ComponentResult: `return ComponentError{"no such file"};`
template <typename E = void>
struct ComponentError {
  E value;
};
template <>
struct ComponentError<void> {};
template <typename E>
ComponentError(E) -> ComponentError<E>;
ComponentError() -> ComponentError<void>;

// `void` stands for a case without a payload: ComponentResult<void, E> is `result<_, E>`.
template <typename T, typename E>
class [[nodiscard]] ComponentResult {
 public:
  // What is held; std::monostate for void.
  using Ok = std::conditional_t<std::is_void_v<T>, std::monostate, T>;
  using Failure = std::conditional_t<std::is_void_v<E>, std::monostate, E>;

  ComponentResult() = default;  // ok, with the payload's default
  ComponentResult(Ok value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT
  template <typename G>
    requires std::constructible_from<Failure, G>
  ComponentResult(ComponentError<G> error)  // NOLINT
      : state_(std::in_place_index<1>, std::move(error.value)) {}
  ComponentResult(ComponentError<void>)  // NOLINT
    requires std::is_void_v<E>
      : state_(std::in_place_index<1>) {}

  bool is_ok() const { return state_.index() == 0; }
  explicit operator bool() const { return is_ok(); }

  // Precondition: is_ok(). Calling them on an error ends the process.
  Ok& value() & { return *held(std::get_if<0>(&state_)); }
  const Ok& value() const& { return *held(std::get_if<0>(&state_)); }
  Ok&& value() && { return std::move(*held(std::get_if<0>(&state_))); }
  Ok& operator*() & { return value(); }
  const Ok& operator*() const& { return value(); }
  Ok&& operator*() && { return std::move(*this).value(); }
  Ok* operator->() { return &value(); }
  const Ok* operator->() const { return &value(); }
  // Precondition: !is_ok(). Calling them on a value ends the process.
  Failure& error() & { return *held(std::get_if<1>(&state_)); }
  const Failure& error() const& { return *held(std::get_if<1>(&state_)); }
  Failure&& error() && { return std::move(*held(std::get_if<1>(&state_))); }

  // Makes it an error, and gives out its payload to be filled.
  Failure& set_error() { return state_.template emplace<1>(); }

  bool operator==(const ComponentResult&) const = default;

 private:
  template <typename U>
  static U* held(U* pointer) {
    if (pointer == nullptr) std::abort();
    return pointer;
  }
  std::variant<Ok, Failure> state_;
};

}  // namespace mayfly
