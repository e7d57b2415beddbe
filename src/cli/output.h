// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The only way in which the command line prints: whole texts to a descriptor, errors as one line.
#pragma once

#include <string_view>

#include "base/result.h"

namespace mayfly::cli {

void print(std::string_view text);        // standard output
void print_error(std::string_view text);  // standard error
// "mayfly: MESSAGE" on one line of standard error; the answer is the exit code.
int report(const Error& error);

}  // namespace mayfly::cli
