// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The file of a snapshot (docs/formats/snapshot.md): header, image, metadata, pages. Here are the
// header and the metadata as values; runtime/snapshot_file.h reads and writes whole files.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "image/image.h"

namespace mayfly::image {

inline constexpr uint32_t kSnapshotVersion = 1;
inline constexpr uint64_t kSnapshotHeaderBytes = 256;
inline constexpr uint64_t kSnapshotFileBytesMax = uint64_t{1} << 46;
inline constexpr uint64_t kSnapshotMetadataBytesMax = uint64_t{256} << 20;

// Whether a file begins as a snapshot does.
bool is_snapshot(std::span<const uint8_t> file);

struct SnapshotHeader {
  uint64_t image_offset = 0;
  uint64_t image_bytes = 0;  // a mark of origin included
  uint64_t metadata_offset = 0;
  uint64_t metadata_bytes = 0;
  uint64_t pages_offset = 0;  // a multiple of the page size
  uint64_t page_count = 0;
  Hash image{};     // of the image without its mark of origin
  Hash metadata{};  // of the metadata
  Hash pages{};     // of the pages
  Hash origin{};    // by the installation's key, of the header before it; zeros: none

  bool has_origin() const { return origin != Hash{}; }
};

using SnapshotHeaderBytes = std::array<uint8_t, kSnapshotHeaderBytes>;
// With its checksum.
SnapshotHeaderBytes encode(const SnapshotHeader& header);
// Errors: kInvalid (no snapshot, damaged, or with a part outside the file's file_bytes);
// kUnsupported for another version.
Result<SnapshotHeader> decode_snapshot_header(std::span<const uint8_t> bytes, uint64_t file_bytes);
Hash snapshot_origin(const SecretKey& key, const SnapshotHeader& header);

struct SnapshotRun {
  // kImage: the pages are those of the image's file, and not in the snapshot.
  enum class Kind : uint8_t { kStored, kImage };
  Kind kind = Kind::kStored;
  uint32_t region = 0;
  uint64_t first = 0;
  uint64_t count = 0;
};

struct SnapshotMetadata {
  uint32_t main = 0;  // step of the main program
  bool uses_wasi = false;
  std::vector<uint64_t> region_bytes;
  std::vector<bool> instantiated;  // by step
  std::vector<SnapshotRun> runs;   // sorted; the stored ones' pages follow each other
};

std::vector<uint8_t> encode(const SnapshotMetadata& metadata);
// Checks the form. Errors: kInvalid with the byte.
Result<SnapshotMetadata> decode_snapshot_metadata(std::span<const uint8_t> bytes);
// That it is a state of the image, with page_count pages. Errors: kInvalid with the numbers.
Result<void> check_snapshot(const SnapshotMetadata& metadata, uint64_t page_count,
                            const Image& image);

// What the hashes of the header are made for.
inline constexpr std::string_view kImageHashPurpose = "mayfly.image";
inline constexpr std::string_view kPagesHashPurpose = "mayfly.snappages";
Hash snapshot_metadata_hash(std::span<const uint8_t> metadata);
// What a snapshot knows its image by: a hash of its file, without a mark of origin.
Hash image_content_hash(std::span<const uint8_t> image_file);

}  // namespace mayfly::image
