// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// TouchedPages: the pages that may differ from the state last restored, each once. A page that
// is put back stays in the set, because its next write is not reported again; the set is emptied
// once its owner has made all writes reportable again.
#pragma once

#include <cstdint>
#include <vector>

namespace mayfly::vmm {

struct TouchedPage {
  uint32_t range = 0;
  uint32_t unchanged = 0;  // restores in a row that found nothing to put back
  uint64_t page = 0;       // in its range
  uint8_t* host = nullptr;
  const uint8_t* source = nullptr;  // where its saved content is, if known
};

class TouchedPages {
 public:
  // host: of the page. Returns whether it is new.
  bool add(uint32_t range, uint64_t page, uint8_t* host) {
    if (range >= present_.size()) present_.resize(range + 1);
    std::vector<uint64_t>& bits = present_[range];
    const uint64_t word = page / 64;
    const uint64_t bit = uint64_t{1} << (page % 64);
    if (word >= bits.size()) bits.resize(word + 1);
    if ((bits[word] & bit) != 0) return false;
    bits[word] |= bit;
    pages_.push_back({range, 0, page, host, nullptr});
    return true;
  }

  std::vector<TouchedPage>& pages() { return pages_; }

  // Takes out what `leaves` says, keeping the order.
  template <typename Predicate>
  void remove_if(const Predicate& leaves) {
    size_t kept = 0;
    for (TouchedPage& page : pages_) {
      if (leaves(page)) {
        present_[page.range][page.page / 64] &= ~(uint64_t{1} << (page.page % 64));
      } else {
        pages_[kept++] = page;
      }
    }
    pages_.resize(kept);
  }

  void clear() {
    for (std::vector<uint64_t>& bits : present_) bits.clear();
    pages_.clear();
  }

  void forget_sources() {
    for (TouchedPage& page : pages_) page.source = nullptr;
  }

 private:
  std::vector<std::vector<uint64_t>> present_;  // a bit per page, per range
  std::vector<TouchedPage> pages_;
};

}  // namespace mayfly::vmm
