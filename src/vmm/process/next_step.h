// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the host does after one look at a call that runs in a child. The child's report is a
// claim: no report, however often it comes, may keep a call from its deadline.
#pragma once

#include <cstdint>
#include <optional>

#include "vmm/vm.h"

namespace mayfly::vmm::process {

struct Look {
  std::optional<Exit::Kind> report = {};  // the child gave the turn back and says this
  bool is_cancelled = false;              // by the host
  bool is_late = false;                   // the deadline has passed
  bool is_dead = false;                   // the child, and it left no report
};

enum class NextStep : uint8_t {
  kWait,
  kReturn,    // the report is the call's end, or a port
  kGiveBack,  // it means nothing: the guest goes on
  kCancel,
  kDeadline,
  kDied,
};

// kCancelled is the child's word for an interrupt. Without a cancel or a deadline behind it, it
// was meant for a call before this one, or the guest made it up.
constexpr NextStep next_step(const Look& look) {
  const bool means_nothing = look.report == Exit::Kind::kCancelled && !look.is_cancelled;
  if (look.report && !means_nothing) return NextStep::kReturn;
  if (look.is_cancelled) return NextStep::kCancel;
  if (look.is_late) return NextStep::kDeadline;
  if (look.report) return NextStep::kGiveBack;
  return look.is_dead ? NextStep::kDied : NextStep::kWait;
}

}  // namespace mayfly::vmm::process
