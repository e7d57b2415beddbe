// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The command line: which subcommands and flags there are, what --help says, and what is run.
#pragma once

namespace mayfly::cli {

// Parses, runs the subcommand, answers the exit code.
int run_command_line(int argc, const char* const* argv);

}  // namespace mayfly::cli
