// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// SavedMemory: what a guest's memory holds at one moment between calls. It names content that
// its maker keeps; the same content under the same address or file offset is the same content,
// so two states that share pages are compared run by run, not byte by byte.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/result.h"

namespace mayfly::vmm {

// How a file looks while nobody writes to it. Its name and links may change.
struct FileStamp {
  uint64_t bytes = 0;
  int64_t modified_s = 0;
  int64_t modified_ns = 0;
  // Errors: kHost.
  static Result<FileStamp> of(int file);
  bool operator==(const FileStamp&) const = default;
};

// Pages [first, first + count) of one region and where their content is: at bytes, which stay
// readable and unchanged; or, with bytes null, in a file that may be cut short or changed at any
// time, so that it is only ever read, never mapped.
struct PageRun {
  uint32_t region = 0;
  uint64_t first = 0;
  uint64_t count = 0;
  const uint8_t* bytes = nullptr;
  int file = -1;  // with bytes, can be mapped instead of copied; -1: only bytes
  uint64_t file_offset = 0;
  const FileStamp* stamp = nullptr;  // of a file without bytes, where a change is to be noticed

  uint64_t end() const { return first + count; }
  // The run without its first `pages` pages, cut to `pages_max`.
  PageRun part(uint64_t pages, uint64_t pages_max) const;
  // Whether both name the same content for their first page.
  bool same_content(const PageRun& other) const;
  bool is_zero() const { return bytes == nullptr && file < 0; }
  // Whether its content has to be read, which costs time and may fail.
  bool is_read() const { return bytes == nullptr && file >= 0; }
  // Whether one mapping of the file serves both.
  bool continues(const PageRun& other) const;
};

struct SavedMemory {
  std::vector<uint64_t> region_bytes;  // one per region of the VmConfig, in its order
  // Sorted by region and page, disjoint, inside region_bytes. Pages in no run are zero.
  std::vector<PageRun> runs;

  // The run that holds a page, or null: the page is zero.
  const PageRun* find(uint32_t region, uint64_t page) const;
  // Copies one page's content, which may be zero. Errors: those of copy_pages().
  Result<void> copy_page(uint32_t region, uint64_t page, uint8_t* to) const;
};

// Copies a run's content. Errors: kInvalid when its file is shorter than the run, or is not as its
// stamp says; kHost.
Result<void> copy_pages(const PageRun& run, uint8_t* to);

using PieceVisitor = std::function<Result<void>(const PageRun&)>;

// Calls back for each piece of `to` whose content is not that of `from`, in order; with bytes
// null and file -1 where the content is zero. `from` null: an all-zero memory. Takes time in
// proportion to the number of runs. Stops at the first error.
Result<void> for_each_difference(const SavedMemory* from, const SavedMemory& to,
                                 const PieceVisitor& visit);

// The same for all content of pages [first, first + count) of a region.
Result<void> for_each_piece(const SavedMemory& state, uint32_t region, uint64_t first,
                            uint64_t count, const PieceVisitor& visit);

// Ranges worth one mapping of a file that stays as it is, sorted: in each, the file has pages in
// the order of memory, at least pages_min of them and at least half; for_each_piece() tells which
// are others'.
std::vector<PageRun> mappable_extents(const SavedMemory& state, uint64_t pages_min);

}  // namespace mayfly::vmm
