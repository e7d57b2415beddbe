// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// PageStore: pages of guest memory that never change, in a sealed file that sandboxes map. The
// file has a place for every page of every region, in order, and holds only those that were
// given: the others are holes, which take no memory. So one mapping serves a whole region.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/fd.h"
#include "base/mapping.h"
#include "base/result.h"
#include "vmm/saved_memory.h"
#include "vmm/vm.h"

namespace mayfly::runtime {

// Shareable between threads.
class PageStore {
  struct Private {
    explicit Private() = default;
  };

 public:
  // Copies the pages, which are sorted by region and page. Errors: kHost.
  static Result<std::shared_ptr<const PageStore>> create(std::span<const uint64_t> region_bytes,
                                                         std::span<const vmm::PageView> pages);
  // Use create().
  explicit PageStore(Private) {}

  // Where a page is. Precondition: it was given to create().
  vmm::PageRun run(uint32_t region, uint64_t page) const;
  uint64_t page_count() const { return page_count_; }
  int file() const { return file_.get(); }

 private:
  Result<void> write(std::span<const vmm::PageView> pages) const;

  Fd file_;
  Mapping bytes_;
  std::vector<uint64_t> region_offsets_;
  uint64_t page_count_ = 0;
};

}  // namespace mayfly::runtime
