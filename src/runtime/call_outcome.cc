// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Outcomes and backtraces as text. Names come from the module, so they are printed as printable
// characters only: a module must not be able to steer somebody's terminal.
#include "runtime/call_outcome.h"

#include <cstdio>

#include "runtime/printable.h"

namespace mayfly::runtime {

std::string to_string(const CallOutcome& outcome) {
  switch (outcome.kind) {
    case CallOutcome::Kind::kReturned: {
      std::string text = "returned";
      for (const Value& value : outcome.values) text += " " + to_string(value);
      return text;
    }
    case CallOutcome::Kind::kTrapped:
      return "trap: " + outcome.trap.message;
    case CallOutcome::Kind::kExited:
      return "exit code " + std::to_string(outcome.exit_code);
    case CallOutcome::Kind::kDeadline:
      return "deadline reached";
    case CallOutcome::Kind::kCancelled:
      return "cancelled";
    case CallOutcome::Kind::kOutOfFuel:
      return "out of fuel";
    case CallOutcome::Kind::kOutOfMemory:
      return "out of memory: " + outcome.message;
    case CallOutcome::Kind::kLimit:
      return "limit: " + outcome.message;
    case CallOutcome::Kind::kBroken:
      return "sandbox broken: " + outcome.broken;
  }
  return "";
}

namespace {

std::string to_string(const Frame& frame, const std::vector<std::string>& module_names) {
  std::string text = "  at " + printable(frame.function);
  if (frame.module < module_names.size()) {
    text += " (" + printable(module_names[frame.module]);
    if (frame.offset) {
      char offset[24];
      std::snprintf(offset, sizeof offset, "+0x%llx",
                    static_cast<unsigned long long>(*frame.offset));
      text += offset;
    }
    text += ")";
  }
  return text + "\n";
}

}  // namespace

std::string to_string(const std::vector<Frame>& backtrace,
                      const std::vector<std::string>& module_names) {
  size_t count = backtrace.size();
  // The outermost frame of no module is the thunk that the host entered through.
  if (count > 1 && backtrace[count - 1].module >= module_names.size()) --count;
  std::string text;
  std::string last;
  size_t repeated = 0;
  const auto finish_run = [&] {
    if (repeated != 0) text += "  ... the same " + std::to_string(repeated) + " times more\n";
    repeated = 0;
  };
  for (size_t i = 0; i < count; ++i) {
    std::string line = to_string(backtrace[i], module_names);
    if (line == last) {
      ++repeated;
      continue;
    }
    finish_run();
    text += line;
    last = std::move(line);
  }
  finish_run();
  return text;
}

}  // namespace mayfly::runtime
