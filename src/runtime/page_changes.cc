// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A page that was touched has often what it had before: it is compared, and only kept if not.
#include "runtime/page_changes.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "guest_abi/layout.h"

namespace mayfly::runtime {

using guest_abi::kPageBytes;
using vmm::PageRun;
using vmm::PageView;

namespace {

alignas(64) constexpr std::array<uint8_t, kPageBytes> kZeroPage{};

bool is_zero(const uint8_t* page) { return std::memcmp(page, kZeroPage.data(), kPageBytes) == 0; }

bool is_before(const PageView& a, const PageView& b) {
  return a.region != b.region ? a.region < b.region : a.page < b.page;
}

Result<bool> is_changed(const PageView& page, const vmm::SavedMemory* reference) {
  const PageRun* const run =
      reference == nullptr ? nullptr : reference->find(page.region, page.page);
  if (run == nullptr) return !is_zero(page.bytes);
  if (run->bytes != nullptr) {
    const uint8_t* const before = run->bytes + (page.page - run->first) * kPageBytes;
    return std::memcmp(before, page.bytes, kPageBytes) != 0;
  }
  std::array<uint8_t, kPageBytes> before;
  MAYFLY_TRY(copy_pages(run->part(page.page - run->first, 1), before.data()));
  return std::memcmp(before.data(), page.bytes, kPageBytes) != 0;
}

}  // namespace

void RunList::add(const PageRun& run) {
  if (run.count == 0) return;
  if (!runs_.empty()) {
    PageRun& last = runs_.back();
    const bool joins = last.end() == run.first && run.continues(last) &&
                       (run.bytes == nullptr) == (last.bytes == nullptr);
    if (joins) {
      last.count += run.count;
      return;
    }
  }
  runs_.push_back(run);
}

Result<PageChanges> PageChanges::find(std::span<const uint64_t> region_bytes,
                                      const vmm::SavedMemory* reference,
                                      std::vector<PageView> touched) {
  std::sort(touched.begin(), touched.end(), is_before);
  PageChanges changes;
  std::vector<PageView> stored;
  for (const PageView& page : touched) {
    if (!MAYFLY_TRY(is_changed(page, reference))) continue;
    changes.pages.push_back({page.region, page.page, 1});
    if (!is_zero(page.bytes)) stored.push_back(page);
  }
  changes.stored_pages = stored.size();
  if (stored.empty()) return changes;
  changes.store = MAYFLY_TRY(PageStore::create(region_bytes, stored));
  auto change = changes.pages.begin();
  for (const PageView& page : stored) {
    while (change->region != page.region || change->first != page.page) ++change;
    *change = changes.store->run(page.region, page.page);
  }
  return changes;
}

}  // namespace mayfly::runtime
