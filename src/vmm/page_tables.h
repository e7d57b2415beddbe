// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// PageTables: the guest's page tables (Intel SDM 3A, 4.5), written by the host into guest RAM.
// While the guest lives map() only turns absent entries into present ones; take_away() does the
// rest, and its caller must make every processor forget what it knew (GuestMemory does).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"

namespace mayfly::vmm {

enum class PageAccess : uint8_t {
  kUserRead,
  kUserReadExecute,
  kUserReadWrite,
  kSystemRead,
  kSystemReadExecute,
  kSystemReadWrite,
  kUserReadWriteExecute,  // breaks W^X: only a test that removes that defence uses it
};

// A page of guest RAM that holds one table, as host and guest see it.
struct TablePage {
  uint64_t* entries = nullptr;  // 512, zero
  uint64_t gpa = 0;
};

// Gives out zeroed pages of guest RAM; they stay valid as long as it.
class TablePageSource {
 public:
  virtual ~TablePageSource() = default;
  // Errors: kLimit, kHost.
  virtual Result<TablePage> allocate_table_page() = 0;
};

class PageTables {
 public:
  // source outlives the page tables.
  static Result<PageTables> create(TablePageSource& source);

  // CR3. Changes with switch_root().
  uint64_t root_gpa() const { return roots_[active_root_].gpa; }

  // [address, address + bytes) -> [gpa, ...), in pages. What is mapped already must be mapped to
  // the same place, and stays as it is. 2 MiB leaves wherever both sides allow them.
  Result<void> map(uint64_t address, uint64_t gpa, uint64_t bytes, PageAccess access);

  // Whether take_away() had to split a 2 MiB leaf, whose translation a processor may keep whole.
  enum class Split : uint8_t { kNone, kLeaf };
  Result<Split> take_away(uint64_t address, uint64_t bytes);

  // A second root with the same content: loading it drops what a processor cached.
  Result<void> switch_root();

  // The leaf entry for an address, 0 when absent. For tests and CHECKs.
  uint64_t leaf(uint64_t address) const;

 private:
  explicit PageTables(TablePageSource& source) : source_(&source) {}
  uint64_t* table_at(uint64_t gpa) const;
  Result<uint64_t*> table_below(uint64_t& entry);
  Result<void> split_leaf(uint64_t& entry);
  Result<uint64_t*> directory_entry(uint64_t address);

  TablePageSource* source_;
  std::vector<TablePage> pages_;  // all but the roots, sorted by gpa
  TablePage roots_[2];
  unsigned active_root_ = 0;
};

}  // namespace mayfly::vmm
