// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Without streams: they cost a small program's start more than everything else that it does.
#include "cli/output.h"

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>

#include "base/fd.h"
#include "cli/options.h"

namespace mayfly::cli {
namespace {

// A reader that went away (a closed pipe) is no error of ours.
void write_to(int fd, std::string_view text) {
  std::vector<uint8_t> bytes(text.begin(), text.end());
  (void)write_whole(fd, bytes);
}

}  // namespace

void print(std::string_view text) { write_to(STDOUT_FILENO, text); }

void print_error(std::string_view text) { write_to(STDERR_FILENO, text); }

int report(const Error& error) {
  std::string line = "mayfly: " + error.message;
  std::ranges::replace(line, '\n', ' ');
  print_error(line + "\n");
  return kExitBadInput;
}

}  // namespace mayfly::cli
