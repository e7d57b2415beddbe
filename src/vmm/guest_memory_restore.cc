// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Putting memory back to a saved state. Invariant, between calls: every page outside touched_
// holds what reference_ says, or zeros while there is no reference.
//
// Copying back a page that the guest writes in each call is much cheaper than dropping it or
// having its write reported again: either costs a fault (reference: probe pool_reset). So pages
// stay in the set, and the set starts anew when many of them are idle.
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/check.h"
#include "vmm/guest_memory.h"
#include "vmm/vm_config.h"

namespace mayfly::vmm {

using guest_abi::kPageBytes;

namespace {

using PageBytes = std::array<uint8_t, kPageBytes>;
alignas(kPageBytes) constexpr PageBytes kZeroPage{};

}  // namespace

void GuestMemory::note_write(uint64_t gpa) {
  for (uint32_t number = 0; number < ranges_.size(); ++number) {
    const Range& range = ranges_[number];
    const uint64_t offset = gpa - range.gpa;
    if (!range.in_arena || offset >= pages_of(range.bytes)) continue;
    touched_.add(number, offset / kPageBytes, range.host + offset);
    return;
  }
  // A page of the host's own, such as the trap stack: no state.
}

void GuestMemory::note_host_write(const Range& range, uint64_t offset, uint64_t bytes) {
  if (options_.tracking == Tracking::kOff || bytes == 0) return;
  const auto number = static_cast<uint32_t>(&range - ranges_.data());
  for (uint64_t page = offset / kPageBytes; page <= (offset + bytes - 1) / kPageBytes; ++page) {
    touched_.add(number, page, range.host + page * kPageBytes);
  }
}

// What the image's file put into memory is not zero, although nobody wrote it.
void GuestMemory::note_file_pages() {
  for (const Range& range : ranges_) {
    if (range.in_arena) note_host_write(range, 0, range.file_bytes);
  }
}

std::vector<PageView> GuestMemory::touched_pages() {
  if (reference_ == nullptr) note_file_pages();
  std::vector<PageView> result;
  result.reserve(touched_.pages().size());
  for (const TouchedPage& page : touched_.pages()) {
    if (page.range < stack_range()) result.push_back({page.range, page.page, page.host});
  }
  return result;
}

void GuestMemory::set_reference(const SavedMemory& state) {
  if (reference_ == nullptr) note_file_pages();
  reference_ = &state;
  forget_sources();
  if (touched_.pages().size() <= kTouchedPagesMax) return;
  touched_.clear();
  wants_fresh_reports_ = true;
}

void GuestMemory::forget_sources() {
  touched_.forget_sources();
  pages_read_.clear();
}

Result<RestoreCount> GuestMemory::restore(const SavedMemory& state) {
  CHECK(state.region_bytes.size() == stack_range(), state.region_bytes.size(), stack_range());
  if (reference_ == nullptr) note_file_pages();
  for (size_t region = 0; region < state.region_bytes.size(); ++region) {
    if (ranges_[region].bytes != state.region_bytes[region]) {
      MAYFLY_TRY(resize(region, state.region_bytes[region]));
    }
  }
  if (reference_ != &state) MAYFLY_TRY(adopt(state));
  note_host_write(ranges_[call_page_range()], 0, kCallPageBytesTracked);
  RestoreCount count;
  for (TouchedPage& page : touched_.pages()) MAYFLY_TRY(put_back(page, state, count));
  MAYFLY_TRY(forget_idle_pages(state, count));
  return count;
}

// Brings pages that nobody touched from the reference's content to that of `state`.
Result<void> GuestMemory::adopt(const SavedMemory& state) {
  std::vector<PageRun> changes;
  uint64_t pages_changed = 0;
  MAYFLY_TRY(for_each_difference(reference_, state, [&](const PageRun& run) {
    changes.push_back(run);
    pages_changed += run.count;
    return Result<void>();
  }));
  reference_ = &state;
  forget_sources();
  const std::vector<PageRun> extents =
      pages_changed < kMapPagesMin ? std::vector<PageRun>() : mappable_extents(state, kMapPagesMin);
  size_t next = 0;
  for (const PageRun& extent : extents) {
    const auto is_before = [&](const PageRun& run) {
      return run.region < extent.region ||
             (run.region == extent.region && run.first < extent.first);
    };
    while (next < changes.size() && is_before(changes[next])) MAYFLY_TRY(put(changes[next++]));
    size_t end = next;
    uint64_t pages = 0;
    while (end < changes.size() && changes[end].region == extent.region &&
           changes[end].end() <= extent.end()) {
      pages += changes[end++].count;
    }
    if (pages < kMapPagesMin || content_mappings_ >= kContentMappingsMax) continue;
    MAYFLY_TRY(put_extent(extent, state));
    next = end;
  }
  while (next < changes.size()) MAYFLY_TRY(put(changes[next++]));
  return {};
}

// Content that differs from what is there, for pages in and outside the touched set; chunks that
// are to be read, now or since before, wait for their first touch.
Result<void> GuestMemory::put(const PageRun& run) {
  Range& range = ranges_[run.region];
  if (!range.is_lazy || (!run.is_read() && range.unread_count == 0)) return put_now(run);
  const uint64_t end = run.end() * kPageBytes;
  uint64_t start = run.first * kPageBytes;  // of what is to be put now
  const auto put_before = [&](uint64_t offset) {
    return start < offset ? put_now(run.part(start / kPageBytes - run.first,  //
                                             (offset - start) / kPageBytes))
                          : Result<void>();
  };
  for (uint64_t at = start, next = 0; at < end; at = next) {
    next = std::min(end, (at / kChunkBytes + 1) * kChunkBytes);
    const bool waits = is_unread(range, at) || (run.is_read() && !is_present(range, at));
    if (!waits) continue;
    set_unread(range, at / kChunkBytes, true);
    MAYFLY_TRY(put_before(at));
    start = next;
  }
  return put_before(end);
}

Result<void> GuestMemory::put_now(const PageRun& run) {
  if (run.is_zero() && run.count >= kMapPagesMin) return map_content(run);
  uint8_t* const host = ranges_[run.region].host + run.first * kPageBytes;
  if (!run.is_zero()) return copy_pages(run, host);
  std::memset(host, 0, run.count * kPageBytes);
  return {};
}

// One mapping for most of an extent, and copies of what is not in it.
Result<void> GuestMemory::put_extent(const PageRun& extent, const SavedMemory& state) {
  MAYFLY_TRY(map_content(extent));
  const uint8_t* const host = ranges_[extent.region].host;
  return for_each_piece(
      state, extent.region, extent.first, extent.count, [&](const PageRun& piece) -> Result<void> {
        if (piece.continues(extent)) return {};
        if (!piece.is_zero()) return put(piece);
        // Mostly a hole of the file, which a write would fill.
        for (uint64_t page = 0; page < piece.count; ++page) {
          const PageRun one = piece.part(page, 1);
          if (std::memcmp(host + one.first * kPageBytes, kZeroPage.data(), kPageBytes) != 0) {
            MAYFLY_TRY(put(one));
          }
        }
        return {};
      });
}

// A mapping of the run's file, or of nothing, over what is there.
Result<void> GuestMemory::map_content(const PageRun& run) {
  Range& range = ranges_[run.region];
  CHECK(range.in_arena && range.protection == Protection::kReadWrite, run.region);
  const uint64_t offset = run.first * kPageBytes;
  const uint64_t bytes = run.count * kPageBytes;
  uint8_t* const host = range.host + offset;
  const int flags = MAP_PRIVATE | MAP_NORESERVE | MAP_FIXED | (run.is_zero() ? MAP_ANONYMOUS : 0);
  is_one_mapping_ = false;
  // SAFETY: [host, host + bytes) is inside the arena, which keeps owning the addresses.
  if (::mmap(host, bytes, PROT_READ | PROT_WRITE, flags, run.file,
             static_cast<off_t>(run.file_offset)) == MAP_FAILED) {
    return host_error("mmap of " + std::to_string(bytes) + " bytes of saved memory");
  }
  ::madvise(host, bytes, MADV_NOHUGEPAGE);
  if (run.is_zero()) return {};
  ++content_mappings_;
  range.file_bytes = std::max(range.file_bytes, offset + bytes);
  if (!range.is_lazy) return {};
  // Populating a chunk would copy the file's pages: the guest gets them as they are.
  const uint64_t end = (offset + bytes) / kChunkBytes * kChunkBytes;
  for (uint64_t at = round_up(std::max(offset, kEagerBytes), kChunkBytes); at < end;
       at += kChunkBytes) {
    const uint64_t chunk = at / kChunkBytes;
    if (chunk >= range.chunks_present.size()) range.chunks_present.resize(chunk + 1);
    if (range.chunks_present[chunk]) continue;
    range.chunks_present[chunk] = true;
    set_unread(range, chunk, false);
    MAYFLY_TRY(map_range(range, at, at + kChunkBytes));
  }
  return {};
}

Result<void> GuestMemory::put_back(TouchedPage& page, const SavedMemory& state,
                                   RestoreCount& count) {
  if (page.source == nullptr) {
    const PageRun* const run =
        page.range < stack_range() ? state.find(page.range, page.page) : nullptr;
    if (run == nullptr) {
      page.source = kZeroPage.data();
    } else if (run->bytes != nullptr) {
      page.source = run->bytes + (page.page - run->first) * kPageBytes;
    }
  }
  PageBytes read;
  const uint8_t* source = page.source;
  if (source == nullptr) {
    MAYFLY_TRY(state.copy_page(page.range, page.page, read.data()));
    source = read.data();
    // Unless the set is about to start anew, for the next time.
    if (touched_.pages().size() <= kTouchedPagesMax) {
      page.source = pages_read_.emplace_back(read).data();
    }
  }
  ++count.pages_compared;
  if (std::memcmp(page.host, source, kPageBytes) == 0) {
    ++page.unchanged;
    return {};
  }
  page.unchanged = 0;
  ++count.pages_copied;
  std::memcpy(page.host, source, kPageBytes);
  return {};
}

Result<void> GuestMemory::forget_idle_pages(const SavedMemory& state, RestoreCount& count) {
  const std::vector<TouchedPage>& pages = touched_.pages();
  const bool too_many = pages.size() > kTouchedPagesMax;
  const auto idle = std::count_if(pages.begin(), pages.end(), [](const TouchedPage& page) {
    return page.unchanged >= kUnchangedMax;
  });
  if (!too_many && static_cast<size_t>(idle) < kIdlePagesMax) return {};
  MAYFLY_TRY(drop_zero_pages(state, count));
  touched_.clear();
  pages_read_.clear();
  wants_fresh_reports_ = true;
  return {};
}

// Gives pages that are zeros back to the host, those of a burst or idle ones.
Result<void> GuestMemory::drop_zero_pages(const SavedMemory& state, RestoreCount& count) {
  std::vector<TouchedPage> zeros;
  const bool too_many = touched_.pages().size() > kTouchedPagesMax;
  for (const TouchedPage& page : touched_.pages()) {
    const bool leaves = too_many || page.unchanged >= kUnchangedMax;
    const bool is_state = page.range < stack_range();
    const bool has_file = page.page * kPageBytes < ranges_[page.range].file_bytes;
    if (leaves && is_state && !has_file && state.find(page.range, page.page) == nullptr) {
      zeros.push_back(page);
    }
  }
  std::sort(zeros.begin(), zeros.end(),
            [](const TouchedPage& a, const TouchedPage& b) { return a.host < b.host; });
  for (size_t first = 0, next = 0; first < zeros.size(); first = next) {
    next = first + 1;
    while (next < zeros.size() && zeros[next].host == zeros[next - 1].host + kPageBytes) ++next;
    if (::madvise(zeros[first].host, (next - first) * kPageBytes, MADV_DONTNEED) != 0) {
      return host_error("madvise(MADV_DONTNEED) of saved memory");
    }
    count.pages_dropped += next - first;
  }
  return {};
}

}  // namespace mayfly::vmm
