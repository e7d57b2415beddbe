// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writing a snapshot to a file (docs/formats/snapshot.md).
#pragma once

#include <string>

#include "base/hash.h"
#include "base/result.h"
#include "image/image.h"
#include "runtime/snapshot.h"

namespace mayfly::runtime {

struct SnapshotProgram {
  const image::Image* image = nullptr;  // that the snapshot is of
  uint32_t main = 0;
  bool uses_wasi = false;
};

// The file appears under its name whole, or nothing does; for its owner alone, who may write it. It
// gets a mark of origin where the user's key can be had.
// Errors, which name the path: kState when the program has files open, which no file can hold;
// kInvalid when the path is something else than a regular file, or when a file that the snapshot
// itself came from was changed; kHost.
Result<void> save_snapshot(const Snapshot& snapshot, const SnapshotProgram& program,
                           const std::string& path);

}  // namespace mayfly::runtime
