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
    case CallOutcome::Kind::kBroken:
      return "sandbox broken: " + outcome.broken;
  }
  return "";
}

std::string to_string(const std::vector<Frame>& backtrace,
                      const std::vector<std::string>& module_names) {
  std::string text;
  for (const Frame& frame : backtrace) {
    text += "  at " + printable(frame.function);
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
    text += "\n";
  }
  return text;
}

}  // namespace mayfly::runtime
