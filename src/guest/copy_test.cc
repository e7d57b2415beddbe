// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The byte loops against the plainest ones, over all small sizes and overlaps.
#include "guest/copy.h"

#include <gtest/gtest.h>

#include <vector>

namespace mayfly::guest {
namespace {

std::vector<uint8_t> numbered(size_t size) {
  std::vector<uint8_t> bytes(size);
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<uint8_t>(i * 7 + i / 256 + 1);
  return bytes;
}

const std::vector<size_t> kSizes = {0,   1,   2,   3,   4,   7,   8,   9,    15,   16,   17,
                                    31,  32,  33,  47,  48,  64,  65,  100,  127,  128,  159,
                                    160, 161, 255, 256, 257, 511, 512, 1000, 4095, 4096, 5000};

bool has_avx2() { return __builtin_cpu_supports("avx2") != 0; }

void expect_moves(bool with_avx2) {
  for (const size_t size : kSizes) {
    for (const size_t from : {0u, 1u, 15u, 16u, 17u, 40u, 600u}) {
      for (const size_t to : {0u, 1u, 15u, 16u, 33u, 41u, 599u}) {
        std::vector<uint8_t> bytes = numbered(6000);
        std::vector<uint8_t> expected = bytes;
        for (size_t i = 0; i < size; ++i) expected[to + i] = bytes[from + i];
        move_bytes(bytes.data() + to, bytes.data() + from, size, with_avx2);
        ASSERT_EQ(bytes, expected) << "size " << size << " from " << from << " to " << to;
      }
    }
  }
}

TEST(GuestCopy, MovesAsIfThroughABufferAtEveryOverlap) { expect_moves(false); }

TEST(GuestCopy, MovesWideVectorsAsIfThroughABufferAtEveryOverlap) {
  if (!has_avx2()) GTEST_SKIP() << "this processor has no AVX2";
  expect_moves(true);
}

TEST(GuestCopy, CopiesForwardWhatDoesNotOverlap) {
  for (const size_t size : {33u, 48u, 50u, 511u}) {
    const std::vector<uint8_t> from = numbered(size);
    std::vector<uint8_t> to(size + 2, 0xEE);
    copy_forward<Vector>(to.data() + 1, from.data(), size);
    EXPECT_EQ(std::vector<uint8_t>(to.begin() + 1, to.end() - 1), from);
    EXPECT_EQ(to.front(), 0xEE);
    EXPECT_EQ(to.back(), 0xEE);
  }
}

TEST(GuestCopy, FillsExactlyTheRange) {
  for (const size_t size : kSizes) {
    std::vector<uint8_t> bytes(size + 2, 0x11);
    fill_bytes(bytes.data() + 1, 0xA5, size);
    std::vector<uint8_t> expected(size + 2, 0xA5);
    expected.front() = expected.back() = 0x11;
    ASSERT_EQ(bytes, expected) << size;
  }
}

TEST(GuestCopy, ComparesTheFirstByteThatDiffersUnsigned) {
  std::vector<uint8_t> a = numbered(40);
  std::vector<uint8_t> b = a;
  EXPECT_EQ(compare_bytes(a.data(), b.data(), 40), 0);
  b[39] = 0xFF;
  a[39] = 1;
  EXPECT_LT(compare_bytes(a.data(), b.data(), 40), 0);
  EXPECT_GT(compare_bytes(b.data(), a.data(), 40), 0);
  EXPECT_EQ(compare_bytes(a.data(), b.data(), 39), 0);
}

}  // namespace
}  // namespace mayfly::guest
