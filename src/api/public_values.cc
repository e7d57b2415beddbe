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
    case Kind::kDeadline:
    case Kind::kCancelled:
      out.kind = outcome.kind == Kind::kDeadline ? CallOutcome::Kind::kDeadline
                                                 : CallOutcome::Kind::kCancelled;
      out.backtrace = public_frames(std::move(outcome.stopped), image);
      return out;
    case Kind::kOutOfFuel:
      out.kind = CallOutcome::Kind::kFuel;
      out.backtrace = public_frames(std::move(outcome.stopped), image);
      return out;
    case Kind::kBroken:
      break;
  }
  out.kind = CallOutcome::Kind::kTrapped;
  out.trap = TrapCode::kProtection;
  out.message = std::move(outcome.broken);
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
