// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Result<T>: a value or an Error, the way every fallible call of Mayfly answers.
// It has the interface of std::expected<T, Error>, and needs C++20 only.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

namespace mayfly {

enum class ErrorKind : uint8_t {
  kInvalid,      // the input (a module, an image, a flag) breaks a rule
  kUnsupported,  // valid, but outside what this build, host or CPU can do
  kLimit,        // a limit was reached; the message names it
  kLink,         // imports cannot be met
  kHost,         // the host's kernel refused something; errno_value says why
  kTimeout,      // time ran out before a guest was involved (compiling, waiting for a pool)
  kState,        // the object cannot do that now: poisoned, in a call, moved from, after a fork
};

struct Error {
  ErrorKind kind = ErrorKind::kInvalid;
  std::string message;  // one line, with the numbers that decide it
  int errno_value = 0;  // 0, or the errno that caused it
};

template <typename T>
class [[nodiscard]] Result {
 public:
  using value_type = T;
  using error_type = Error;

  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  // Precondition: has_value(). Calling them on an error ends the process.
  T& value() & { return *held(std::get_if<0>(&state_)); }
  const T& value() const& { return *held(std::get_if<0>(&state_)); }
  T&& value() && { return std::move(*held(std::get_if<0>(&state_))); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  // Precondition: !has_value(). Calling them on a value ends the process.
  Error& error() & { return *held(std::get_if<1>(&state_)); }
  const Error& error() const& { return *held(std::get_if<1>(&state_)); }
  Error&& error() && { return std::move(*held(std::get_if<1>(&state_))); }

  template <typename U>
  T value_or(U&& fallback) const& {
    return has_value() ? value() : static_cast<T>(std::forward<U>(fallback));
  }

 private:
  template <typename U>
  static U* held(U* pointer) {
    if (pointer == nullptr) std::abort();
    return pointer;
  }
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;
  using error_type = Error;

  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT

  bool has_value() const { return !error_.has_value(); }
  explicit operator bool() const { return has_value(); }
  // Precondition: has_value(). Calling them on an error ends the process.
  void value() const {
    if (error_) std::abort();
  }
  void operator*() const { value(); }
  // Precondition: !has_value(). Calling them on a value ends the process.
  Error& error() & { return need_error(), *error_; }
  const Error& error() const& { return need_error(), *error_; }
  Error&& error() && { return need_error(), *std::move(error_); }

 private:
  void need_error() const {
    if (!error_) std::abort();
  }
  std::optional<Error> error_;
};

}  // namespace mayfly
