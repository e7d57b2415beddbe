// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Putting a guest's files back to a saved state. Nothing reports the child's writes, but its
// memory is files that hold only what was touched: every page that they hold is compared.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "base/check.h"
#include "vmm/process/process_vm.h"

namespace mayfly::vmm::process {

using guest_abi::kPageBytes;

// Holes of the files are skipped: they are zeros.
Result<void> ProcessVm::for_each_resident_page(const PageVisitor& visit) {
  for (const Range& range : ranges_) {
    if (!range.writable || range.child.bytes == 0) continue;
    const auto start = static_cast<off_t>(range.child.file_offset);
    const auto end = start + static_cast<off_t>(range.bytes);
    off_t at = start;
    while (at < end) {
      const off_t data = ::lseek(range.child.file, at, SEEK_DATA);
      if (data < 0 && errno != ENXIO) return host_error("lseek(SEEK_DATA) in a guest's memory");
      if (data < 0 || data >= end) break;
      const off_t hole = ::lseek(range.child.file, data, SEEK_HOLE);
      if (hole < 0) return host_error("lseek(SEEK_HOLE) in a guest's memory");
      const auto first = static_cast<uint64_t>(data - start) / kPageBytes;
      at = std::min(hole, end);
      const uint64_t last = (static_cast<uint64_t>(at - start) + kPageBytes - 1) / kPageBytes;
      for (uint64_t page = first; page < last; ++page) {
        MAYFLY_TRY(visit(range, page, range.host + page * kPageBytes));
      }
    }
  }
  return {};
}

Result<std::vector<PageView>> ProcessVm::touched_pages() {
  std::vector<PageView> result;
  MAYFLY_TRY(for_each_resident_page([&](const Range& range, uint64_t page, uint8_t* host) {
    const auto region = static_cast<uint32_t>(&range - ranges_.data());
    if (region < region_count_) result.push_back({region, page, host});
    return Result<void>();
  }));
  return result;
}

// Nothing to remember: every page is looked at each time.
Result<void> ProcessVm::set_reference(const SavedMemory& /*state*/) { return {}; }

Result<RestoreCount> ProcessVm::restore(const SavedMemory& state) {
  CHECK(state.region_bytes.size() == region_count_, state.region_bytes.size(), region_count_);
  end_call({});
  for (size_t region = 0; region < region_count_; ++region) {
    if (ranges_[region].bytes != state.region_bytes[region]) {
      MAYFLY_TRY(resize(region, state.region_bytes[region]));
    }
  }
  RestoreCount count;
  MAYFLY_TRY(
      for_each_resident_page([&](const Range& range, uint64_t page, uint8_t* host) -> Result<void> {
        std::array<uint8_t, kPageBytes> wanted{};
        const auto region = static_cast<uint32_t>(&range - ranges_.data());
        if (region < region_count_) MAYFLY_TRY(state.copy_page(region, page, wanted.data()));
        ++count.pages_compared;
        if (std::memcmp(host, wanted.data(), kPageBytes) == 0) return {};
        ++count.pages_copied;
        std::memcpy(host, wanted.data(), kPageBytes);
        return {};
      }));
  // What is a hole now was zero: the state's content there is still to be written.
  constexpr uint64_t kPagesAtOnce = 64;
  std::vector<uint8_t> wanted;
  for (const PageRun& run : state.runs) {
    for (uint64_t first = 0; first < run.count; first += kPagesAtOnce) {
      const PageRun part = run.part(first, kPagesAtOnce);
      const uint8_t* content = part.bytes;
      if (content == nullptr) {
        wanted.resize(kPagesAtOnce * kPageBytes);
        MAYFLY_TRY(copy_pages(part, wanted.data()));
        content = wanted.data();
      }
      uint8_t* to = ranges_[run.region].host + part.first * kPageBytes;
      for (uint64_t page = 0; page < part.count; ++page, to += kPageBytes, content += kPageBytes) {
        if (std::memcmp(to, content, kPageBytes) != 0) std::memcpy(to, content, kPageBytes);
      }
    }
  }
  return count;
}

}  // namespace mayfly::vmm::process
