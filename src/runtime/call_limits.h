// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The Limits of a sandbox: what they may be, and what is said of a call that reached one.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "image/image.h"
#include "mayfly/limits.h"
#include "runtime/call_outcome.h"

namespace mayfly::runtime {

// Errors: kInvalid for what is outside its range or contradicts the image (fuel, without code that
// counts it); kLimit when the program starts with more than it may have.
Result<void> check_limits(const Limits& limits, const image::Image& image);

// The same for what can be set later. nullopt is within every range.
Result<void> check_deadline(std::optional<std::chrono::nanoseconds> deadline);
Result<void> check_fuel(std::optional<uint64_t> fuel, const image::Image& image);

// Of Policy::spin().
Result<void> check_spin_time(std::chrono::nanoseconds time);

// Puts the number of the limit that ended the call into outcome.message, where there is one.
void name_limit(const Limits& limits, CallOutcome& outcome);

// The end of a call at one of the limits that have no kind of their own.
CallOutcome limit_reached(std::string message);

// "5 ms", "1500 us": whole, in the largest unit that can say it.
std::string to_text(std::chrono::nanoseconds time);

}  // namespace mayfly::runtime
