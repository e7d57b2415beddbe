// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How a call into a guest ended. Every way is a value: a trap or a deadline is normal life for a
// sandbox, and no exception ever says so.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mayfly/export.h"
#include "mayfly/result.h"
#include "mayfly/value.h"

namespace mayfly {

enum class TrapCode : uint8_t {
  kUnreachable = 1,
  kMemoryOutOfBounds,
  kTableOutOfBounds,
  kUndefinedElement,      // call_indirect past the table's size
  kUninitializedElement,  // call_indirect through a null entry
  kIndirectCallTypeMismatch,
  kIntegerOverflow,
  kIntegerDivideByZero,
  kInvalidConversionToInteger,
  kStackOverflow,
  kNullReference,
  kHostError,           // a host function returned an Error; its text is the message
  kGuestAbort,          // Mayfly's library inside the guest found its own state broken
  kInvalidInstruction,  // the guest executed what no compiler of Mayfly's emits
  kProtection,          // the guest touched what is not its own
  kComponent,           // a rule of the Component Model does not hold; the message says which
};

// Where the guest was. A claim of the guest's stack, which the guest can write.
struct Frame {
  std::string function;
  std::string module;              // the file's or the given name
  std::optional<uint64_t> offset;  // of the instruction, from the module's first byte
};

struct CallOutcome {
  enum class Kind : uint8_t {
    kReturned,
    kTrapped,
    kExited,       // proc_exit
    kDeadline,     // the time for the call was over
    kFuel,         // the fuel for the call was used up
    kOutOfMemory,  // the host had no memory for the guest
    kHostError,    // the call did not take place, or the host's kernel refused; error says why
    kCancelled,    // interrupt()
    kLimit,        // another of the Limits was reached
  };
  Kind kind = Kind::kReturned;
  std::vector<Value> values;               // kReturned, of calls with dynamic values
  TrapCode trap = TrapCode::kUnreachable;  // kTrapped
  // kTrapped: the specification's wording, then numbers. kDeadline, kFuel, kOutOfMemory, kLimit:
  // which limit, with its number.
  std::string message;
  uint32_t exit_code = 0;        // kExited
  std::vector<Frame> backtrace;  // innermost first, where the guest did not leave itself
  Error error;                   // kHostError

  bool returned() const { return kind == Kind::kReturned; }
  // Whether the guest's state may be half-way through something: every call is refused until the
  // sandbox is put back.
  bool poisons() const { return kind != Kind::kReturned && kind != Kind::kHostError; }
};
MAYFLY_API std::string_view to_string(CallOutcome::Kind kind);
// One line: "trap: integer divide by zero", "exit code 3", "limit: the call writes more than ...".
MAYFLY_API std::string to_string(const CallOutcome& outcome);
// A line per frame: "  at NAME (MODULE+0x1f4)\n".
MAYFLY_API std::string to_string(const std::vector<Frame>& backtrace);

// What a typed call answers: the function's result, or how else the call ended.
template <typename T>
class [[nodiscard]] Outcome {
 public:
  Outcome(T value) : value_(std::move(value)) {}                       // NOLINT
  Outcome(std::unique_ptr<CallOutcome> end) : end_(std::move(end)) {}  // NOLINT
  Outcome(Error error) : end_(std::make_unique<CallOutcome>()) {       // NOLINT
    end_->kind = CallOutcome::Kind::kHostError;
    end_->error = std::move(error);
  }

  bool returned() const { return end_ == nullptr; }
  explicit operator bool() const { return returned(); }

  // Precondition: returned(). Calling them otherwise ends the process.
  T& value() & { return need_value(), *value_; }
  const T& value() const& { return need_value(), *value_; }
  T&& value() && { return need_value(), *std::move(value_); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  const T* operator->() const { return &value(); }

  CallOutcome::Kind kind() const { return returned() ? CallOutcome::Kind::kReturned : end_->kind; }
  // Precondition: !returned().
  const CallOutcome& end() const {
    if (returned()) std::abort();
    return *end_;
  }
  // One line: "returned", or how else the call ended.
  std::string message() const { return returned() ? "returned" : to_string(*end_); }

 private:
  void need_value() const {
    if (!returned()) std::abort();
  }
  std::optional<T> value_;
  std::unique_ptr<CallOutcome> end_;
};

template <>
class [[nodiscard]] Outcome<void> {
 public:
  Outcome() = default;
  Outcome(std::unique_ptr<CallOutcome> end) : end_(std::move(end)) {}  // NOLINT
  Outcome(Error error) : end_(std::make_unique<CallOutcome>()) {       // NOLINT
    end_->kind = CallOutcome::Kind::kHostError;
    end_->error = std::move(error);
  }

  bool returned() const { return end_ == nullptr; }
  explicit operator bool() const { return returned(); }
  CallOutcome::Kind kind() const { return returned() ? CallOutcome::Kind::kReturned : end_->kind; }
  const CallOutcome& end() const {
    if (returned()) std::abort();
    return *end_;
  }
  std::string message() const { return returned() ? "returned" : to_string(*end_); }

 private:
  std::unique_ptr<CallOutcome> end_;
};

}  // namespace mayfly
