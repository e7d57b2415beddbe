// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The order of read() is the order in which an exporter shows them.
#include "runtime/engine_counters.h"

#include <string_view>

namespace mayfly::runtime {
namespace {

constexpr std::array<std::string_view, EngineCounters::kTrapCodes> kTrapNames = {
    "traps.other",
    "traps.unreachable",
    "traps.memory_out_of_bounds",
    "traps.table_out_of_bounds",
    "traps.undefined_element",
    "traps.uninitialized_element",
    "traps.indirect_call_type_mismatch",
    "traps.integer_overflow",
    "traps.integer_divide_by_zero",
    "traps.invalid_conversion_to_integer",
    "traps.stack_overflow",
    "traps.null_reference",
    "traps.host_error",
    "traps.guest_abort",
    "traps.invalid_instruction",
    "traps.protection",
    "traps.component",
};
static_assert(static_cast<size_t>(guest_abi::TrapCode::kComponent) + 1 == kTrapNames.size());

// In the order of EngineCounters::add().
constexpr std::array<std::string_view, 10 + kExitReasons> kRunNames = {
    "calls",      "host_calls",       "bytes_in",    "bytes_out",
    "guest_ns",   "host_ns",          "restores",    "restores.pages_copied",
    "exits",      "exits.return",     "exits.grow",  "exits.host_call",
    "exits.wasi", "exits.other_port", "exits.fault", "exits.stopped",
    "exits.lost", "exitless",
};

std::string_view unit_of(std::string_view name) {
  if (name.ends_with("_ns")) return "ns";
  return name.starts_with("bytes") ? "bytes" : "";
}

}  // namespace

void EngineCounters::add(const RunCounts& counts, RunTotals& totals) {
  size_t at = 0;
  for (const OwnCount* count :
       {&counts.calls, &counts.host_calls, &counts.bytes_in, &counts.bytes_out, &counts.guest_ns,
        &counts.host_ns, &counts.restores, &counts.pages_copied}) {
    totals[at++] += count->get();
  }
  totals[at++] += counts.exits_total();
  for (const OwnCount& count : counts.exits) totals[at++] += count.get();
  totals[at++] += counts.exitless.get();
}

void EngineCounters::attach(const RunCounts& counts) {
  const std::lock_guard lock(mutex_);
  live_.insert(&counts);
}

void EngineCounters::detach(const RunCounts& counts) {
  const std::lock_guard lock(mutex_);
  live_.erase(&counts);
  add(counts, ended_);
}

EngineCounters::RunTotals EngineCounters::run_totals() const {
  const std::lock_guard lock(mutex_);
  RunTotals totals = ended_;
  for (const RunCounts* counts : live_) add(*counts, totals);
  return totals;
}

void EngineCounters::add_end(const CallOutcome& outcome) {
  switch (outcome.kind) {
    case CallOutcome::Kind::kReturned:
      break;
    case CallOutcome::Kind::kTrapped: {
      const auto code = static_cast<size_t>(outcome.trap.code);
      ++traps[code < kTrapCodes ? code : 0];
      break;
    }
    case CallOutcome::Kind::kExited:
      ++exited;
      break;
    case CallOutcome::Kind::kDeadline:
      ++deadlines;
      break;
    case CallOutcome::Kind::kCancelled:
      ++cancelled;
      break;
    case CallOutcome::Kind::kOutOfFuel:
      ++out_of_fuel;
      break;
    case CallOutcome::Kind::kOutOfMemory:
      ++out_of_memory;
      break;
    case CallOutcome::Kind::kLimit:
      ++limits;
      break;
    case CallOutcome::Kind::kBroken:
      ++traps[static_cast<size_t>(guest_abi::TrapCode::kProtection)];
      break;
  }
}

std::vector<Counter> EngineCounters::read() const {
  const auto value = [](const Count& count) { return count.load(std::memory_order_relaxed); };
  std::vector<Counter> all = {
      {"programs", value(programs), ""},
      {"compilations", value(compilations), ""},
      {"compile_ns", value(compile_ns), "ns"},
      {"image_hits", value(image_hits), ""},
      {"cache_hits", value(cache_hits), ""},
      {"sandboxes", value(sandboxes), ""},
      {"sandboxes_live", value(sandboxes_live), "", CounterKind::kNow},
      {"sandboxes_frozen", value(sandboxes_frozen), "", CounterKind::kNow},
      {"ends.exited", value(exited), ""},
      {"ends.deadline", value(deadlines), ""},
      {"ends.cancelled", value(cancelled), ""},
      {"ends.out_of_fuel", value(out_of_fuel), ""},
      {"ends.out_of_memory", value(out_of_memory), ""},
      {"ends.limit", value(limits), ""},
      {"ends.host_error", value(host_errors), ""},
      {"snapshots", value(snapshots), ""},
      {"freezes", value(freezes), ""},
      {"thaws", value(thaws), ""},
      {"queue_ns", value(queue_ns), "ns"},
  };
  const RunTotals totals = run_totals();
  for (size_t i = 0; i < totals.size(); ++i) {
    all.push_back({kRunNames[i], totals[i], unit_of(kRunNames[i])});
  }
  for (size_t i = 0; i < traps.size(); ++i) all.push_back({kTrapNames[i], value(traps[i]), ""});
  return all;
}

}  // namespace mayfly::runtime
