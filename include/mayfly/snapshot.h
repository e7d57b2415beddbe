// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Snapshot: the state of a sandbox between two calls: memory, globals, tables, open files.
// Sandbox::snapshot() takes one; sandboxes go back to it, or start from it, any number of times.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "mayfly/export.h"
#include "mayfly/result.h"

namespace mayfly {

namespace runtime {
struct SandboxSnapshot;
}

struct SnapshotFileOptions {
  // Compare every byte of the file with its checksums. Takes about 2 s for each GiB.
  bool verify = false;
  // Start on Driver::kProcess what another installation saved, or nobody knows who. Memory holds
  // addresses of code: with that driver, such a file is as good as code of its maker's choice.
  bool trust = false;
};

// A handle; copies are the same snapshot, which lives as long as a handle or a sandbox needs it.
// Snapshots share the pages that they have in common, and hold none that are zeros.
// Immutable: any thread may use it at any time.
class MAYFLY_API Snapshot {
 public:
  // Pages of 4,096 bytes that are not zero, and of these the ones that no earlier snapshot holds.
  uint64_t page_count() const;
  uint64_t own_page_count() const;

  // Writes the snapshot and the image of its program to a file that Linker::load_snapshot() and
  // `mayfly run` start from (docs/formats/snapshot.md), for its owner alone. The file is there
  // whole under its name, replacing what was there, or not at all.
  // Takes about 2 s for each GiB of pages, most of it for their checksum.
  // Errors, which name the path: kState when the program has files open besides those that it was
  // given, which a file cannot hold; kInvalid when the path is no regular file; kHost.
  Result<void> save(std::string_view path) const;

  // The library's own.
  explicit Snapshot(std::shared_ptr<const runtime::SandboxSnapshot> state)
      : state_(std::move(state)) {}
  const std::shared_ptr<const runtime::SandboxSnapshot>& state() const { return state_; }

 private:
  std::shared_ptr<const runtime::SandboxSnapshot> state_;
};

}  // namespace mayfly
