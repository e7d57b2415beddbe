// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From the runtime's values, types and outcomes to the public ones and back.
#pragma once

#include <memory>

#include "base/result.h"
#include "image/image.h"
#include "mayfly/outcome.h"
#include "mayfly/value.h"
#include "runtime/call_outcome.h"
#include "runtime/value.h"
#include "wasm/types.h"

namespace mayfly::api {

CallOutcome public_outcome(runtime::CallOutcome outcome, const image::Image& image);
CallOutcome host_error_outcome(Error error);

Value public_value(const runtime::Value& value);
// Errors: kInvalid when the value's type is another than wanted (a null reference fits any type
// that has null), or when it is a reference to a function: the guest would jump where it points.
Result<guest_abi::Slot> slot_of(const Value& value, wasm::ValType wanted);

}  // namespace mayfly::api
