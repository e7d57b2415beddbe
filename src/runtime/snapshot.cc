// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A new snapshot is its parent's runs, with the touched pages cut out and put in again: as zeros,
// as the parent's, or as pages of a new store.
#include "runtime/snapshot.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <set>
#include <utility>

#include "guest_abi/layout.h"

namespace mayfly::runtime {

using guest_abi::kPageBytes;
using vmm::PageRun;
using vmm::PageView;

namespace {

// Past it, a snapshot copies all its pages into a store of its own.
constexpr size_t kStoresMax = 8;

alignas(64) constexpr std::array<uint8_t, kPageBytes> kZeroPage{};

bool is_zero(const uint8_t* page) { return std::memcmp(page, kZeroPage.data(), kPageBytes) == 0; }

bool is_before(const PageView& a, const PageView& b) {
  return a.region != b.region ? a.region < b.region : a.page < b.page;
}

// A sorted list of runs in the making.
class RunList {
 public:
  void add(const PageRun& run) {
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
  std::vector<PageRun> take() { return std::move(runs_); }

 private:
  std::vector<PageRun> runs_;
};

// The runs without the pages of `cut`, in which those of `put` are put in again. Both are sorted,
// and every page of `put` is in `cut`.
std::vector<PageRun> replace_pages(const std::vector<PageRun>& runs,
                                   const std::vector<PageView>& cut,
                                   const std::vector<PageRun>& put) {
  RunList result;
  auto next_put = put.begin();
  const auto add_put_before = [&](uint32_t region, uint64_t page) {
    while (next_put != put.end() &&
           (next_put->region < region || (next_put->region == region && next_put->first < page))) {
      result.add(*next_put++);
    }
  };
  auto next_cut = cut.begin();
  for (const PageRun& run : runs) {
    uint64_t at = run.first;
    while (next_cut != cut.end() && is_before(*next_cut, {run.region, run.first, nullptr})) {
      ++next_cut;
    }
    for (; next_cut != cut.end() && next_cut->region == run.region && next_cut->page < run.end();
         ++next_cut) {
      add_put_before(run.region, at);
      result.add(run.part(at - run.first, next_cut->page - at));
      at = next_cut->page + 1;
    }
    add_put_before(run.region, at);
    if (at < run.end()) result.add(run.part(at - run.first, run.end() - at));
  }
  add_put_before(UINT32_MAX, 0);
  return result.take();
}

// Sorts the touched pages, and leaves only those that differ from the parent.
Result<std::vector<PageView>> changed_pages(const vmm::SavedMemory* parent,
                                            std::vector<PageView> touched) {
  std::sort(touched.begin(), touched.end(), is_before);
  std::array<uint8_t, kPageBytes> before;
  size_t kept = 0;
  for (const PageView& page : touched) {
    const PageRun* const run = parent == nullptr ? nullptr : parent->find(page.region, page.page);
    const uint8_t* content = kZeroPage.data();
    if (run != nullptr && run->bytes != nullptr) {
      content = run->bytes + (page.page - run->first) * kPageBytes;
    } else if (run != nullptr) {
      MAYFLY_TRY(copy_pages(run->part(page.page - run->first, 1), before.data()));
      content = before.data();
    }
    if (std::memcmp(content, page.bytes, kPageBytes) != 0) touched[kept++] = page;
  }
  touched.resize(kept);
  return touched;
}

}  // namespace

Result<SnapshotPtr> Snapshot::create(std::vector<uint64_t> region_bytes, const SnapshotPtr& parent,
                                     std::vector<PageView> touched, Rest rest) {
  auto snapshot = std::make_shared<Snapshot>(Private(), std::move(rest));
  snapshot->memory_.region_bytes = std::move(region_bytes);
  const vmm::SavedMemory* const before = parent == nullptr ? nullptr : &parent->memory_;
  const auto changed = MAYFLY_TRY(changed_pages(before, std::move(touched)));
  std::vector<PageView> stored;
  for (const PageView& page : changed) {
    if (!is_zero(page.bytes)) stored.push_back(page);
  }
  const auto& sizes = snapshot->memory_.region_bytes;
  std::vector<PageRun> runs = before == nullptr ? std::vector<PageRun>() : before->runs;
  std::shared_ptr<const PageStore> store = MAYFLY_TRY(PageStore::create(sizes, stored));
  std::vector<PageRun> put;
  put.reserve(stored.size());
  for (const PageView& page : stored) put.push_back(store->run(page.region, page.page));
  snapshot->memory_.runs = replace_pages(runs, changed, put);
  if (parent != nullptr) {
    snapshot->stores_ = parent->stores_;
    snapshot->file_ = parent->file_;
  }
  if (!stored.empty()) snapshot->stores_.push_back(std::move(store));
  snapshot->own_pages_ = stored.size();
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
