// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Opening and verifying. Everything is read into memory of the host's before it is looked at.
#include "runtime/snapshot_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "guest_abi/layout.h"
#include "image/origin_mark.h"
#include "image/stable_file.h"
#include "runtime/installation_key.h"

namespace mayfly::runtime {
namespace {

using guest_abi::kPageBytes;
using image::SnapshotRun;
using image::WhoChanges;

constexpr char kWhat[] = "the snapshot's file";

Result<Hash> hash_of(std::string_view purpose, int file, uint64_t offset, uint64_t bytes) {
  constexpr uint64_t kBytesAtOnce = uint64_t{256} << 10;
  Hasher hasher(purpose);
  std::vector<uint8_t> buffer(std::min(bytes, kBytesAtOnce));
  for (uint64_t done = 0; done < bytes;) {
    const auto part = std::span(buffer).first(std::min(bytes - done, kBytesAtOnce));
    MAYFLY_TRY(read_range(file, offset + done, part, kWhat));
    hasher.update(part);
    done += part.size();
  }
  return hasher.finish();
}

Result<uint64_t> size_of(int file, struct stat& status) {
  if (::fstat(file, &status) != 0) return host_error("fstat of a snapshot");
  if (!S_ISREG(status.st_mode)) return invalid("a snapshot is a regular file");
  const auto size = static_cast<uint64_t>(status.st_size);
  if (size > image::kSnapshotFileBytesMax) {
    return limit("a snapshot of " + std::to_string(size) + " bytes, past the limit of " +
                 std::to_string(image::kSnapshotFileBytesMax));
  }
  return size;
}

}  // namespace

Result<SnapshotFilePtr> SnapshotFile::open(const std::string& path) {
  // Not to wait for who writes to a pipe of that name.
  Fd file = MAYFLY_TRY(open_file(path, O_RDONLY | O_NONBLOCK));
  auto opened = open(std::move(file));
  if (!opened) return with_context(path, std::move(opened).error());
  return opened;
}

Result<SnapshotFilePtr> SnapshotFile::open(Fd file) {
  auto opened = std::make_shared<SnapshotFile>(Private());
  struct stat status{};
  const uint64_t size = MAYFLY_TRY(size_of(file.get(), status));
  const WhoChanges who = image::who_changes(file.get(), status);
  if (who == WhoChanges::kOthers) {
    file = MAYFLY_TRY(image::sealed_copy("mayfly-snapshot", file.get(), 0, size));
  }
  opened->stamp_ = MAYFLY_TRY(vmm::FileStamp::of(file.get()));
  std::vector<uint8_t> header(std::min(size, image::kSnapshotHeaderBytes));
  MAYFLY_TRY(read_range(file.get(), 0, header, kWhat));
  opened->header_ = MAYFLY_TRY(image::decode_snapshot_header(header, size));
  std::vector<uint8_t> metadata(opened->header_.metadata_bytes);
  MAYFLY_TRY(read_range(file.get(), opened->header_.metadata_offset, metadata, kWhat));
  if (image::snapshot_metadata_hash(metadata) != opened->header_.metadata) {
    return invalid("the snapshot's metadata, " + std::to_string(metadata.size()) +
                   " bytes at byte " + std::to_string(opened->header_.metadata_offset) +
                   ", is damaged: its checksum differs");
  }
  opened->metadata_ = MAYFLY_TRY(image::decode_snapshot_metadata(metadata));
  if (who != WhoChanges::kOwner && size != 0) {
    opened->sealed_ = MAYFLY_TRY(
        Mapping::file(file.get(), 0, size, Mapping::Access::kRead, Mapping::Sharing::kPrivate));
  }
  opened->file_ = std::move(file);
  return SnapshotFilePtr(std::move(opened));
}

Result<std::unique_ptr<image::Image>> SnapshotFile::open_image() const {
  Fd copy = MAYFLY_TRY(
      image::sealed_copy("mayfly-image", file_.get(), header_.image_offset, header_.image_bytes));
  auto image = image::Image::open(std::move(copy));
  if (!image) return with_context("the snapshot's image", std::move(image).error());
  MAYFLY_TRY((*image)->check_cpu());
  return image;
}

Result<void> SnapshotFile::verify() const {
  uint64_t image_bytes = header_.image_bytes;
  std::vector<uint8_t> end(std::min<uint64_t>(image_bytes, image::kOriginMarkBytes));
  MAYFLY_TRY(read_range(file_.get(), header_.image_offset + image_bytes - end.size(), end, kWhat));
  if (image::has_origin_mark(end)) image_bytes -= image::kOriginMarkBytes;
  const Hash found =
      MAYFLY_TRY(hash_of(image::kImageHashPurpose, file_.get(), header_.image_offset, image_bytes));
  if (found != header_.image) {
    return invalid("the snapshot's image, " + std::to_string(header_.image_bytes) +
                   " bytes at byte " + std::to_string(header_.image_offset) +
                   ", is damaged: its checksum differs");
  }
  const Hash pages = MAYFLY_TRY(hash_of(image::kPagesHashPurpose, file_.get(), header_.pages_offset,
                                        header_.page_count * kPageBytes));
  if (pages == header_.pages) return {};
  return invalid("the snapshot's pages, " + std::to_string(header_.page_count) + " from byte " +
                 std::to_string(header_.pages_offset) + " on, are damaged: their checksum differs");
}

Result<void> SnapshotFile::check_origin() const {
  if (!header_.has_origin()) return invalid("it has no mark of origin");
  auto key = load_installation_key(MAYFLY_TRY(installation_key_folder()));
  if (!key && key.error().errno_value == ENOENT) {
    return invalid("its mark of origin is another installation's, as this one has made none");
  }
  if (!key) return std::move(key).error();
  if (!equal_in_constant_time(image::snapshot_origin(*key, header_), header_.origin)) {
    return invalid("its mark of origin is another installation's, or the file was changed");
  }
  return verify();
}

vmm::SavedMemory SnapshotFile::memory(const image::Image& image) const {
  vmm::SavedMemory memory;
  memory.region_bytes = metadata_.region_bytes;
  memory.runs.reserve(metadata_.runs.size());
  uint64_t next = header_.pages_offset;
  for (const SnapshotRun& run : metadata_.runs) {
    vmm::PageRun made{run.region, run.first, run.count};
    if (run.kind == SnapshotRun::Kind::kImage) {
      made.file = image.file();
      made.file_offset = image.regions()[run.region].file_offset + run.first * kPageBytes;
      made.bytes = image.file_bytes().data() + made.file_offset;
    } else {
      made.file = file_.get();
      made.file_offset = next;
      next += run.count * kPageBytes;
      if (sealed_.data() != nullptr) {
        made.bytes = sealed_.data() + made.file_offset;
      } else {
        made.stamp = &stamp_;
      }
    }
    memory.runs.push_back(made);
  }
  return memory;
}

}  // namespace mayfly::runtime
