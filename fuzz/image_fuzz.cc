// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Strategy: the input is an image file without the pages of its segments, which are put back
// before it is opened, so that inputs stay small. An empty corpus starts from a valid image,
// because a random file never has an ELF header whose offsets agree. One mutation in two goes to
// the metadata only.
// Invariants: Image::open ends without a crash, a leak or an allocation out of proportion; an image
// that opens answers every question about every address of its text, and only has regions inside
// the guest's address map. No input has a mark of origin by a key that the input was not made with;
// with a mark behind it what opens still does, and a byte less is no mark.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/check.h"
#include "guest_abi/layout.h"
#include "image/elf_view.h"
#include "image/image.h"
#include "image/image_test_file.h"
#include "image/origin_mark.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t size_max);

namespace mayfly::image {
namespace {

void check_regions(const Image& image) {
  for (const Region& region : image.regions()) {
    CHECK(region.address >= guest_abi::kImage, region.address);
    CHECK(region.address < guest_abi::kHighWindowsEnd, region.address);
    CHECK(region.bytes_reserved <= guest_abi::kHighWindowsEnd - region.address,
          region.bytes_reserved);
  }
}

void ask_everything(const Image& image) {
  for (const Region& region : image.regions()) {
    if (region.kind != RegionKind::kText) continue;
    for (uint64_t i = 0; i <= region.bytes && i < 4096; ++i) {
      image.text_byte(region.address + i);
      image.find_location(region.address + i);
      image.find_unwind(region.address + i);
    }
  }
}

// The headers of the file are in front of the segments' pages, the sections behind them.
constexpr size_t kHeadersBytes = 256;
constexpr size_t kSectionsOffset = ImageTestFile::kDataOffset + ImageTestFile::kPartBytes;

std::vector<uint8_t> expand(std::span<const uint8_t> input) {
  if (input.size() <= kHeadersBytes) return {input.begin(), input.end()};
  std::vector<uint8_t> file(kSectionsOffset);
  std::ranges::copy(input.first(kHeadersBytes), file.begin());
  const auto sections = input.subspan(kHeadersBytes);
  file.insert(file.end(), sections.begin(), sections.end());
  return file;
}

std::vector<uint8_t> shrink(std::span<const uint8_t> file) {
  std::vector<uint8_t> input(file.begin(), file.begin() + kHeadersBytes);
  const auto sections = file.subspan(kSectionsOffset);
  input.insert(input.end(), sections.begin(), sections.end());
  return input;
}

// The range of the input that is the metadata, or all of it.
std::span<uint8_t> metadata_of(std::span<uint8_t> input) {
  const std::vector<uint8_t> file = expand(input);
  const auto view = view_elf(file);
  if (!view) return input;
  const ElfSection* section = view->find(".mayfly.image");
  if (section == nullptr || section->bytes.empty()) return input;
  const auto offset = static_cast<size_t>(section->bytes.data() - file.data());
  if (offset < kSectionsOffset) return input;
  return input.subspan(offset - kSectionsOffset + kHeadersBytes, section->bytes.size());
}

Result<std::unique_ptr<Image>> open_bytes(std::span<const uint8_t> bytes) {
  auto file = create_memfd("fuzz", 0);
  CHECK(file.has_value());
  CHECK(write_whole(file->get(), bytes).has_value());
  return Image::open(*std::move(file));
}

void check_marks(std::vector<uint8_t> file, bool opens) {
  const SecretKey key = SecretKey::random();
  CHECK(!check_origin_mark(key, file).has_value());
  const auto mark = make_origin_mark(key, file);
  file.insert(file.end(), mark.begin(), mark.end());
  CHECK(check_origin_mark(key, file).has_value());
  CHECK(!check_origin_mark(SecretKey::random(), file).has_value());
  CHECK(!check_origin_mark(key, std::span(file).first(file.size() - 1)).has_value());
  // Larger, so what pointed past the end may be inside now; what was inside still is.
  if (opens) CHECK(open_bytes(file).has_value());
}

}  // namespace
}  // namespace mayfly::image

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t size_max,
                                          unsigned seed) {
  using namespace mayfly::image;
  if (size < 64) {
    const std::vector<uint8_t> valid = shrink(ImageTestFile().bytes());
    if (valid.size() > size_max) return LLVMFuzzerMutate(data, size, size_max);
    std::ranges::copy(valid, data);
    return valid.size();
  }
  if (seed % 2 == 0) return LLVMFuzzerMutate(data, size, size_max);
  // In place: what is behind the metadata stays where the headers say.
  const std::span<uint8_t> part = metadata_of({data, size});
  LLVMFuzzerMutate(part.data(), part.size(), part.size());
  return size;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mayfly::image;
  const std::vector<uint8_t> file = expand({data, size});
  const auto image = open_bytes(file);
  check_marks(file, image.has_value());
  if (!image) return 0;
  check_regions(**image);
  ask_everything(**image);
  return 0;
}
