// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Without streams: they cost a small program's start more than everything else that it does.
#include "cli/output.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/fd.h"
#include "cli/options.h"
#include "runtime/printable.h"

namespace mayfly::cli {
namespace {

Result<void> write_to(int fd, std::string_view text) {
  return write_whole(fd, std::vector<uint8_t>(text.begin(), text.end()));
}

}  // namespace

int print(std::string_view text) {
  const auto written = write_to(STDOUT_FILENO, text);
  if (written || written.error().errno_value == EPIPE) return kExitOk;
  return report(with_context("standard output", written.error()));
}

void print_error(std::string_view text) { (void)write_to(STDERR_FILENO, text); }

int report(const Error& error) {
  std::string line = error.message;
  std::ranges::replace(line, '\n', ' ');
  print_error("mayfly: " + runtime::without_controls(line) + "\n");
  return kExitBadInput;
}

std::string json_text(const nlohmann::json& value, JsonLines lines) {
  return value.dump(lines == JsonLines::kIndented ? 2 : -1, ' ', false,
                    nlohmann::json::error_handler_t::replace);
}

}  // namespace mayfly::cli
