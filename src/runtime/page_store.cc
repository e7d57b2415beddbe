// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One memfd, written once by gathering writes, then sealed.
#include "runtime/page_store.h"

#include <fcntl.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>

#include "guest_abi/layout.h"

namespace mayfly::runtime {

using guest_abi::kPageBytes;

namespace {

constexpr size_t kPagesPerWrite = 512;  // below IOV_MAX

// The pages from `first` on that follow one another.
size_t run_length(std::span<const vmm::PageView> pages, size_t first) {
  size_t count = 1;
  while (first + count < pages.size() && count < kPagesPerWrite &&
         pages[first + count].region == pages[first].region &&
         pages[first + count].page == pages[first].page + count) {
    ++count;
  }
  return count;
}

// Writes at `offset`, whatever the kernel takes at once.
Result<void> write_pages(int file, std::span<const vmm::PageView> pages, uint64_t offset) {
  std::vector<iovec> parts;
  parts.reserve(pages.size());
  for (const vmm::PageView& page : pages) {
    parts.push_back({const_cast<uint8_t*>(page.bytes), kPageBytes});
  }
  for (size_t next = 0; next < parts.size();) {
    const ssize_t count =
        ::pwritev(file, parts.data() + next, static_cast<int>(parts.size() - next),
                  static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return host_error("writing a snapshot's pages");
    offset += static_cast<uint64_t>(count);
    auto left = static_cast<size_t>(count);
    while (next < parts.size() && left >= parts[next].iov_len) left -= parts[next++].iov_len;
    if (left != 0) {
      parts[next].iov_base = static_cast<uint8_t*>(parts[next].iov_base) + left;
      parts[next].iov_len -= left;
    }
  }
  return {};
}

}  // namespace

Result<std::shared_ptr<const PageStore>> PageStore::create(std::span<const uint64_t> region_bytes,
                                                           std::span<const vmm::PageView> pages) {
  auto store = std::make_shared<PageStore>(Private());
  uint64_t size = 0;
  for (const uint64_t bytes : region_bytes) {
    store->region_offsets_.push_back(size);
    size += (bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
  }
  store->page_count_ = pages.size();
  if (pages.empty()) return std::shared_ptr<const PageStore>(std::move(store));
  store->file_ = MAYFLY_TRY(create_memfd("mayfly-pages", size));
  MAYFLY_TRY(store->write(pages));
  constexpr int kSeals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
  if (::fcntl(store->file_.get(), F_ADD_SEALS, kSeals) != 0) {
    return host_error("sealing a snapshot's pages");
  }
  store->bytes_ = MAYFLY_TRY(Mapping::file(store->file_.get(), 0, size, Mapping::Access::kRead,
                                           Mapping::Sharing::kPrivate));
  return std::shared_ptr<const PageStore>(std::move(store));
}

Result<void> PageStore::write(std::span<const vmm::PageView> pages) const {
  for (size_t first = 0; first < pages.size();) {
    const size_t count = run_length(pages, first);
    MAYFLY_TRY(write_pages(file_.get(), pages.subspan(first, count),
                           region_offsets_[pages[first].region] + pages[first].page * kPageBytes));
    first += count;
  }
  return {};
}

vmm::PageRun PageStore::run(uint32_t region, uint64_t page) const {
  const uint64_t offset = region_offsets_[region] + page * kPageBytes;
  return {region, page, 1, bytes_.data() + offset, file_.get(), offset};
}

}  // namespace mayfly::runtime
