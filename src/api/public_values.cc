// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Public enums are copies of internal ones, so that those can change; asserts hold them together.
#include "api/public_values.h"

#include <utility>

#include "guest_abi/trap.h"
#include "runtime/linked_program.h"

namespace mayfly::api {
namespace {

TrapCode public_code(guest_abi::TrapCode code) {
  static_assert(static_cast<int>(TrapCode::kUnreachable) ==
                static_cast<int>(guest_abi::TrapCode::kUnreachable));
  static_assert(static_cast<int>(TrapCode::kStackOverflow) ==
                static_cast<int>(guest_abi::TrapCode::kStackOverflow));
  static_assert(static_cast<int>(TrapCode::kProtection) ==
                static_cast<int>(guest_abi::TrapCode::kProtection));
  static_assert(static_cast<int>(TrapCode::kComponent) ==
                static_cast<int>(guest_abi::TrapCode::kComponent));
  return static_cast<TrapCode>(code);
}

std::vector<Frame> public_frames(std::vector<runtime::Frame> frames, const image::Image& image) {
  std::vector<Frame> out;
  out.reserve(frames.size());
  const auto& names = image.module_names();
  for (runtime::Frame& frame : frames) {
    out.push_back({std::move(frame.function),
                   frame.module < names.size() ? names[frame.module] : "", frame.offset});
  }
  return out;
}

// Of the ends that come over a guest.
CallOutcome::Kind kind_of_stop(runtime::CallOutcome::Kind kind) {
  using Kind = runtime::CallOutcome::Kind;
  switch (kind) {
    case Kind::kDeadline:
      return CallOutcome::Kind::kDeadline;
    case Kind::kCancelled:
      return CallOutcome::Kind::kCancelled;
    case Kind::kOutOfFuel:
      return CallOutcome::Kind::kFuel;
    case Kind::kOutOfMemory:
      return CallOutcome::Kind::kOutOfMemory;
    case Kind::kLimit:
      return CallOutcome::Kind::kLimit;
    case Kind::kReturned:
    case Kind::kTrapped:
    case Kind::kExited:
    case Kind::kBroken:
      break;
  }
  return CallOutcome::Kind::kTrapped;
}

}  // namespace

CallOutcome public_outcome(runtime::CallOutcome outcome, const image::Image& image) {
  using Kind = runtime::CallOutcome::Kind;
  CallOutcome out;
  switch (outcome.kind) {
    case Kind::kReturned:
      for (const runtime::Value& value : outcome.values) out.values.push_back(public_value(value));
      return out;
    case Kind::kTrapped:
      out.kind = CallOutcome::Kind::kTrapped;
      out.trap = public_code(outcome.trap.code);
      out.message = std::move(outcome.trap.message);
      out.backtrace = public_frames(std::move(outcome.trap.backtrace), image);
      return out;
    case Kind::kExited:
      out.kind = CallOutcome::Kind::kExited;
      out.exit_code = outcome.exit_code;
      return out;
    case Kind::kBroken:
      out.kind = CallOutcome::Kind::kTrapped;
      out.trap = TrapCode::kProtection;
      out.message = std::move(outcome.broken);
      return out;
    default:
      break;
  }
  out.kind = kind_of_stop(outcome.kind);
  out.message = std::move(outcome.message);
  out.backtrace = public_frames(std::move(outcome.stopped), image);
  return out;
}

CallOutcome host_error_outcome(Error error) {
  CallOutcome out;
  out.kind = CallOutcome::Kind::kHostError;
  out.error = std::move(error);
  return out;
}

Value public_value(const runtime::Value& value) {
  return Value::of_slot(runtime::value_kind_of(value.type), {value.bits.low, value.bits.high});
}

Result<guest_abi::Slot> slot_of(const Value& value, wasm::ValType wanted) {
  const ValueKind kind = runtime::value_kind_of(wanted);
  if (wanted.is_ref() && value.kind() >= ValueKind::kFuncref && value.is_null() &&
      wanted.ref.nullable) {
    return guest_abi::Slot{};
  }
  if (value.kind() != kind) {
    return invalid("a value of type " + std::string(to_string(value.kind())) + ", but " +
                   wasm::to_string(wanted) + " is wanted");
  }
  if (kind == ValueKind::kFuncref || kind == ValueKind::kOtherRef) {
    return unsupported("a reference of type " + wasm::to_string(wanted) +
                       " that is not null cannot be passed into the guest");
  }
  return guest_abi::Slot{value.slot().low, value.slot().high};
}

}  // namespace mayfly::api
