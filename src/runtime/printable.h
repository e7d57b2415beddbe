// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Names and messages that come from a module or a guest, made fit for one line of a terminal:
// control characters and DEL become \xNN, and what is longer than 200 bytes is cut.
#pragma once

#include <string>
#include <string_view>

namespace mayfly::runtime {

std::string printable(std::string_view text);

// Likewise, but of any length.
std::string without_controls(std::string_view text);

}  // namespace mayfly::runtime
