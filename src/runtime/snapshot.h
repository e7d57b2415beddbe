// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Snapshot: the state of a running image between calls, from which it can be put back or started
// anew, any number of times. Snapshots share the pages that they have in common.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "image/image.h"
#include "runtime/page_store.h"
#include "runtime/port_handler.h"
#include "runtime/snapshot_file.h"
#include "vmm/saved_memory.h"
#include "vmm/vm.h"

namespace mayfly::runtime {

class Snapshot;
using SnapshotPtr = std::shared_ptr<const Snapshot>;

// Immutable; shareable between threads.
class Snapshot {
  struct Private {
    explicit Private() = default;
  };

 public:
  // What a snapshot holds beside memory.
  struct Rest {
    const image::Image* image = nullptr;
    std::vector<bool> instantiated;  // by step of the plan
    std::shared_ptr<const HostState> host;
  };
  // region_bytes are the sizes now. parent is the reference of the Vm that the pages are of, or
  // null; touched are the pages that may differ from it, in any order. Copies what differs.
  // Errors: kHost.
  static Result<SnapshotPtr> create(std::vector<uint64_t> region_bytes, const SnapshotPtr& parent,
                                    std::vector<vmm::PageView> touched, Rest rest);
  // The snapshot in a file, of the image that it fits. Takes time in proportion to its runs.
  // Errors: kInvalid when it does not fit.
  static Result<SnapshotPtr> create(std::shared_ptr<const SnapshotFile> file,
                                    const image::Image& image);
  // Use create().
  Snapshot(Private, Rest rest) : rest_(std::move(rest)) {}

  const vmm::SavedMemory& memory() const { return memory_; }
  const Rest& rest() const { return rest_; }
  // Pages that are not zero.
  uint64_t page_count() const;
  // Of these, what its own store holds: the others are shared with the snapshots before it.
  uint64_t own_page_count() const { return own_pages_; }

 private:
  Result<void> gather();

  vmm::SavedMemory memory_;
  // What runs are in.
  std::vector<std::shared_ptr<const PageStore>> stores_;
  std::shared_ptr<const SnapshotFile> file_;
  uint64_t own_pages_ = 0;
  Rest rest_;
};

}  // namespace mayfly::runtime
