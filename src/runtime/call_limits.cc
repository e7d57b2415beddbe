// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ranges are those that mayfly/limits.h promises.
#include "runtime/call_limits.h"

#include <array>
#include <string_view>
#include <utility>

#include "guest_abi/layout.h"

namespace mayfly::runtime {
namespace {

constexpr uint64_t kTableEntryBytes = 8;  // guest_abi/instance.h

Result<void> check_range(std::string_view what, uint64_t value, uint64_t min, uint64_t max) {
  if (value >= min && value <= max) return {};
  return invalid("Limits::" + std::string(what) + " is " + std::to_string(value) +
                 ", but has to be from " + std::to_string(min) + " to " + std::to_string(max));
}

Result<void> check_time(std::string_view what, std::optional<std::chrono::nanoseconds> time) {
  if (!time || time->count() > 0) return {};
  return invalid("Limits::" + std::string(what) + " is " + std::to_string(time->count()) +
                 " ns, but has to be over 0");
}

Result<void> check_program(const Limits& limits, const image::Image& image) {
  const size_t instances = image.instances().size();
  if (instances > limits.instances_max) {
    return limit("the program has " + std::to_string(instances) + " instances, past the limit of " +
                 std::to_string(limits.instances_max));
  }
  uint64_t entries = 0;
  for (const image::Region& region : image.regions()) {
    if (region.kind == image::RegionKind::kTable) entries += region.bytes / kTableEntryBytes;
  }
  if (entries > limits.table_entries_max) {
    return limit("the program starts with " + std::to_string(entries) +
                 " table entries, past the limit of " + std::to_string(limits.table_entries_max));
  }
  return {};
}

}  // namespace

Result<void> check_limits(const Limits& limits, const image::Image& image) {
  constexpr uint64_t kMemoryBytesMax = uint64_t{1} << 46;
  constexpr uint64_t kStackBytesMin = 65536;
  constexpr uint32_t kCallDepthMax = 1000;
  constexpr uint32_t kHandlesMin = 3;
  MAYFLY_TRY(check_range("memory_bytes_max", limits.memory_bytes_max, guest_abi::kWasmPageBytes,
                         kMemoryBytesMax));
  MAYFLY_TRY(
      check_range("stack_bytes", limits.stack_bytes, kStackBytesMin, guest_abi::kStackBytesMax));
  MAYFLY_TRY(check_range("call_depth_max", limits.call_depth_max, 1, kCallDepthMax));
  MAYFLY_TRY(check_range("instances_max", limits.instances_max, 1, UINT32_MAX));
  MAYFLY_TRY(check_range("open_handles_max", limits.open_handles_max, kHandlesMin, UINT32_MAX));
  MAYFLY_TRY(check_deadline(limits.deadline));
  MAYFLY_TRY(check_time("cpu_time_max", limits.cpu_time_max));
  MAYFLY_TRY(check_fuel(limits.fuel, image));
  return check_program(limits, image);
}

Result<void> check_deadline(std::optional<std::chrono::nanoseconds> deadline) {
  return check_time("deadline", deadline);
}

Result<void> check_fuel(std::optional<uint64_t> fuel, const image::Image& image) {
  if (!fuel) return {};
  MAYFLY_TRY(check_range("fuel", *fuel, 1, INT64_MAX));
  if (image.counts_fuel()) return {};
  return invalid("Limits::fuel is " + std::to_string(*fuel) +
                 ", but the program was compiled to count none: set EngineOptions::count_fuel");
}

Result<void> check_spin_time(std::chrono::nanoseconds time) {
  constexpr std::chrono::nanoseconds kMax = std::chrono::milliseconds(10);
  if (time.count() >= 0 && time <= kMax) return {};
  return invalid("Policy::spin() is told " + std::to_string(time.count()) +
                 " ns, but takes from 0 to " + std::to_string(kMax.count()));
}

void name_limit(const Limits& limits, CallOutcome& outcome) {
  if (!outcome.message.empty()) return;
  if (outcome.kind == CallOutcome::Kind::kDeadline && limits.deadline) {
    outcome.message = "the call was not over after " + to_text(*limits.deadline);
  }
  if (outcome.kind == CallOutcome::Kind::kOutOfFuel && limits.fuel) {
    outcome.message = "the call used more than " + std::to_string(*limits.fuel) + " units";
  }
}

CallOutcome limit_reached(std::string message) {
  CallOutcome outcome;
  outcome.kind = CallOutcome::Kind::kLimit;
  outcome.message = std::move(message);
  return outcome;
}

std::string to_text(std::chrono::nanoseconds time) {
  struct Unit {
    int64_t nanoseconds;
    const char* name;
  };
  static constexpr std::array<Unit, 3> kUnits = {
      {{1'000'000'000, " s"}, {1'000'000, " ms"}, {1'000, " us"}}};
  for (const Unit& unit : kUnits) {
    if (time.count() % unit.nanoseconds == 0) {
      return std::to_string(time.count() / unit.nanoseconds) + unit.name;
    }
  }
  return std::to_string(time.count()) + " ns";
}

}  // namespace mayfly::runtime
