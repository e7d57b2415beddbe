// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// MemoryInfo and TableInfo: what compiled code and the guest library share about one linear
// memory or table. They lie in the guest's data; the host reads them only as claims of the guest.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mayfly::guest_abi {

inline constexpr uint32_t kNoRegion = UINT32_MAX;

struct MemoryInfo {
  uint64_t address;    // of byte 0: a constant of the image
  uint64_t bytes;      // the current size
  uint64_t bytes_max;  // memory.grow fails past it: the declared maximum or what is reserved
  uint32_t region;     // of the image's memory plan, for GrowRequest
  uint32_t page_size_log2;
};

struct TableInfo {
  uint64_t address;   // of entry 0; an entry is 8 bytes: the address of a FuncRef, or an
                      // externref; 0 is null
  uint64_t size;      // the current size in entries
  uint64_t size_max;  // table.grow fails past it
  uint32_t region;    // kNoRegion: size_max entries are in the image's data
  uint32_t reserved;
};

static_assert(offsetof(MemoryInfo, bytes) == 8 && sizeof(MemoryInfo) == 32);
static_assert(offsetof(TableInfo, size) == 8 && sizeof(TableInfo) == 32);

}  // namespace mayfly::guest_abi
