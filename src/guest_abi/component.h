// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the generated modules of a component and the guest library's functions for them
// (component_functions.inc) agree on: the state memory, which holds the handle tables and WASI's
// resources, and the traps of the Component Model.
//
//   0      ComponentState: where the next chunk goes, the stacks of scopes and lends
//   384    HandleTable 0, 1, ...: one per component instance, 128 bytes each
//   ...    chunks of entries, one after the other as they are needed
//
// An array in the state memory is a list of chunks: chunk k has 16 << k items, so that an item
// never moves. Item i is number (i + 16) - (16 << k) of chunk k, the highest bit of (i + 16) being
// bit k + 4.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mayfly::guest_abi {

inline constexpr uint32_t kFirstChunkLog2 = 4;
// Enough for 2^29 items.
inline constexpr uint32_t kChunksMax = 26;

struct ChunkList {
  uint32_t count;               // items in use, from 0 on
  uint32_t chunks[kChunksMax];  // offsets in the state memory; 0: not there yet
  uint32_t reserved;
};

struct ComponentState {
  uint32_t next_chunk;  // an offset; a data segment sets it to component_state_bytes(): the rest of
                        // the memory begins as zeros
  uint32_t free_object;  // as HandleTable's, of the objects
  uint32_t heap;         // of WASI (guest/wasi2/state_heap.h): an offset; 0: not there yet
  uint32_t reserved;
  ChunkList scopes;   // of HandleScope
  ChunkList lends;    // of HandleLend
  ChunkList objects;  // of WASI (guest/wasi2/objects.h); object 0 is in use, and nobody's
};

struct HandleTable {
  ChunkList entries;  // of HandleEntry; entry 0 is in use, and never a handle
  uint32_t free;      // the entry that was freed last, 0: none
  uint32_t reserved[3];
};

// One of definitions.py's ResourceHandle.
struct HandleEntry {
  uint32_t rep;     // of a free entry: the entry that was freed before it, 0: none
  uint32_t type;    // resource type number; 0: free
  uint32_t lends;   // num_lends
  uint32_t holder;  // kOwnHandle, or the scope that the borrow belongs to
};
inline constexpr uint32_t kOwnHandle = 0;

// A call, as far as its handles go: scope N is item N - 1.
struct HandleScope {
  uint32_t borrows;  // borrow handles of it that are not dropped yet
  uint32_t lends;    // ChunkList::count of the lends when it began
};

struct HandleLend {
  uint32_t table;
  uint32_t index;
};

inline constexpr uint32_t kHandleTables = 384;
inline constexpr uint32_t kHandlesMax = (1 << 28) - 1;

// The size of a state memory with that many tables, before the first chunk.
constexpr uint64_t component_state_bytes(uint32_t tables) {
  return kHandleTables + uint64_t{tables} * sizeof(HandleTable);
}

static_assert(sizeof(ChunkList) == 112 && sizeof(HandleTable) == 128);
static_assert(sizeof(ComponentState) <= kHandleTables && kHandleTables % 16 == 0);
static_assert(sizeof(HandleEntry) == 16 && sizeof(HandleScope) == 8 && sizeof(HandleLend) == 8);
static_assert(uint64_t{kHandlesMax} < (uint64_t{1} << (kFirstChunkLog2 + kChunksMax)) - 16);

// Why a component trapped: the host has the words (runtime/trap.cc).
enum class ComponentTrap : uint32_t {
  kCannotLeave = 1,
  kCannotEnter,
  kUnalignedPointer,
  kStringOutOfBounds,
  kListOutOfBounds,
  kReallocUnaligned,
  kReallocOutOfBounds,
  kStringTooLong,
  kListTooLong,
  kInvalidDiscriminant,
  kInvalidChar,
  kInvalidUtf8,
  kIncompleteUtf8,  // the string ends inside a code point
  kInvalidUtf16,
  kUnknownHandle,
  kWrongResource,
  kHandleLent,
  kNotOwned,
  kBorrowsRemain,
  kTableFull,
  kMissingImport,
  kDamagedState,       // the state memory has in it what these functions never write
  kWriteNotPermitted,  // by output-stream.check-write
  kWriteTooLong,       // for output-stream.blocking-write-and-flush
  kEmptyPoll,
  kSendNotPermitted,  // by outgoing-datagram-stream.check-send
  kChildrenRemain,    // a resource of wasi:http is dropped before what came from it
  kFieldsTooLarge,    // of wasi:http, past kHttpFieldsBytesMax
};
inline constexpr ComponentTrap kComponentTrapLast = ComponentTrap::kFieldsTooLarge;

// In CallPage::request when the guest traps with TrapCode::kComponent.
struct ComponentTrapRequest {
  uint32_t trap;    // ComponentTrap
  uint32_t number;  // the handle's index, where the trap is about one
};

}  // namespace mayfly::guest_abi
