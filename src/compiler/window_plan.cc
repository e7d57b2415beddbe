// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The low window goes to the memory whose instances have the most code; all others are given
// high windows one after the other.
#include "compiler/window_plan.h"

#include <algorithm>
#include <optional>

#include "base/check.h"
#include "guest_abi/layout.h"

namespace mayfly::compiler {
namespace {

using guest_abi::kHighWindowsEnd;
using guest_abi::kLargePageBytes;
using guest_abi::kLowMemory;
using guest_abi::kWindowBytes;
using image::Definition;

// What a table that declares no maximum may grow to, as in browsers.
constexpr uint64_t kTableEntriesMax = 10'000'000;
constexpr uint64_t kEntryBytes = 8;

uint64_t round_up(uint64_t value, uint64_t unit) { return (value + unit - 1) / unit * unit; }

// Precondition: the memory's minimum fits the address space (checked by memory_region).
uint64_t memory_bytes_max(const wasm::MemoryType& type, uint64_t reserve_bytes_max) {
  const uint64_t page_bytes = uint64_t{1} << type.page_size_log2;
  const uint64_t address_pages = type.address == wasm::AddressType::kI32
                                     ? (uint64_t{1} << 32) >> type.page_size_log2
                                     : (kHighWindowsEnd - guest_abi::kHighWindows) / 2 / page_bytes;
  const uint64_t declared = std::min(type.limits.max.value_or(address_pages), address_pages);
  const uint64_t reserved = std::min(declared, reserve_bytes_max / page_bytes);
  return std::max(reserved, type.limits.min) * page_bytes;
}

Result<image::Region> memory_region(const wasm::MemoryType& type, uint64_t reserve_bytes_max) {
  constexpr uint64_t kBytesMax = (kHighWindowsEnd - guest_abi::kHighWindows) / 2;
  if (type.limits.min > kBytesMax >> type.page_size_log2) {
    return limit("a memory of " + std::to_string(type.limits.min) + " pages has no place: " +
                 std::to_string(kBytesMax >> type.page_size_log2) + " fit");
  }
  if (type.shared) return unsupported("shared memories are not compiled yet");
  image::Region region;
  region.kind = image::RegionKind::kMemory;
  region.bytes = type.limits.min << type.page_size_log2;
  region.bytes_reserved = memory_bytes_max(type, reserve_bytes_max);
  return region;
}

uint64_t code_bytes(const wasm::Module& module) {
  uint64_t bytes = 0;
  for (const wasm::Function& function : module.functions) bytes += function.body.size;
  return bytes;
}

// The memory that most code works on: a module's code counts for its first memory, and a little
// for each other one. nullopt where no memory can be low.
std::optional<Definition> find_low_memory(const PlanView& plan) {
  std::map<std::pair<uint32_t, uint32_t>, uint64_t> weights;
  for (uint32_t step = 0; step < plan.step_count(); ++step) {
    const wasm::Module& module = plan.module_of(step);
    const uint64_t code = code_bytes(module);
    for (uint32_t i = 0; i < module.memories.size(); ++i) {
      if (module.memories[i].address != wasm::AddressType::kI32) continue;
      const Definition memory = plan.resolve(step, wasm::ExternKind::kMemory, i).definition;
      weights[{memory.instance, memory.index}] += 1 + (i == 0 ? code : code / 16);
    }
  }
  if (weights.empty()) return std::nullopt;
  const auto heaviest = std::ranges::max_element(
      weights, [](const auto& a, const auto& b) { return a.second < b.second; });
  return Definition{heaviest->first.first, heaviest->first.second};
}

}  // namespace

Result<Window> WindowPlan::take(image::Region region, uint64_t stride) {
  Window window;
  if (stride > kHighWindowsEnd - next_high_) {
    return limit("memories and tables need more address space than a guest has: " +
                 std::to_string(stride) + " bytes for number " + std::to_string(regions_.size()) +
                 ", " + std::to_string(kHighWindowsEnd - next_high_) + " are left");
  }
  region.address = next_high_;
  next_high_ += stride;
  window.region = region;
  window.number = static_cast<uint32_t>(regions_.size());
  regions_.push_back(region);
  return window;
}

Result<WindowPlan> WindowPlan::place_memories(const PlanView& plan,
                                              const image::BuildOptions& options) {
  WindowPlan windows;
  std::optional<Definition> low;
  if (options.memory_class == image::MemoryClass::kAuto) low = find_low_memory(plan);
  if (low.has_value()) {
    const wasm::MemoryType& type = plan.module_of(low->instance).memories[low->index];
    Window window;
    window.region = MAYFLY_TRY(memory_region(type, options.memory_bytes_max));
    window.region.address = kLowMemory;
    window.size_max = window.region.bytes_reserved;
    windows.regions_.push_back(window.region);
    windows.memories_[{low->instance, low->index}] = window;
  }
  for (uint32_t step = 0; step < plan.step_count(); ++step) {
    const wasm::Module& module = plan.module_of(step);
    std::vector<Placement>& placements = windows.placements_.emplace_back();
    for (uint32_t i = 0; i < module.memories.size(); ++i) {
      const Definition memory = plan.resolve(step, wasm::ExternKind::kMemory, i).definition;
      placements.push_back(low == memory ? Placement::kLow : Placement::kHigh);
      const Key key{memory.instance, memory.index};
      if (windows.memories_.contains(key)) continue;
      CHECK(memory.instance == step, memory.instance, step);
      const image::Region region =
          MAYFLY_TRY(memory_region(module.memories[i], options.memory_bytes_max));
      const uint64_t room = round_up(region.bytes_reserved, kLargePageBytes) + kLargePageBytes;
      Window window = MAYFLY_TRY(windows.take(region, std::max(kWindowBytes, room)));
      window.size_max = region.bytes_reserved;
      windows.memories_[key] = window;
    }
  }
  return windows;
}

Result<void> WindowPlan::place_table(const Definition& table, const wasm::TableType& type) {
  image::Region region;
  region.kind = image::RegionKind::kTable;
  const uint64_t size_max = std::max(
      type.limits.min, std::min(type.limits.max.value_or(kTableEntriesMax), kTableEntriesMax));
  region.bytes = type.limits.min * kEntryBytes;
  region.bytes_reserved = round_up(std::max<uint64_t>(size_max, 1) * kEntryBytes, kLargePageBytes);
  Window window = MAYFLY_TRY(take(region, region.bytes_reserved));
  window.size_max = size_max;
  const bool placed = tables_.emplace(Key{table.instance, table.index}, window).second;
  CHECK(placed, table.instance, table.index);
  return {};
}

const Window& WindowPlan::memory(const Definition& definition) const {
  const auto found = memories_.find({definition.instance, definition.index});
  CHECK(found != memories_.end(), definition.instance, definition.index);
  return found->second;
}

const Window* WindowPlan::find_table(const Definition& definition) const {
  const auto found = tables_.find({definition.instance, definition.index});
  return found == tables_.end() ? nullptr : &found->second;
}

}  // namespace mayfly::compiler
