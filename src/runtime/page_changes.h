// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// PageChanges: the pages in which a guest's memory differs from a saved state, kept in a store.
// RunList: a sorted list of runs in the making.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "runtime/page_store.h"
#include "vmm/saved_memory.h"
#include "vmm/vm.h"

namespace mayfly::runtime {

class RunList {
 public:
  // In order. Joins it to the last run where one content continues the other's.
  void add(const vmm::PageRun& run);
  std::vector<vmm::PageRun> take() { return std::move(runs_); }

 private:
  std::vector<vmm::PageRun> runs_;
};

struct PageChanges {
  // Sorted, a page each. Where is_zero(), the page became zeros.
  std::vector<vmm::PageRun> pages;
  std::shared_ptr<const PageStore> store;  // of the others; null: there is none
  uint64_t stored_pages = 0;

  // Of the touched pages, in any order, those that differ from the reference; null: from zeros.
  // region_bytes are the sizes now. Errors: kHost; those of copy_pages().
  static Result<PageChanges> find(std::span<const uint64_t> region_bytes,
                                  const vmm::SavedMemory* reference,
                                  std::vector<vmm::PageView> touched);
};

}  // namespace mayfly::runtime
