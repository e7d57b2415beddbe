// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Four levels; accessed and dirty bits are set from the start, so no processor writes an entry.
#include "vmm/page_tables.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "guest_abi/layout.h"

namespace mayfly::vmm {
namespace {

using guest_abi::kLargePageBytes;
using guest_abi::kPageBytes;

constexpr uint64_t kPresent = 1 << 0;
constexpr uint64_t kWritable = 1 << 1;
constexpr uint64_t kUser = 1 << 2;
constexpr uint64_t kAccessed = 1 << 5;
constexpr uint64_t kDirty = 1 << 6;
constexpr uint64_t kLarge = 1 << 7;
constexpr uint64_t kNoExecute = uint64_t{1} << 63;
constexpr uint64_t kAddressMask = 0x000f'ffff'ffff'f000;
constexpr uint64_t kTableFlags = kPresent | kWritable | kUser | kAccessed;
constexpr size_t kEntryCount = 512;

uint64_t leaf_flags(PageAccess access) {
  constexpr uint64_t kBase = kPresent | kAccessed | kDirty;
  switch (access) {
    case PageAccess::kUserRead:
      return kBase | kUser | kNoExecute;
    case PageAccess::kUserReadExecute:
      return kBase | kUser;
    case PageAccess::kUserReadWrite:
      return kBase | kUser | kWritable | kNoExecute;
    case PageAccess::kSystemRead:
      return kBase | kNoExecute;
    case PageAccess::kSystemReadExecute:
      return kBase;
    case PageAccess::kSystemReadWrite:
      return kBase | kWritable | kNoExecute;
    case PageAccess::kUserReadWriteExecute:
      return kBase | kUser | kWritable;
  }
  return 0;
}

// level 3 is the PML4, 0 the page table.
size_t index_at(uint64_t address, unsigned level) {
  return address >> (12 + 9 * level) & (kEntryCount - 1);
}

}  // namespace

Result<PageTables> PageTables::create(TablePageSource& source) {
  PageTables tables(source);
  tables.roots_[0] = MAYFLY_TRY(source.allocate_table_page());
  return tables;
}

uint64_t* PageTables::table_at(uint64_t gpa) const {
  const auto found = std::lower_bound(pages_.begin(), pages_.end(), gpa,
                                      [](const TablePage& p, uint64_t g) { return p.gpa < g; });
  CHECK(found != pages_.end() && found->gpa == gpa, gpa);
  return found->entries;
}

Result<uint64_t*> PageTables::table_below(uint64_t& entry) {
  if ((entry & kPresent) != 0) {
    CHECK((entry & kLarge) == 0, entry);
    return table_at(entry & kAddressMask);
  }
  const TablePage page = MAYFLY_TRY(source_->allocate_table_page());
  pages_.insert(std::upper_bound(pages_.begin(), pages_.end(), page.gpa,
                                 [](uint64_t g, const TablePage& p) { return g < p.gpa; }),
                page);
  entry = page.gpa | kTableFlags;
  return page.entries;
}

Result<uint64_t*> PageTables::directory_entry(uint64_t address) {
  uint64_t* table = roots_[active_root_].entries;
  for (unsigned level = 3; level > 1; --level) {
    table = MAYFLY_TRY(table_below(table[index_at(address, level)]));
  }
  return &table[index_at(address, 1)];
}

Result<void> PageTables::map(uint64_t address, uint64_t gpa, uint64_t bytes, PageAccess access) {
  CHECK(address % kPageBytes == 0 && gpa % kPageBytes == 0 && bytes % kPageBytes == 0, address, gpa,
        bytes);
  const uint64_t flags = leaf_flags(access);
  while (bytes != 0) {
    uint64_t& entry = *MAYFLY_TRY(directory_entry(address));
    const uint64_t inside = address % kLargePageBytes;
    const uint64_t step = std::min(bytes, kLargePageBytes - inside);
    if ((entry & kLarge) != 0) {
      CHECK(entry + inside == (gpa | flags | kLarge), address, entry, gpa);
    } else if (entry == 0 && step == kLargePageBytes && gpa % kLargePageBytes == 0) {
      entry = gpa | flags | kLarge;
    } else {
      uint64_t* const leaves = MAYFLY_TRY(table_below(entry)) + index_at(address, 0);
      for (uint64_t done = 0; done < step; done += kPageBytes) {
        uint64_t& leaf = leaves[done / kPageBytes];
        CHECK(leaf == 0 || leaf == ((gpa + done) | flags), address, leaf, gpa);
        leaf = (gpa + done) | flags;
      }
    }
    address += step;
    gpa += step;
    bytes -= step;
  }
  return {};
}

Result<void> PageTables::split_leaf(uint64_t& entry) {
  const uint64_t leaf = entry & ~kLarge;
  uint64_t replacement = 0;
  uint64_t* const table = MAYFLY_TRY(table_below(replacement));
  for (size_t i = 0; i < kEntryCount; ++i) table[i] = leaf + i * kPageBytes;
  entry = replacement;
  return {};
}

Result<PageTables::Split> PageTables::take_away(uint64_t address, uint64_t bytes) {
  CHECK(address % kPageBytes == 0 && bytes % kPageBytes == 0, address, bytes);
  Split split = Split::kNone;
  const uint64_t end = address + bytes;
  while (address < end) {
    uint64_t* table = roots_[active_root_].entries;
    unsigned level = 3;
    uint64_t* entry = &table[index_at(address, level)];
    while (level > 0 && (*entry & kPresent) != 0 && (*entry & kLarge) == 0) {
      table = table_at(*entry & kAddressMask);
      --level;
      entry = &table[index_at(address, level)];
    }
    const uint64_t covered = kPageBytes << (9 * level);
    const uint64_t next = (address | (covered - 1)) + 1;
    if ((*entry & kLarge) != 0 && (address % covered != 0 || next > end)) {
      MAYFLY_TRY(split_leaf(*entry));
      split = Split::kLeaf;
      continue;
    }
    if ((*entry & kPresent) != 0) *entry = 0;
    address = next;
  }
  return split;
}

Result<void> PageTables::switch_root() {
  const unsigned other = 1 - active_root_;
  if (roots_[other].entries == nullptr) {
    roots_[other] = MAYFLY_TRY(source_->allocate_table_page());
  }
  std::memcpy(roots_[other].entries, roots_[active_root_].entries, kPageBytes);
  active_root_ = other;
  return {};
}

uint64_t PageTables::leaf(uint64_t address) const {
  const uint64_t* table = roots_[active_root_].entries;
  for (unsigned level = 3;; --level) {
    const uint64_t entry = table[index_at(address, level)];
    if ((entry & kPresent) == 0) return 0;
    if (level == 0 || (entry & kLarge) != 0) return entry;
    table = table_at(entry & kAddressMask);
  }
}

}  // namespace mayfly::vmm
