// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The text of outcomes.
#include "mayfly/outcome.h"

#include <array>
#include <cstdio>

namespace mayfly {

std::string_view to_string(CallOutcome::Kind kind) {
  switch (kind) {
    case CallOutcome::Kind::kReturned:
      return "returned";
    case CallOutcome::Kind::kTrapped:
      return "trap";
    case CallOutcome::Kind::kExited:
      return "exit";
    case CallOutcome::Kind::kDeadline:
      return "deadline";
    case CallOutcome::Kind::kFuel:
      return "out of fuel";
    case CallOutcome::Kind::kOutOfMemory:
      return "out of memory";
    case CallOutcome::Kind::kHostError:
      return "host error";
    case CallOutcome::Kind::kCancelled:
      return "cancelled";
    case CallOutcome::Kind::kLimit:
      return "limit";
  }
  return "?";
}

std::string to_string(const CallOutcome& outcome) {
  std::string kind(to_string(outcome.kind));
  switch (outcome.kind) {
    case CallOutcome::Kind::kExited:
      return kind + " code " + std::to_string(outcome.exit_code);
    case CallOutcome::Kind::kHostError:
      return outcome.error.message;
    default:
      return outcome.message.empty() ? kind : kind + ": " + outcome.message;
  }
}

std::string to_string(const std::vector<Frame>& backtrace) {
  std::string text;
  for (const Frame& frame : backtrace) {
    text += "  at " + frame.function + " (" + frame.module;
    if (frame.offset) {
      std::array<char, 24> offset{};
      std::snprintf(offset.data(), offset.size(), "+0x%llx",
                    static_cast<unsigned long long>(*frame.offset));
      text += offset.data();
    }
    text += ")\n";
  }
  return text;
}

}  // namespace mayfly
