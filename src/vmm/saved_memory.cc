// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Comparing two states walks both sorted lists of runs once.
#include "vmm/saved_memory.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <optional>
#include <span>
#include <utility>

#include "base/fd.h"
#include "guest_abi/layout.h"

namespace mayfly::vmm {

using guest_abi::kPageBytes;

Result<FileStamp> FileStamp::of(int file) {
  struct stat status{};
  if (::fstat(file, &status) != 0) return host_error("fstat of saved memory");
  return FileStamp{static_cast<uint64_t>(status.st_size), status.st_mtim.tv_sec,
                   status.st_mtim.tv_nsec};
}

PageRun PageRun::part(uint64_t pages, uint64_t pages_max) const {
  PageRun result = *this;
  result.first += pages;
  result.count = std::min(count - pages, pages_max);
  if (bytes != nullptr) result.bytes += pages * kPageBytes;
  result.file_offset += pages * kPageBytes;
  return result;
}

bool PageRun::same_content(const PageRun& other) const {
  if (bytes != nullptr || other.bytes != nullptr) return bytes == other.bytes;
  return file == other.file && (file < 0 || file_offset == other.file_offset);
}

bool PageRun::continues(const PageRun& other) const {
  return file >= 0 && file == other.file && region == other.region &&
         file_offset - other.file_offset == (first - other.first) * kPageBytes;
}

const PageRun* SavedMemory::find(uint32_t region, uint64_t page) const {
  const auto after =
      std::upper_bound(runs.begin(), runs.end(), page, [&](uint64_t wanted, const PageRun& run) {
        return run.region != region ? region < run.region : wanted < run.first;
      });
  if (after == runs.begin()) return nullptr;
  const PageRun& run = *(after - 1);
  return run.region == region && page < run.end() ? &run : nullptr;
}

Result<void> SavedMemory::copy_page(uint32_t region, uint64_t page, uint8_t* to) const {
  const PageRun* const run = find(region, page);
  if (run != nullptr) return copy_pages(run->part(page - run->first, 1), to);
  std::memset(to, 0, kPageBytes);
  return {};
}

Result<void> copy_pages(const PageRun& run, uint8_t* to) {
  const uint64_t size = run.count * kPageBytes;
  if (run.bytes != nullptr) {
    std::memcpy(to, run.bytes, size);
    return {};
  }
  MAYFLY_TRY(read_range(run.file, run.file_offset, {to, size}, "the snapshot's file"));
  // Afterwards, so that a change before the last byte was read shows.
  if (run.stamp != nullptr && !(MAYFLY_TRY(FileStamp::of(run.file)) == *run.stamp)) {
    return invalid("the snapshot's file was changed after it was opened");
  }
  return {};
}

namespace {

// A list of runs, read piece by piece. Between runs it is zero up to the next run.
class Reader {
 public:
  explicit Reader(const std::vector<PageRun>* runs) : runs_(runs) {}

  void enter(uint32_t region) { region_ = region; }
  // The content from `page` on: a part of a run or zeros, and how far it reaches.
  PageRun at(uint64_t page, uint64_t end) {
    PageRun zeros{region_, page, end - page};
    if (runs_ == nullptr) return zeros;
    while (next_ < runs_->size() && is_before((*runs_)[next_], page)) ++next_;
    if (next_ == runs_->size() || (*runs_)[next_].region != region_) return zeros;
    const PageRun& run = (*runs_)[next_];
    if (run.first <= page) return run.part(page - run.first, end - page);
    zeros.count = std::min(end, run.first) - page;
    return zeros;
  }

 private:
  bool is_before(const PageRun& run, uint64_t page) const {
    return run.region < region_ || (run.region == region_ && run.end() <= page);
  }
  const std::vector<PageRun>* runs_;
  size_t next_ = 0;
  uint32_t region_ = 0;
};

}  // namespace

Result<void> for_each_difference(const SavedMemory* from, const SavedMemory& to,
                                 const PieceVisitor& visit) {
  Reader old_content(from == nullptr ? nullptr : &from->runs);
  Reader new_content(&to.runs);
  for (uint32_t region = 0; region < to.region_bytes.size(); ++region) {
    const uint64_t end = (to.region_bytes[region] + kPageBytes - 1) / kPageBytes;
    old_content.enter(region);
    new_content.enter(region);
    for (uint64_t page = 0; page < end;) {
      const PageRun before = old_content.at(page, end);
      PageRun after = new_content.at(page, end);
      after.count = std::min(after.count, before.count);
      if (!after.same_content(before)) MAYFLY_TRY(visit(after));
      page += after.count;
    }
  }
  return {};
}

Result<void> for_each_piece(const SavedMemory& state, uint32_t region, uint64_t first,
                            uint64_t count, const PieceVisitor& visit) {
  Reader content(&state.runs);
  content.enter(region);
  for (uint64_t page = first; page < first + count;) {
    const PageRun piece = content.at(page, first + count);
    MAYFLY_TRY(visit(piece));
    page += piece.count;
  }
  return {};
}

namespace {

constexpr uint64_t kGapPagesMax = 1024;

// The first run of the file that holds most of a region, or null.
const PageRun* main_content(std::span<const PageRun> runs) {
  std::map<std::pair<int, uint64_t>, uint64_t> pages;  // by file, and where page 0 would be
  const PageRun* best = nullptr;
  uint64_t best_pages = 0;
  for (const PageRun& run : runs) {
    if (run.file < 0 || run.is_read()) continue;
    uint64_t& sum = pages[{run.file, run.file_offset - run.first * kPageBytes}];
    sum += run.count;
    if (sum <= best_pages) continue;
    best_pages = sum;
    best = &run;
  }
  return best;
}

void add_extents(std::span<const PageRun> runs, uint64_t pages_min, std::vector<PageRun>& extents) {
  const PageRun* const content = main_content(runs);
  if (content == nullptr) return;
  std::optional<PageRun> extent;
  uint64_t pages = 0;
  const auto end_extent = [&] {
    if (extent && pages >= pages_min && pages * 2 >= extent->count) extents.push_back(*extent);
  };
  for (const PageRun& run : runs) {
    if (run.is_read() || !run.continues(*content)) continue;
    if (!extent || run.first - extent->end() > kGapPagesMax) {
      end_extent();
      extent = run;
      pages = 0;
    }
    extent->count = run.end() - extent->first;
    pages += run.count;
  }
  end_extent();
}

}  // namespace

std::vector<PageRun> mappable_extents(const SavedMemory& state, uint64_t pages_min) {
  std::vector<PageRun> extents;
  for (size_t first = 0, next = 0; first < state.runs.size(); first = next) {
    while (next < state.runs.size() && state.runs[next].region == state.runs[first].region) ++next;
    add_extents(std::span(state.runs).subspan(first, next - first), pages_min, extents);
  }
  return extents;
}

}  // namespace mayfly::vmm
