// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Offsets are checked before they are used, sums without wrapping around.
#include "image/snapshot_format.h"

#include <algorithm>
#include <string>

#include "base/byte_writer.h"
#include "guest_abi/layout.h"
#include "image/origin_mark.h"

namespace mayfly::image {
namespace {

using guest_abi::kPageBytes;

constexpr std::array<uint8_t, 8> kMagic = {'M', 'F', 'S', 'N', 'A', 'P', 'S', 'H'};
constexpr size_t kHashBytes = std::tuple_size_v<Hash>;
constexpr uint64_t kChecksumOffset = kSnapshotHeaderBytes - kHashBytes;
constexpr size_t kRunBytes = 1 + 4 + 8 + 8;
// As many as Linux gives a process memory of, however it is cut into regions.
constexpr uint64_t kRegionBytesMax = uint64_t{1} << 46;

void put(ByteWriter& writer, std::span<const uint8_t> bytes) {
  for (const uint8_t byte : bytes) writer.u8(byte);
}

Hash get_hash(ByteReader& reader) {
  Hash hash;
  for (uint8_t& byte : hash) byte = reader.u8();
  return hash;
}

// Up to the mark of origin.
std::vector<uint8_t> claims(const SnapshotHeader& header) {
  ByteWriter writer;
  put(writer, kMagic);
  writer.u32(kSnapshotVersion);
  writer.u32(0);
  for (const uint64_t number : {header.image_offset, header.image_bytes, header.metadata_offset,
                                header.metadata_bytes, header.pages_offset, header.page_count}) {
    writer.u64(number);
  }
  for (const Hash& hash : {header.image, header.metadata, header.pages}) put(writer, hash);
  return writer.take();
}

Hash checksum(std::span<const uint8_t> header) {
  Hasher hasher("mayfly.snapheadr");
  hasher.update(header.first(kChecksumOffset));
  return hasher.finish();
}

Result<void> check_part(const char* name, uint64_t offset, uint64_t bytes, uint64_t file_bytes) {
  if (offset >= kSnapshotHeaderBytes && offset <= file_bytes && bytes <= file_bytes - offset) {
    return {};
  }
  return invalid(std::string("the snapshot's ") + name + ", " + std::to_string(bytes) +
                 " bytes at byte " + std::to_string(offset) + ", is not inside its file of " +
                 std::to_string(file_bytes) + " bytes: it was cut short");
}

}  // namespace

bool is_snapshot(std::span<const uint8_t> file) {
  return file.size() >= kMagic.size() && std::ranges::equal(file.first(kMagic.size()), kMagic);
}

SnapshotHeaderBytes encode(const SnapshotHeader& header) {
  ByteWriter writer;
  put(writer, claims(header));
  put(writer, header.origin);
  SnapshotHeaderBytes bytes{};
  std::ranges::copy(writer.bytes(), bytes.begin());
  std::ranges::copy(checksum(bytes), bytes.begin() + kChecksumOffset);
  return bytes;
}

Result<SnapshotHeader> decode_snapshot_header(std::span<const uint8_t> bytes, uint64_t file_bytes) {
  if (!is_snapshot(bytes)) return invalid("not a Mayfly snapshot");
  if (bytes.size() < kSnapshotHeaderBytes) {
    return invalid("the snapshot has " + std::to_string(bytes.size()) +
                   " bytes, fewer than the header's " + std::to_string(kSnapshotHeaderBytes));
  }
  bytes = bytes.first(kSnapshotHeaderBytes);
  ByteReader reader(bytes.subspan(kMagic.size()));
  const uint32_t version = reader.u32();
  if (version != kSnapshotVersion) {
    return unsupported("the snapshot is of format version " + std::to_string(version) +
                       ", this Mayfly reads version " + std::to_string(kSnapshotVersion));
  }
  if (!std::ranges::equal(checksum(bytes), bytes.subspan(kChecksumOffset))) {
    return invalid("the snapshot's header is damaged: its checksum differs");
  }
  SnapshotHeader header;
  reader.u32();
  for (uint64_t* const number :
       {&header.image_offset, &header.image_bytes, &header.metadata_offset, &header.metadata_bytes,
        &header.pages_offset, &header.page_count}) {
    *number = reader.u64();
  }
  for (Hash* const hash : {&header.image, &header.metadata, &header.pages, &header.origin}) {
    *hash = get_hash(reader);
  }
  if (header.metadata_bytes > kSnapshotMetadataBytesMax) {
    return invalid("the snapshot's metadata has " + std::to_string(header.metadata_bytes) +
                   " bytes, the limit is " + std::to_string(kSnapshotMetadataBytesMax));
  }
  if (header.page_count > kSnapshotFileBytesMax / kPageBytes) {
    return invalid("the snapshot has " + std::to_string(header.page_count) + " pages");
  }
  if (header.pages_offset % kPageBytes != 0) {
    return invalid("the snapshot's pages begin at byte " + std::to_string(header.pages_offset) +
                   ", which is not a page's");
  }
  MAYFLY_TRY(check_part("image", header.image_offset, header.image_bytes, file_bytes));
  MAYFLY_TRY(check_part("metadata", header.metadata_offset, header.metadata_bytes, file_bytes));
  MAYFLY_TRY(check_part("pages", header.pages_offset, header.page_count * kPageBytes, file_bytes));
  return header;
}

Hash snapshot_origin(const SecretKey& key, const SnapshotHeader& header) {
  Hasher hasher("mayfly.snapshot", key);
  hasher.update(claims(header));
  return hasher.finish();
}

std::vector<uint8_t> encode(const SnapshotMetadata& metadata) {
  ByteWriter writer;
  writer.u32(metadata.main);
  writer.u8(metadata.uses_wasi ? 1 : 0);
  writer.u32(static_cast<uint32_t>(metadata.region_bytes.size()));
  for (const uint64_t bytes : metadata.region_bytes) writer.u64(bytes);
  writer.u32(static_cast<uint32_t>(metadata.instantiated.size()));
  for (const bool is_instantiated : metadata.instantiated) writer.u8(is_instantiated ? 1 : 0);
  writer.u32(static_cast<uint32_t>(metadata.runs.size()));
  for (const SnapshotRun& run : metadata.runs) {
    writer.u8(static_cast<uint8_t>(run.kind));
    writer.u32(run.region);
    writer.u64(run.first);
    writer.u64(run.count);
  }
  return writer.take();
}

namespace {

bool flag(ByteReader& reader) {
  const uint8_t value = reader.u8();
  if (value > 1) reader.fail();
  return value == 1;
}

}  // namespace

Result<SnapshotMetadata> decode_snapshot_metadata(std::span<const uint8_t> bytes) {
  ByteReader reader(bytes);
  SnapshotMetadata metadata;
  metadata.main = reader.u32();
  metadata.uses_wasi = flag(reader);
  metadata.region_bytes.resize(reader.count(sizeof(uint64_t)));
  for (uint64_t& size : metadata.region_bytes) size = reader.u64();
  metadata.instantiated.resize(reader.count(1));
  for (size_t step = 0; step < metadata.instantiated.size(); ++step) {
    metadata.instantiated[step] = flag(reader);
  }
  metadata.runs.resize(reader.count(kRunBytes));
  for (SnapshotRun& run : metadata.runs) {
    run.kind = flag(reader) ? SnapshotRun::Kind::kImage : SnapshotRun::Kind::kStored;
    run.region = reader.u32();
    run.first = reader.u64();
    run.count = reader.u64();
  }
  MAYFLY_TRY(reader.finish("the snapshot's metadata"));
  return metadata;
}

namespace {

uint64_t pages_of(uint64_t bytes) { return (bytes + kPageBytes - 1) / kPageBytes; }

Result<void> check_sizes(const SnapshotMetadata& metadata, const Image& image) {
  if (metadata.region_bytes.size() != image.regions().size()) {
    return invalid("the snapshot has " + std::to_string(metadata.region_bytes.size()) +
                   " regions, its image " + std::to_string(image.regions().size()));
  }
  if (metadata.instantiated.size() != image.instances().size() ||
      metadata.main >= image.instances().size()) {
    return invalid("the snapshot has " + std::to_string(metadata.instantiated.size()) +
                   " instances with " + std::to_string(metadata.main) +
                   " as the main one, its "
                   "image " +
                   std::to_string(image.instances().size()));
  }
  for (size_t i = 0; i < metadata.region_bytes.size(); ++i) {
    const Region& region = image.regions()[i];
    const uint64_t bytes = metadata.region_bytes[i];
    const bool grows = region.kind == RegionKind::kMemory || region.kind == RegionKind::kTable;
    const bool fits =
        bytes <= kRegionBytesMax &&
        (grows ? bytes >= region.bytes && pages_of(bytes) <= pages_of(region.bytes_reserved)
               : pages_of(bytes) == pages_of(region.bytes));
    if (!fits) {
      return invalid("region " + std::to_string(i) + " of the snapshot has " +
                     std::to_string(bytes) + " bytes, its image's " + std::to_string(region.bytes) +
                     " to " + std::to_string(region.bytes_reserved));
    }
  }
  return {};
}

// Errors in the form of a text; empty: none.
std::string fault_of(const SnapshotRun& run, const SnapshotMetadata& metadata, const Image& image) {
  if (run.region >= image.regions().size()) return "is in no region";
  const Region& region = image.regions()[run.region];
  if (region.kind == RegionKind::kText || region.kind == RegionKind::kReadOnly) {
    return "is in a region that cannot be written";
  }
  const uint64_t pages = pages_of(metadata.region_bytes[run.region]);
  if (run.count == 0) return "is empty";
  if (run.first > pages || run.count > pages - run.first) {
    return "ends past the region's " + std::to_string(pages) + " pages";
  }
  const bool is_image = run.kind == SnapshotRun::Kind::kImage;
  if (is_image && run.first + run.count > region.file_bytes / kPageBytes) {
    return "ends past the image's " + std::to_string(region.file_bytes) + " bytes";
  }
  return {};
}

}  // namespace

Result<void> check_snapshot(const SnapshotMetadata& metadata, uint64_t page_count,
                            const Image& image) {
  MAYFLY_TRY(check_sizes(metadata, image));
  uint64_t stored = 0;
  const SnapshotRun* last = nullptr;
  for (const SnapshotRun& run : metadata.runs) {
    std::string fault = fault_of(run, metadata, image);
    if (fault.empty() && last != nullptr &&
        (run.region < last->region ||
         (run.region == last->region && run.first < last->first + last->count))) {
      fault = "does not come after the one before it";
    }
    if (!fault.empty()) {
      return invalid("the snapshot's run of " + std::to_string(run.count) + " pages from page " +
                     std::to_string(run.first) + " of region " + std::to_string(run.region) + " " +
                     fault);
    }
    if (run.kind == SnapshotRun::Kind::kStored) stored += run.count;
    last = &run;
  }
  if (stored == page_count) return {};
  return invalid("the snapshot's runs have " + std::to_string(stored) + " pages, its header says " +
                 std::to_string(page_count));
}

Hash snapshot_metadata_hash(std::span<const uint8_t> metadata) {
  Hasher hasher("mayfly.snapmeta");
  hasher.update(metadata);
  return hasher.finish();
}

Hash image_content_hash(std::span<const uint8_t> image_file) {
  Hasher hasher(kImageHashPurpose);
  hasher.update(without_origin_mark(image_file));
  return hasher.finish();
}

}  // namespace mayfly::image
