// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Strategy: the input is the numbers of a header and its metadata. A file is made of them, with a
// valid image and checksums that fit, because no mutation finds a hash; one input in two gets a
// changed byte somewhere, so that what the checksums keep out is tried as well.
// Invariants: opening and verifying end without a crash, a leak or an allocation out of proportion;
// a file without its last byte does not open; a snapshot that fits its image has runs that are in
// order, inside regions that can be written, and inside its file, and all of them can be read.
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/byte_writer.h"
#include "base/check.h"
#include "guest_abi/layout.h"
#include "image/image_test_file.h"
#include "image/snapshot_format.h"
#include "runtime/snapshot.h"
#include "runtime/snapshot_file.h"

namespace mayfly {
namespace {

using guest_abi::kPageBytes;
using image::SnapshotHeader;
using image::SnapshotMetadata;
using runtime::Snapshot;
using runtime::SnapshotFile;

const std::vector<uint8_t>& valid_image() {
  static const std::vector<uint8_t> bytes = image::ImageTestFile().bytes();
  return bytes;
}

// What the image's states are, so that mutations start near it.
SnapshotMetadata valid_metadata() {
  SnapshotMetadata metadata;
  metadata.region_bytes = {0x1'0000, 0x100, 0x100};
  metadata.instantiated = {true};
  metadata.runs = {{image::SnapshotRun::Kind::kStored, 0, 1, 2}};
  return metadata;
}

struct Made {
  std::vector<uint8_t> file;
  uint64_t page_count = 0;
};

Made make_file(ByteReader& reader, std::span<const uint8_t> metadata) {
  const uint8_t pages = reader.u8();
  const uint8_t change = reader.u8();
  const uint32_t where = reader.u32();
  const uint8_t odd = reader.u8();
  const uint64_t number = reader.u64();
  SnapshotHeader header;
  header.image_offset = kPageBytes;
  header.image_bytes = valid_image().size();
  header.metadata_offset = header.image_offset + header.image_bytes;
  header.metadata_bytes = metadata.size();
  header.pages_offset =
      (header.metadata_offset + metadata.size() + kPageBytes - 1) / kPageBytes * kPageBytes;
  header.page_count = pages % 8;
  Made made;
  made.page_count = header.page_count;
  made.file.resize(header.pages_offset + header.page_count * kPageBytes);
  std::ranges::copy(valid_image(), made.file.begin() + static_cast<ptrdiff_t>(kPageBytes));
  std::ranges::copy(metadata, made.file.begin() + static_cast<ptrdiff_t>(header.metadata_offset));
  header.metadata = image::snapshot_metadata_hash(metadata);
  uint64_t* const fields[] = {&header.image_offset,   &header.image_bytes,  &header.metadata_offset,
                              &header.metadata_bytes, &header.pages_offset, &header.page_count};
  if (odd < std::size(fields)) {
    *fields[odd] = number;
    made.page_count = 0;  // it may end elsewhere
  }
  std::ranges::copy(encode(header), made.file.begin());
  if (change % 2 == 1) made.file[where % made.file.size()] ^= change;
  return made;
}

auto open(std::span<const uint8_t> bytes, bool is_sealed) {
  auto file = create_memfd("fuzz", 0);
  CHECK(file.has_value());
  CHECK(write_whole(file->get(), bytes).has_value());
  if (is_sealed) {
    CHECK(::fcntl(file->get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW) == 0);
  } else {
    CHECK(::fchmod(file->get(), 0600) == 0);
  }
  return SnapshotFile::open(*std::move(file));
}

void check_runs(const Snapshot& snapshot, const image::Image& image, uint64_t file_bytes) {
  const auto& memory = snapshot.memory();
  CHECK(memory.region_bytes.size() == image.regions().size());
  std::vector<uint8_t> page(kPageBytes);
  const vmm::PageRun* last = nullptr;
  for (const vmm::PageRun& run : memory.runs) {
    CHECK(run.count > 0 && run.region < memory.region_bytes.size());
    CHECK(run.end() <= (memory.region_bytes[run.region] + kPageBytes - 1) / kPageBytes);
    CHECK(image.regions()[run.region].kind != image::RegionKind::kText);
    CHECK(run.file_offset % kPageBytes == 0 &&
          (run.file == image.file() || run.file_offset + run.count * kPageBytes <= file_bytes));
    if (last != nullptr && last->region == run.region) CHECK(last->end() <= run.first);
    for (uint64_t i = 0; i < run.count; ++i) {
      CHECK(copy_pages(run.part(i, 1), page.data()).has_value());
    }
    last = &run;
  }
}

void try_file(const Made& made, bool is_sealed) {
  const auto file = open(made.file, is_sealed);
  if (!file) return;
  (void)(*file)->verify();
  const auto image = (*file)->open_image();
  if (!image) return;
  const auto snapshot = Snapshot::create(*file, **image);
  if (snapshot) check_runs(**snapshot, **image, made.file.size());
}

}  // namespace
}  // namespace mayfly

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mayfly;
  ByteReader reader({data, size});
  Made made;
  constexpr size_t kNumbersBytes = 15;
  if (size <= kNumbersBytes) {
    made = make_file(reader, encode(valid_metadata()));
  } else {
    made = make_file(reader, std::span(data, size).subspan(kNumbersBytes));
  }
  try_file(made, size % 2 == 0);
  if (made.page_count > 0) {
    made.file.pop_back();
    CHECK(!open(made.file, false).has_value());
  }
  return 0;
}
