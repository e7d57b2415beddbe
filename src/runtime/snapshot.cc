// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A new snapshot is its parent's runs, with the pages that changed cut out, and those put in that
// are not zeros.
#include "runtime/snapshot.h"

#include <algorithm>
#include <utility>

#include "guest_abi/layout.h"
#include "runtime/page_changes.h"

namespace mayfly::runtime {

using guest_abi::kPageBytes;
using vmm::PageRun;
using vmm::PageView;

namespace {

// Past it, a snapshot copies all its pages into a store of its own.
constexpr size_t kStoresMax = 8;

// The runs, with what changed instead of what they had there.
std::vector<PageRun> replace_pages(const std::vector<PageRun>& runs,
                                   const std::vector<PageRun>& changes) {
  RunList result;
  auto next = changes.begin();
  const auto put_next = [&] {
    if (!next->is_zero()) result.add(*next);
    ++next;
  };
  const auto is_next_before = [&](uint32_t region, uint64_t page) {
    return next != changes.end() &&
           (next->region < region || (next->region == region && next->first < page));
  };
  for (const PageRun& run : runs) {
    while (is_next_before(run.region, run.first)) put_next();
    uint64_t at = run.first;
    while (is_next_before(run.region, run.end())) {
      result.add(run.part(at - run.first, next->first - at));
      at = next->end();
      put_next();
    }
    if (at < run.end()) result.add(run.part(at - run.first, run.end() - at));
  }
  while (next != changes.end()) put_next();
  return result.take();
}

}  // namespace

Result<SnapshotPtr> Snapshot::create(std::vector<uint64_t> region_bytes, const SnapshotPtr& parent,
                                     std::vector<PageView> touched, Rest rest) {
  auto snapshot = std::make_shared<Snapshot>(Private(), std::move(rest));
  snapshot->memory_.region_bytes = std::move(region_bytes);
  const vmm::SavedMemory* const before = parent == nullptr ? nullptr : &parent->memory_;
  auto changes =
      MAYFLY_TRY(PageChanges::find(snapshot->memory_.region_bytes, before, std::move(touched)));
  snapshot->memory_.runs =
      replace_pages(before == nullptr ? std::vector<PageRun>() : before->runs, changes.pages);
  if (parent != nullptr) {
    snapshot->stores_ = parent->stores_;
    snapshot->file_ = parent->file_;
  }
  if (changes.store != nullptr) snapshot->stores_.push_back(std::move(changes.store));
  snapshot->own_pages_ = changes.stored_pages;
  if (snapshot->stores_.size() > kStoresMax) MAYFLY_TRY(snapshot->gather());
  return SnapshotPtr(std::move(snapshot));
}

Result<SnapshotPtr> Snapshot::create(std::shared_ptr<const SnapshotFile> file,
                                     const image::Image& image) {
  MAYFLY_TRY(image::check_snapshot(file->metadata(), file->header().page_count, image));
  auto snapshot =
      std::make_shared<Snapshot>(Private(), Rest{&image, file->metadata().instantiated, nullptr});
  snapshot->memory_ = file->memory(image);
  snapshot->own_pages_ = file->header().page_count;
  snapshot->file_ = std::move(file);
  return SnapshotPtr(std::move(snapshot));
}

// Copies every page of the stores into one store. What is in files of others stays there.
Result<void> Snapshot::gather() {
  const auto is_gathered = [&](const PageRun& run) {
    return std::ranges::any_of(
        stores_, [&](const auto& store) { return run.file >= 0 && store->file() == run.file; });
  };
  std::vector<PageView> pages;
  for (const PageRun& run : memory_.runs) {
    if (!is_gathered(run)) continue;
    for (uint64_t page = 0; page < run.count; ++page) {
      pages.push_back({run.region, run.first + page, run.bytes + page * kPageBytes});
    }
  }
  std::shared_ptr<const PageStore> store =
      MAYFLY_TRY(PageStore::create(memory_.region_bytes, pages));
  RunList runs;
  for (const PageRun& run : memory_.runs) {
    if (!is_gathered(run)) {
      runs.add(run);
      continue;
    }
    for (uint64_t page = run.first; page < run.end(); ++page) {
      runs.add(store->run(run.region, page));
    }
  }
  memory_.runs = runs.take();
  own_pages_ = pages.size();
  stores_ = {std::move(store)};
  return {};
}

uint64_t Snapshot::page_count() const {
  uint64_t pages = 0;
  for (const PageRun& run : memory_.runs) pages += run.count;
  return pages;
}

}  // namespace mayfly::runtime
