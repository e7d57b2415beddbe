// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The functions that the generated modules of components import
// (guest_abi/component_functions.inc), in the C ABI: the memories of the binding, then the Wasm
// arguments.
#pragma once

#include <cstdint>

#include "guest_abi/instance.h"

using mayfly::guest_abi::MemoryInfo;

extern "C" {
// Handle tables. `memory` is the state memory (guest_abi/component.h). definitions.py has what each
// one does; a rule of it that does not hold ends the call (ComponentTrap).

// lower_own, resource.new: the index of a new own handle.
uint32_t mayfly_component_handle_new(MemoryInfo* memory, uint32_t table, uint32_t type,
                                     uint32_t rep);
// resource.rep.
uint32_t mayfly_component_handle_rep(MemoryInfo* memory, uint32_t table, uint32_t type,
                                     uint32_t index);
// lift_own: the rep of a handle that is gone then.
uint32_t mayfly_component_handle_take(MemoryInfo* memory, uint32_t table, uint32_t type,
                                      uint32_t index);
// resource.drop: the rep of a handle that is gone then | 1 << 32 where it owned it, so that the
// destructor has to run.
uint64_t mayfly_component_handle_drop(MemoryInfo* memory, uint32_t table, uint32_t type,
                                      uint32_t index);
// lift_borrow: the rep of a handle that is lent until the current scope ends.
uint32_t mayfly_component_handle_lend(MemoryInfo* memory, uint32_t table, uint32_t type,
                                      uint32_t index);
// lower_borrow: the index of a new borrow handle, which has to be dropped before `scope` ends.
uint32_t mayfly_component_handle_borrow(MemoryInfo* memory, uint32_t table, uint32_t type,
                                        uint32_t rep, uint32_t scope);
// A scope is one call. They end in the opposite order of their beginnings.
uint32_t mayfly_component_scope_enter(MemoryInfo* memory);
// Drops the borrow handles of the scope in one table: the host's, which keeps none past its call.
void mayfly_component_scope_forget(MemoryInfo* memory, uint32_t table, uint32_t scope);
// Traps when borrow handles of the scope remain; else gives back what was lent in it.
void mayfly_component_scope_leave(MemoryInfo* memory, uint32_t scope);

// Strings, from one memory to another. Both ranges are inside and aligned: the source's, and the
// destination's for as much as `units` of the source can become. Invalid text ends the call. Sizes
// and results are bytes of Latin-1 and UTF-8, units of UTF-16.

void mayfly_component_copy_utf8(MemoryInfo* from, MemoryInfo* to, uint32_t src, uint32_t units,
                                uint32_t dst);
// 1: some unit is 0x100 or more.
uint32_t mayfly_component_copy_utf16(MemoryInfo* from, MemoryInfo* to, uint32_t src, uint32_t units,
                                     uint32_t dst);
// What is copied before the first unit that is not ASCII.
uint32_t mayfly_component_ascii_from_latin1(MemoryInfo* from, MemoryInfo* to, uint32_t src,
                                            uint32_t units, uint32_t dst);
uint32_t mayfly_component_ascii_from_utf16(MemoryInfo* from, MemoryInfo* to, uint32_t src,
                                           uint32_t units, uint32_t dst);
// The size of the result.
uint32_t mayfly_component_utf8_from_latin1(MemoryInfo* from, MemoryInfo* to, uint32_t src,
                                           uint32_t units, uint32_t dst);
uint32_t mayfly_component_utf8_from_utf16(MemoryInfo* from, MemoryInfo* to, uint32_t src,
                                          uint32_t units, uint32_t dst);
uint32_t mayfly_component_utf16_from_utf8(MemoryInfo* from, MemoryInfo* to, uint32_t src,
                                          uint32_t units, uint32_t dst);
// Source and destination may begin at the same place.
void mayfly_component_utf16_from_latin1(MemoryInfo* from, MemoryInfo* to, uint32_t src,
                                        uint32_t units, uint32_t dst);
// What is read | what is written << 32, before the first code point that is not Latin-1.
uint64_t mayfly_component_latin1_from_utf8(MemoryInfo* from, MemoryInfo* to, uint32_t src,
                                           uint32_t units, uint32_t dst);
// What is copied before the first unit that is not Latin-1.
uint32_t mayfly_component_latin1_from_utf16(MemoryInfo* from, MemoryInfo* to, uint32_t src,
                                            uint32_t units, uint32_t dst);
// The same, of units that are all Latin-1; source and destination may begin at the same place.
void mayfly_component_latin1_from_wide(MemoryInfo* from, MemoryInfo* to, uint32_t src,
                                       uint32_t units, uint32_t dst);

// The host's realloc, in the transfer memory.
uint32_t mayfly_component_transfer_realloc(MemoryInfo* memory, uint32_t old, uint32_t old_size,
                                           uint32_t alignment, uint32_t size);

// Ends the call for a reason that the generated code found itself (ComponentTrap).
[[noreturn]] void mayfly_component_trap(uint32_t reason);
}
