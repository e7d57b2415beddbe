// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The only way in which the command line prints: whole texts to a descriptor, errors as one line.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace mayfly::cli {

// To standard output. The answer is the exit code: a full disk is an error, reported here; a reader
// that went away (a closed pipe) is none of ours.
[[nodiscard]] int print(std::string_view text);
void print_error(std::string_view text);  // standard error
// "mayfly: MESSAGE" on one line of standard error, without control characters, which a file's name
// may have; the answer is the exit code.
int report(const Error& error);

// JSON in lines, or in one with kCompact. Bytes that are no UTF-8, of a hostile image, become
// replacement characters.
enum class JsonLines : uint8_t { kIndented, kCompact };
std::string json_text(const nlohmann::json& value, JsonLines lines);

}  // namespace mayfly::cli
