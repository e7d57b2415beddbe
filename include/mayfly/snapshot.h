// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Snapshot: the state of a sandbox between two calls: memory, globals, tables, open files.
// Sandbox::snapshot() takes one; sandboxes go back to it, or start from it, any number of times.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "mayfly/export.h"

namespace mayfly {

namespace runtime {
struct SandboxSnapshot;
}

// A handle; copies are the same snapshot, which lives as long as a handle or a sandbox needs it.
// Snapshots share the pages that they have in common, and hold none that are zeros.
// Immutable: any thread may use it at any time.
class MAYFLY_API Snapshot {
 public:
  // Pages of 4,096 bytes that are not zero, and of these the ones that no earlier snapshot holds.
  uint64_t page_count() const;
  uint64_t own_page_count() const;

  // The library's own.
  explicit Snapshot(std::shared_ptr<const runtime::SandboxSnapshot> state)
      : state_(std::move(state)) {}
  const std::shared_ptr<const runtime::SandboxSnapshot>& state() const { return state_; }

 private:
  std::shared_ptr<const runtime::SandboxSnapshot> state_;
};

}  // namespace mayfly
