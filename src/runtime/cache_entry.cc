// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One pass over the image in pieces that stay in the processor's cache.
#include "runtime/cache_entry.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/byte_writer.h"
#include "runtime/block_checksums_x86_64.h"

namespace mayfly::runtime {
namespace {

constexpr uint32_t kMagic = 0x4543'464D;  // "MFCE"
constexpr uint32_t kVersion = 1;
constexpr uint64_t kFooterBytes = 4 + 4 + 8 + 32 + 32;
constexpr uint64_t kImageBytesMax = uint64_t{4} << 30;
constexpr size_t kPieceBytes = 256 << 10;
static_assert(kPieceBytes % (4 * kChecksumBlockBytes) == 0);

Result<uint64_t> size_of(int file) {
  struct stat status{};
  if (::fstat(file, &status) != 0) return host_error("fstat of a cache entry");
  return static_cast<uint64_t>(status.st_size);
}

constexpr char kWhat[] = "the cache's entry";

uint64_t block_count(uint64_t image_bytes) {
  return (image_bytes + kChecksumBlockBytes - 1) / kChecksumBlockBytes;
}

// The checksums of [0, image_bytes) of a file; `also` sees each piece.
template <typename Also>
Result<std::vector<uint8_t>> checksum_bytes(int file, uint64_t image_bytes, Also also) {
  std::vector<uint8_t> piece(kPieceBytes);
  BlockChecksums checksums;
  for (uint64_t at = 0; at < image_bytes;) {
    const auto part = std::span(piece).first(std::min<uint64_t>(kPieceBytes, image_bytes - at));
    MAYFLY_TRY(read_range(file, at, part, kWhat));
    checksums.update(part);
    MAYFLY_TRY(also(part));
    at += part.size();
  }
  ByteWriter bytes;
  for (const uint32_t checksum : checksums.finish()) bytes.u32(checksum);
  return bytes.take();
}

// Footer with its seal, a hash over the checksums and the footer before it.
std::vector<uint8_t> footer_of(uint64_t image_bytes, const Hash& key,
                               const std::vector<uint8_t>& checksums) {
  ByteWriter footer;
  footer.u32(kMagic);
  footer.u32(kVersion);
  footer.u64(image_bytes);
  std::vector<uint8_t> bytes = footer.take();
  bytes.insert(bytes.end(), key.begin(), key.end());
  Hasher hasher("mayfly-cache-ent");
  hasher.update(checksums);
  hasher.update(bytes);
  const Hash seal = hasher.finish();
  bytes.insert(bytes.end(), seal.begin(), seal.end());
  return bytes;
}

}  // namespace

Result<void> write_cache_entry(int image, const Hash& key, int to) {
  const uint64_t image_bytes = MAYFLY_TRY(size_of(image));
  if (image_bytes > kImageBytesMax) {
    return limit("an image of " + std::to_string(image_bytes) + " bytes is not cached");
  }
  const auto copy = [to](std::span<const uint8_t> piece) { return write_whole(to, piece); };
  const auto checksums = MAYFLY_TRY(checksum_bytes(image, image_bytes, copy));
  MAYFLY_TRY(write_whole(to, checksums));
  return write_whole(to, footer_of(image_bytes, key, checksums));
}

Result<void> verify_cache_entry(int file, const Hash& key) {
  const uint64_t bytes = MAYFLY_TRY(size_of(file));
  if (bytes < kFooterBytes) return invalid("cache entry has " + std::to_string(bytes) + " bytes");
  std::vector<uint8_t> footer(kFooterBytes);
  MAYFLY_TRY(read_range(file, bytes - kFooterBytes, footer, kWhat));
  ByteReader reader(footer);
  if (reader.u32() != kMagic || reader.u32() != kVersion) {
    return invalid("cache entry ends with another magic or version");
  }
  const uint64_t image_bytes = reader.u64();
  if (image_bytes > kImageBytesMax || bytes - kFooterBytes < image_bytes ||
      bytes - kFooterBytes - image_bytes != 4 * block_count(image_bytes)) {
    return invalid("cache entry of " + std::to_string(bytes) + " bytes says that its image has " +
                   std::to_string(image_bytes));
  }
  std::vector<uint8_t> stored(4 * block_count(image_bytes));
  MAYFLY_TRY(read_range(file, image_bytes, stored, kWhat));
  if (footer != footer_of(image_bytes, key, stored)) {
    return invalid("cache entry has a damaged footer, or is another key's");
  }
  const auto nothing = [](std::span<const uint8_t>) -> Result<void> { return {}; };
  if (MAYFLY_TRY(checksum_bytes(file, image_bytes, nothing)) != stored) {
    return invalid("cache entry is damaged: its checksums do not fit its image");
  }
  return {};
}

}  // namespace mayfly::runtime
