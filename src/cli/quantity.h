// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sizes and durations as people write them: "64MiB", "1.5s".
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace mayfly::cli {

// A number with KiB, MiB, GiB, or nothing for bytes. Errors: kInvalid.
Result<uint64_t> parse_bytes(std::string_view text);

// A number with ms, s, m, or nothing for seconds. Errors: kInvalid.
Result<std::chrono::nanoseconds> parse_duration(std::string_view text);

// "12.3 ms".
std::string format_milliseconds(std::chrono::nanoseconds time);

}  // namespace mayfly::cli
