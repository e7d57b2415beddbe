// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Access, growth and shrinking of a guest's memory. guest_memory_layout.cc makes it.
#include "vmm/guest_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <string>

#include "base/check.h"
#include "vmm/vm_config.h"

namespace mayfly::vmm {

using guest_abi::kLargePageBytes;
using guest_abi::kPageBytes;

PageAccess GuestMemory::page_access(Protection protection) const {
  switch (protection) {
    case Protection::kRead:
      return PageAccess::kUserRead;
    case Protection::kReadExecute:
      return options_.weakness == Weakness::kWritableText ? PageAccess::kUserReadWriteExecute
                                                          : PageAccess::kUserReadExecute;
    case Protection::kReadWrite:
      return options_.weakness == Weakness::kExecutableData ? PageAccess::kUserReadWriteExecute
                                                            : PageAccess::kUserReadWrite;
  }
  return PageAccess::kUserRead;
}

Result<TablePage> GuestMemory::allocate_table_page() {
  if (table_gpa_next_ == table_gpa_end_) {
    const uint64_t bytes = std::min(kLargePageBytes, extra_tables_gpa_end_ - extra_tables_gpa_);
    if (bytes == 0) return limit("the page tables of this VM are full");
    MAYFLY_TRY(slots_->cover(extra_tables_gpa_, arena_at(extra_tables_gpa_), bytes,
                             MemorySlots::Access::kReadWrite));
    table_gpa_next_ = extra_tables_gpa_;
    table_gpa_end_ = extra_tables_gpa_ += bytes;
  }
  TablePage page;
  page.gpa = table_gpa_next_;
  // SAFETY: a whole page of the arena, aligned, that no one else uses; it lives as long as this.
  page.entries = reinterpret_cast<uint64_t*>(arena_at(page.gpa));
  // Written before it is read: the first look would bring the kernel's page of zeros, and the write
  // after it a fault more.
  __atomic_store_n(page.entries, 0, __ATOMIC_RELAXED);
  table_gpa_next_ += kPageBytes;
  return page;
}

GuestMemory::Range* GuestMemory::find(uint64_t address, uint64_t bytes) {
  for (Range& range : ranges_) {
    const uint64_t offset = address - range.address;  // wraps to a large number below the range
    const uint64_t size = pages_of(range.bytes);
    if (offset <= size && bytes <= size - offset && offset < size) return &range;
  }
  return nullptr;
}

namespace {

Error outside(uint64_t address, uint64_t bytes, const char* what) {
  return invalid("guest range of " + std::to_string(bytes) + " bytes at " +
                 std::to_string(address) + " is not memory that the guest can " + what);
}

}  // namespace

Result<std::span<const uint8_t>> GuestMemory::view(uint64_t address, uint64_t bytes) {
  Range* const range = find(address, bytes);
  if (range == nullptr) {
    if (bytes == 0) return std::span<const uint8_t>{};
    return outside(address, bytes, "read");
  }
  const uint64_t offset = address - range->address;
  MAYFLY_TRY(read_chunks(*range, offset, offset + bytes));
  return std::span<const uint8_t>(range->host + (address - range->address), bytes);
}

Result<std::span<uint8_t>> GuestMemory::view_writable(uint64_t address, uint64_t bytes) {
  Range* const range = find(address, bytes);
  if (range == nullptr || range->protection != Protection::kReadWrite) {
    if (bytes == 0) return std::span<uint8_t>{};
    return outside(address, bytes, "write");
  }
  const uint64_t offset = address - range->address;
  MAYFLY_TRY(read_chunks(*range, offset, offset + bytes));
  note_host_write(*range, offset, bytes);
  return std::span<uint8_t>(range->host + (address - range->address), bytes);
}

uint64_t GuestMemory::region_bytes(size_t region) const {
  CHECK(region < ranges_.size(), region);
  return ranges_[region].bytes;
}

Result<void> GuestMemory::resize(size_t region, uint64_t bytes) {
  CHECK(region < ranges_.size(), region);
  Range& range = ranges_[region];
  const uint64_t bytes_max = options_.weakness == Weakness::kNoReserveLimit && range.in_arena
                                 ? guest_abi::kWindowBytes
                                 : range.bytes_reserved;
  if (bytes > bytes_max) {
    return limit("region " + std::to_string(region) + " has " +
                 std::to_string(range.bytes_reserved) + " bytes reserved, fewer than " +
                 std::to_string(bytes));
  }
  if (pages_of(bytes) > pages_of(range.bytes)) MAYFLY_TRY(grow(range, bytes));
  if (pages_of(bytes) < pages_of(range.bytes)) MAYFLY_TRY(shrink(range, bytes));
  range.bytes = bytes;
  return {};
}

Result<void> GuestMemory::map_range(const Range& range, uint64_t from, uint64_t to) {
  return tables_->map(range.address + from, range.gpa + from, to - from,
                      page_access(range.protection));
}

Result<void> GuestMemory::grow(Range& range, uint64_t bytes) {
  const uint64_t wanted = pages_of(bytes);
  if (wanted > range.bytes_in_slots) {
    const uint64_t doubled = std::max(round_up(wanted, kLargePageBytes), 2 * range.bytes_in_slots);
    const uint64_t end = std::max(wanted, std::min(doubled, range.bytes_reserved));
    MAYFLY_TRY(slots_->cover(range.gpa + range.bytes_in_slots, range.host + range.bytes_in_slots,
                             end - range.bytes_in_slots, MemorySlots::Access::kReadWrite));
    range.bytes_in_slots = end;
  }
  return map_grown(range, pages_of(range.bytes), wanted);
}

Result<void> GuestMemory::shrink(Range& range, uint64_t bytes) {
  CHECK(range.in_arena);
  const uint64_t from = pages_of(bytes);
  const uint64_t gone = pages_of(range.bytes) - from;
  PageTables::Split split = PageTables::Split::kNone;
  if (options_.weakness != Weakness::kMappedAfterShrink) {
    split = MAYFLY_TRY(tables_->take_away(range.address + from, gone));
  }
  if (options_.weakness == Weakness::kStaleShrink) return {};
  MAYFLY_TRY(tables_->switch_root());
  // Dropping the host's pages makes KVM forget translations to them, and makes them zero.
  uint8_t* const host = range.host + from;
  if (from < range.file_bytes) {
    is_one_mapping_ = false;
    // SAFETY: [host, host + gone) is inside the arena, which keeps owning the addresses.
    if (::mmap(host, gone, PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED) {
      return host_error("mmap over a region's end");
    }
    ::madvise(host, gone, MADV_NOHUGEPAGE);
    range.file_bytes = from;
  } else if (::madvise(host, gone, MADV_DONTNEED) != 0) {
    return host_error("madvise(MADV_DONTNEED)");
  }
  const auto number = static_cast<uint32_t>(&range - ranges_.data());
  touched_.remove_if([&](const TouchedPage& page) {
    return page.range == number && page.page >= from / kPageBytes;
  });
  const uint64_t chunk = round_up(from, kChunkBytes) / kChunkBytes;
  if (range.chunks_present.size() > chunk) range.chunks_present.resize(chunk);
  for (uint64_t past = chunk; past < range.chunks_unread.size(); ++past) {
    set_unread(range, past, false);
  }
  // A large translation may be kept whole although one part of it is gone.
  if (split == PageTables::Split::kLeaf) {
    const uint64_t leaf = (range.gpa + from) / kLargePageBytes * kLargePageBytes;
    MAYFLY_TRY(slots_->renew(leaf, kLargePageBytes));
  }
  return {};
}

}  // namespace mayfly::vmm
