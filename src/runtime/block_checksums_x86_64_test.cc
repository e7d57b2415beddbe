// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Known values, pieces of any size, and what a flipped bit does.
#include "runtime/block_checksums_x86_64.h"

#include <gtest/gtest.h>

#include <string_view>

namespace mayfly::runtime {
namespace {

std::vector<uint32_t> checksums_of(std::span<const uint8_t> bytes) {
  BlockChecksums checksums;
  checksums.update(bytes);
  return checksums.finish();
}

std::vector<uint8_t> some_bytes(size_t count) {
  std::vector<uint8_t> bytes(count);
  for (size_t i = 0; i < count; ++i) bytes[i] = static_cast<uint8_t>(i * 131 + (i >> 9));
  return bytes;
}

// RFC 3720 #appendix-B.4
TEST(BlockChecksums, AreCrc32C) {
  const std::string_view digits = "123456789";
  EXPECT_EQ(checksums_of(std::vector<uint8_t>(digits.begin(), digits.end())),
            std::vector<uint32_t>{0xE306'9283});
  EXPECT_EQ(checksums_of(std::vector<uint8_t>(32, 0)), std::vector<uint32_t>{0x8A91'36AA});
  EXPECT_EQ(checksums_of(std::vector<uint8_t>(32, 0xFF)), std::vector<uint32_t>{0x62A8'AB43});
}

TEST(BlockChecksums, OfNothingAreNone) { EXPECT_TRUE(checksums_of({}).empty()); }

TEST(BlockChecksums, AreTheSameWhateverThePieces) {
  const auto bytes = some_bytes(9 * kChecksumBlockBytes + 5);
  BlockChecksums pieces;
  for (size_t at = 0; at < bytes.size(); at += 1000) {
    pieces.update(std::span(bytes).subspan(at, std::min<size_t>(1000, bytes.size() - at)));
  }
  const auto whole = checksums_of(bytes);
  EXPECT_EQ(whole.size(), 10U);
  EXPECT_EQ(pieces.finish(), whole);
}

TEST(BlockChecksums, OfABlockChangeWithEachOfItsBits) {
  auto bytes = some_bytes(5 * kChecksumBlockBytes);
  const auto before = checksums_of(bytes);
  for (size_t at = 0; at < bytes.size(); at += 4097) {
    bytes[at] ^= 1U << (at % 8);
    auto after = checksums_of(bytes);
    EXPECT_NE(after[at / kChecksumBlockBytes], before[at / kChecksumBlockBytes]) << at;
    bytes[at] ^= 1U << (at % 8);
  }
}

}  // namespace
}  // namespace mayfly::runtime
