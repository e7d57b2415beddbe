// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// memory.grow and table.grow. Sizes are the guest's own numbers in MemoryInfo and TableInfo; the
// host only makes pages present, and never more than the image reserved.
#include "guest/port.h"
#include "guest_abi/instance.h"

using mayfly::guest_abi::GrowRequest;
using mayfly::guest_abi::kNoRegion;
using mayfly::guest_abi::kPageBytes;
using mayfly::guest_abi::MemoryInfo;
using mayfly::guest_abi::Port;
using mayfly::guest_abi::TableInfo;

namespace {

constexpr uint64_t kFailed = ~uint64_t{0};

uint64_t pages(uint64_t bytes) { return bytes / kPageBytes + (bytes % kPageBytes != 0 ? 1 : 0); }

// Makes [0, bytes_new) of a region present.
bool grow_region(uint32_t region, uint64_t bytes_old, uint64_t bytes_new) {
  if (pages(bytes_old) == pages(bytes_new)) return true;
  const GrowRequest request{region, 0, bytes_new, 0, 0};
  return mayfly::guest::call_port(Port::kGrow, request).ok == 1;
}

}  // namespace

extern "C" {

// The old size in pages, or -1 where the memory cannot grow by that much.
uint64_t mayfly_memory_grow(MemoryInfo* memory, uint64_t delta_pages) {
  const uint64_t bytes_old = memory->bytes;
  const uint64_t pages_old = bytes_old >> memory->page_size_log2;
  if (delta_pages > (memory->bytes_max - bytes_old) >> memory->page_size_log2) return kFailed;
  const uint64_t bytes_new = bytes_old + (delta_pages << memory->page_size_log2);
  if (!grow_region(memory->region, bytes_old, bytes_new)) return kFailed;
  memory->bytes = bytes_new;
  return pages_old;
}

// The old size in entries, or -1. New entries are `value`.
uint64_t mayfly_table_grow(TableInfo* table, uint64_t delta, uint64_t value) {
  constexpr uint64_t kEntryBytes = sizeof(uint64_t);
  const uint64_t size_old = table->size;
  if (delta > table->size_max - size_old) return kFailed;
  const uint64_t size_new = size_old + delta;
  if (table->region != kNoRegion &&
      !grow_region(table->region, size_old * kEntryBytes, size_new * kEntryBytes)) {
    return kFailed;
  }
  // SAFETY: the entries up to size_new are present now, and only this table's.
  auto* const entries = reinterpret_cast<uint64_t*>(table->address);
  for (uint64_t i = size_old; i < size_new; ++i) entries[i] = value;
  table->size = size_new;
  return size_old;
}

}  // extern "C"
