// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The program `mayfly`.
#include "cli/command_line.h"

int main(int argc, char** argv) { return mayfly::cli::run_command_line(argc, argv); }
