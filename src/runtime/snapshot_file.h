// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// SnapshotFile: a snapshot in a file (docs/formats/snapshot.md), opened. Its pages are read where a
// guest touches them, and never mapped, unless the file is sealed: whatever its owner does to it
// ends calls, and takes no page from the host.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/fd.h"
#include "base/hash.h"
#include "base/mapping.h"
#include "base/result.h"
#include "image/image.h"
#include "image/snapshot_format.h"
#include "vmm/saved_memory.h"

namespace mayfly::runtime {

class SnapshotFile;
using SnapshotFilePtr = std::shared_ptr<const SnapshotFile>;

// Immutable; shareable between threads.
class SnapshotFile {
  struct Private {
    explicit Private() = default;
  };

 public:
  // Reads header and metadata, and checks their checksums. A file that others than its owner may
  // change, or whose owner is neither this user nor root, is copied first.
  // Errors: kInvalid, kUnsupported (another version), kHost.
  static Result<SnapshotFilePtr> open(Fd file);
  // The same, whose messages name the path. What is no regular file is refused.
  static Result<SnapshotFilePtr> open(const std::string& path);
  // Use open().
  explicit SnapshotFile(Private) {}

  const image::SnapshotHeader& header() const { return header_; }
  const image::SnapshotMetadata& metadata() const { return metadata_; }

  // The image in it, as a file of its own that nobody changes, checked and fit for this CPU.
  // Errors: those of Image::open() and Image::check_cpu().
  Result<std::unique_ptr<image::Image>> open_image() const;
  // That every byte of image and pages is as it was saved. One pass over all of them.
  // Errors: kInvalid with what differs; kHost.
  Result<void> verify() const;
  // That this user's Mayfly wrote it: by the installation's key in the folder, then verify().
  // Errors: kInvalid with the reason; kHost.
  Result<void> check_origin() const;

  // The pages as a saved memory of the image, which fits and lives as long as it: check first.
  vmm::SavedMemory memory(const image::Image& image) const;

 private:
  Fd file_;
  vmm::FileStamp stamp_;
  Mapping sealed_;  // all of the file, when it is sealed
  image::SnapshotHeader header_;
  image::SnapshotMetadata metadata_;
};

}  // namespace mayfly::runtime
