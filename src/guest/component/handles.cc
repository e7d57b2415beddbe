// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// definitions.py's Table, ResourceHandle, and what Task and Subtask know of borrows.
#include "guest/component/functions.h"
#include "guest/component/state_memory.h"

using mayfly::guest::component_trap;
using mayfly::guest::StateMemory;
using mayfly::guest_abi::ComponentState;
using mayfly::guest_abi::ComponentTrap;
using mayfly::guest_abi::HandleEntry;
using mayfly::guest_abi::HandleLend;
using mayfly::guest_abi::HandleScope;
using mayfly::guest_abi::HandleTable;
using mayfly::guest_abi::kOwnHandle;

namespace {

uint32_t add(const StateMemory& memory, uint32_t number, const HandleEntry& entry) {
  HandleTable& table = memory.table(number);
  if (table.free != 0) {
    const uint32_t index = table.free;
    if (index >= table.entries.count) component_trap(ComponentTrap::kDamagedState);
    auto& place = memory.item<HandleEntry>(table.entries, index);
    table.free = place.rep;
    place = entry;
    return index;
  }
  // The first entry is nobody's, and stays zeros.
  if (table.entries.count == 0) memory.push<HandleEntry>(table.entries);
  const uint32_t index = table.entries.count;
  memory.push<HandleEntry>(table.entries) = entry;
  return index;
}

// Of a handle that exists and is of the type.
HandleEntry& get(const StateMemory& memory, const HandleTable& table, uint32_t type,
                 uint32_t index) {
  if (index >= table.entries.count) component_trap(ComponentTrap::kUnknownHandle, index);
  auto& entry = memory.item<HandleEntry>(table.entries, index);
  if (entry.type == 0) component_trap(ComponentTrap::kUnknownHandle, index);
  if (entry.type != type) component_trap(ComponentTrap::kWrongResource, index);
  return entry;
}

void remove(HandleTable& table, uint32_t index, HandleEntry& entry) {
  entry = {.rep = table.free, .type = 0, .lends = 0, .holder = 0};
  table.free = index;
}

HandleScope& scope_of(const StateMemory& memory, uint32_t scope) {
  const auto& scopes = memory.state().scopes;
  if (scope == 0 || scope > scopes.count) component_trap(ComponentTrap::kDamagedState);
  return memory.item<HandleScope>(scopes, scope - 1);
}

void give_back(const StateMemory& memory, const HandleLend& lend) {
  const HandleTable& table = memory.table(lend.table);
  if (lend.index >= table.entries.count) component_trap(ComponentTrap::kDamagedState);
  auto& entry = memory.item<HandleEntry>(table.entries, lend.index);
  if (entry.lends == 0) component_trap(ComponentTrap::kDamagedState);
  --entry.lends;
}

}  // namespace

extern "C" {

uint32_t mayfly_component_handle_new(MemoryInfo* memory, uint32_t table, uint32_t type,
                                     uint32_t rep) {
  return add(StateMemory(memory), table,
             {.rep = rep, .type = type, .lends = 0, .holder = kOwnHandle});
}

uint32_t mayfly_component_handle_rep(MemoryInfo* memory, uint32_t table, uint32_t type,
                                     uint32_t index) {
  const StateMemory state(memory);
  return get(state, state.table(table), type, index).rep;
}

uint32_t mayfly_component_handle_take(MemoryInfo* memory, uint32_t table, uint32_t type,
                                      uint32_t index) {
  const StateMemory state(memory);
  HandleTable& from = state.table(table);
  HandleEntry& entry = get(state, from, type, index);
  if (entry.lends != 0) component_trap(ComponentTrap::kHandleLent, index);
  if (entry.holder != kOwnHandle) component_trap(ComponentTrap::kNotOwned, index);
  const uint32_t rep = entry.rep;
  remove(from, index, entry);
  return rep;
}

uint64_t mayfly_component_handle_drop(MemoryInfo* memory, uint32_t table, uint32_t type,
                                      uint32_t index) {
  const StateMemory state(memory);
  HandleTable& from = state.table(table);
  HandleEntry& entry = get(state, from, type, index);
  if (entry.lends != 0) component_trap(ComponentTrap::kHandleLent, index);
  const uint32_t rep = entry.rep;
  const uint32_t holder = entry.holder;
  if (holder != kOwnHandle) {
    HandleScope& scope = scope_of(state, holder);
    if (scope.borrows == 0) component_trap(ComponentTrap::kDamagedState);
    --scope.borrows;
  }
  remove(from, index, entry);
  return rep | (uint64_t{holder == kOwnHandle ? 1U : 0U} << 32);
}

uint32_t mayfly_component_handle_lend(MemoryInfo* memory, uint32_t table, uint32_t type,
                                      uint32_t index) {
  const StateMemory state(memory);
  HandleEntry& entry = get(state, state.table(table), type, index);
  ComponentState& words = state.state();
  // No scope would give it back.
  if (words.scopes.count == 0) component_trap(ComponentTrap::kDamagedState);
  ++entry.lends;
  state.push<HandleLend>(words.lends) = {table, index};
  return entry.rep;
}

uint32_t mayfly_component_handle_borrow(MemoryInfo* memory, uint32_t table, uint32_t type,
                                        uint32_t rep, uint32_t scope) {
  const StateMemory state(memory);
  ++scope_of(state, scope).borrows;
  return add(state, table, {.rep = rep, .type = type, .lends = 0, .holder = scope});
}

uint32_t mayfly_component_scope_enter(MemoryInfo* memory) {
  const StateMemory state(memory);
  ComponentState& words = state.state();
  state.push<HandleScope>(words.scopes) = {.borrows = 0, .lends = words.lends.count};
  return words.scopes.count;
}

void mayfly_component_scope_forget(MemoryInfo* memory, uint32_t table, uint32_t scope) {
  const StateMemory state(memory);
  HandleTable& from = state.table(table);
  // From the newest on: that is where they are, unless freed entries were taken again.
  for (uint32_t index = from.entries.count; index > 1 && scope_of(state, scope).borrows != 0;) {
    auto& entry = state.item<HandleEntry>(from.entries, --index);
    if (entry.type == 0 || entry.holder != scope) continue;
    if (entry.lends != 0) component_trap(ComponentTrap::kHandleLent, index);
    --scope_of(state, scope).borrows;
    remove(from, index, entry);
  }
}

void mayfly_component_scope_leave(MemoryInfo* memory, uint32_t scope) {
  const StateMemory state(memory);
  ComponentState& words = state.state();
  const HandleScope ended = scope_of(state, scope);
  if (ended.borrows != 0) component_trap(ComponentTrap::kBorrowsRemain);
  if (scope != words.scopes.count) component_trap(ComponentTrap::kDamagedState);
  words.scopes.count = scope - 1;
  while (words.lends.count > ended.lends) {
    --words.lends.count;
    give_back(state, state.item<HandleLend>(words.lends, words.lends.count));
  }
}

}  // extern "C"
