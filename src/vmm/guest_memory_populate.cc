// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Memory on demand. A guest's first touch of a page costs several times a process's, page by page;
// populated ahead in chunks it costs less than a process's (reference: probe first_touch).
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "vmm/guest_memory.h"
#include "vmm/vm_config.h"

namespace mayfly::vmm {

using guest_abi::kLargePageBytes;
using guest_abi::kPageBytes;

bool GuestMemory::is_present(const Range& range, uint64_t offset) {
  const uint64_t chunk = offset / kChunkBytes;
  return !range.is_lazy || offset < kEagerBytes ||
         (chunk < range.chunks_present.size() && range.chunks_present[chunk]);
}

bool GuestMemory::is_unread(const Range& range, uint64_t offset) {
  const uint64_t chunk = offset / kChunkBytes;
  return range.unread_count != 0 && chunk < range.chunks_unread.size() &&
         range.chunks_unread[chunk];
}

void GuestMemory::set_unread(Range& range, uint64_t chunk, bool is_unread) {
  if (chunk >= range.chunks_unread.size()) {
    if (!is_unread) return;
    range.chunks_unread.resize(chunk + 1);
  }
  if (range.chunks_unread[chunk] == is_unread) return;
  range.chunks_unread[chunk] = is_unread;
  range.unread_count += is_unread ? 1 : UINT64_MAX;
}

// Gives the chunks of [from, to) that are unread their content, whatever is there now.
Result<void> GuestMemory::read_chunks(Range& range, uint64_t from, uint64_t to) {
  if (range.unread_count == 0) return {};
  static constexpr std::array<uint8_t, kPageBytes> kZeros{};
  const auto region = static_cast<uint32_t>(&range - ranges_.data());
  const uint64_t end = pages_of(range.bytes);
  for (uint64_t at = from / kChunkBytes * kChunkBytes; at < to; at += kChunkBytes) {
    if (!is_unread(range, at)) continue;
    const uint64_t pages = (std::min(at + kChunkBytes, end) - at) / kPageBytes;
    MAYFLY_TRY(for_each_piece(*reference_, region, at / kPageBytes, pages, [&](const PageRun& run) {
      uint8_t* const host = range.host + run.first * kPageBytes;
      if (!run.is_zero()) return copy_pages(run, host);
      for (uint64_t page = 0; page < run.count; ++page) {
        uint8_t* const to_page = host + page * kPageBytes;
        if (std::memcmp(to_page, kZeros.data(), kPageBytes) != 0) {
          std::memset(to_page, 0, kPageBytes);
        }
      }
      return Result<void>();
    }));
    set_unread(range, at / kChunkBytes, false);
  }
  return {};
}

// Maps what of new pages is not to wait for a touch: the eager part, and the rest of a chunk that
// is present already.
Result<void> GuestMemory::map_grown(const Range& range, uint64_t from, uint64_t to) {
  if (!range.is_lazy) return map_range(range, from, to);
  if (from < kEagerBytes) return map_range(range, from, std::min(to, kEagerBytes));
  if (from % kChunkBytes == 0 || !is_present(range, from)) return {};
  return map_range(range, from, std::min(to, round_up(from, kChunkBytes)));
}

Result<bool> GuestMemory::populate(uint64_t address) {
  for (Range& range : ranges_) {
    const uint64_t offset = address - range.address;
    const uint64_t bytes = pages_of(range.bytes);
    if (offset >= bytes || is_present(range, offset)) continue;
    const uint64_t from = offset / kChunkBytes * kChunkBytes;
    const bool in_order =
        from >= range.populated_end && from - range.populated_end <= range.populate_bytes;
    range.populate_bytes =
        in_order ? std::clamp(2 * range.populate_bytes, kChunkBytes, kPopulateBytesMax)
                 : kChunkBytes;
    uint64_t to = from + range.populate_bytes;
    if (range.populate_bytes >= kLargePageBytes) {
      to = round_up(range.address + to, kLargePageBytes) - range.address;
    }
    if (range.unread_count != 0) to = std::min(to, from + kReadBytesMax);
    to = std::min(to, bytes);
    MAYFLY_TRY(populate_range(range, from, to));
    range.populated_end = to;
    return true;
  }
  return false;
}

Result<void> GuestMemory::populate_range(Range& range, uint64_t from, uint64_t to) {
  const uint64_t first_large = round_up(range.address + from, kLargePageBytes) - range.address;
  const uint64_t last_large = (range.address + to) / kLargePageBytes * kLargePageBytes;
  if (range.address + first_large < last_large) {
    is_one_mapping_ = false;
    // A hint: without large pages it is slower, not wrong.
    ::madvise(range.host + first_large, last_large - range.address - first_large, MADV_HUGEPAGE);
  }
  if (::madvise(range.host + from, to - from, MADV_POPULATE_WRITE) != 0) {
    // Kernels before 5.14 do not know it; the guest's touches do the same, one by one.
    if (errno != EINVAL) return host_error("populating " + std::to_string(to - from) + " bytes");
  }
  MAYFLY_TRY(read_chunks(range, from, to));
  const uint64_t chunks = round_up(to, kChunkBytes) / kChunkBytes;
  if (range.chunks_present.size() < chunks) range.chunks_present.resize(chunks);
  uint64_t start = from;  // of the run of absent chunks that at is in
  for (uint64_t at = from; at < to; at += kChunkBytes) {
    const uint64_t chunk = at / kChunkBytes;
    if (range.chunks_present[chunk]) {
      MAYFLY_TRY(map_range(range, start, at));
      start = at + kChunkBytes;
    }
    range.chunks_present[chunk] = true;
  }
  return start < to ? map_range(range, start, to) : Result<void>();
}

}  // namespace mayfly::vmm
