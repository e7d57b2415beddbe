// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The block function against the RFC's example, and what the stream of random bytes promises.
#include "guest/wasi/chacha20.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <set>
#include <vector>

#include "guest/wasi/random.h"

namespace mayfly::guest {
namespace {

using Blocks = std::array<uint8_t, 4 * kChaCha20BlockBytes>;

// RFC 8439 #section-2.3.2
TEST(ChaCha20, ComputesTheExampleOfTheRfc) {
  ChaCha20Input input{};
  for (unsigned i = 0; i < 8; ++i) {
    const unsigned byte = 4 * i;
    input.key[i] = byte | (byte + 1) << 8 | (byte + 2) << 16 | (byte + 3) << 24;
  }
  input.number = uint64_t{0x09000000} << 32 | 1;
  input.nonce[0] = 0x4A000000;
  Blocks blocks{};
  chacha20_four_blocks(input, blocks.data());
  const std::array<uint8_t, 64> expected = {
      0x10, 0xF1, 0xE7, 0xE4, 0xD1, 0x3B, 0x59, 0x15, 0x50, 0x0F, 0xDD, 0x1F, 0xA3,
      0x20, 0x71, 0xC4, 0xC7, 0xD1, 0xF4, 0xC7, 0x33, 0xC0, 0x68, 0x03, 0x04, 0x22,
      0xAA, 0x9A, 0xC3, 0xD4, 0x6C, 0x4E, 0xD2, 0x82, 0x64, 0x46, 0x07, 0x9F, 0xAA,
      0x09, 0x14, 0xC2, 0xD7, 0x05, 0xD9, 0x8B, 0x02, 0xA2, 0xB5, 0x12, 0x9C, 0xD1,
      0xDE, 0x16, 0x4E, 0xB9, 0xCB, 0xD0, 0x83, 0xE8, 0xA2, 0x50, 0x3C, 0x4E};
  EXPECT_TRUE(std::equal(expected.begin(), expected.end(), blocks.begin()));
}

TEST(ChaCha20, NumbersItsFourBlocksInOrder) {
  ChaCha20Input input{};
  input.key[3] = 5;
  input.number = UINT32_MAX - 1;
  Blocks all{};
  chacha20_four_blocks(input, all.data());
  for (unsigned i = 0; i < 4; ++i) {
    Blocks from_i{};
    chacha20_four_blocks(input, from_i.data());
    EXPECT_EQ(std::memcmp(from_i.data(), &all[64 * i], 64), 0) << i;
    ++input.number;
  }
}

using Bytes = std::array<uint8_t, 200>;

Bytes take(RandomStream& stream, const guest_abi::CallPage& page) {
  Bytes bytes{};
  stream.fill(page, bytes.data(), bytes.size());
  return bytes;
}

class Random : public testing::Test {
 protected:
  Random() { std::memset(page_->random_seed, 7, sizeof page_->random_seed); }
  std::unique_ptr<guest_abi::CallPage> page_ = std::make_unique<guest_abi::CallPage>();
  RandomStream stream_{};
};

TEST_F(Random, NeverGivesTheSameBytesTwice) {
  const Bytes first = take(stream_, *page_);
  EXPECT_NE(first, take(stream_, *page_));
  EXPECT_NE(first, Bytes{});
}

TEST_F(Random, DependsOnTheSeedOnly) {
  RandomStream other{};
  EXPECT_EQ(take(stream_, *page_), take(other, *page_));
}

TEST_F(Random, ACopyOfTheStateIsReseededByANewGeneration) {
  take(stream_, *page_);
  RandomStream fork = stream_;
  page_->seed_generation = 1;
  page_->random_seed[0] = 8;
  const Bytes reseeded = take(fork, *page_);
  page_->seed_generation = 2;
  page_->random_seed[0] = 9;
  EXPECT_NE(reseeded, take(stream_, *page_));
}

// Requests of many sizes: no 8 bytes come twice, and none stay in the state.
TEST_F(Random, ErasesWhatItGivesOut) {
  std::set<uint64_t> seen;
  for (size_t size = 8; size <= 4096; size += 8) {
    std::vector<uint8_t> bytes(size);
    stream_.fill(*page_, bytes.data(), size);
    for (size_t at = 0; at < size; at += 8) {
      uint64_t word = 0;
      std::memcpy(&word, &bytes[at], 8);
      EXPECT_TRUE(seen.insert(word).second) << size << " at " << at;
    }
    std::array<uint8_t, sizeof stream_> state{};
    std::memcpy(state.data(), &stream_, sizeof stream_);
    const auto last = bytes.end() - 8;
    EXPECT_EQ(std::search(state.begin(), state.end(), last, bytes.end()), state.end()) << size;
  }
}

TEST_F(Random, ForgetsWhatItHasAheadWhenItIsReseeded) {
  std::array<uint8_t, 8> next{};
  std::array<uint8_t, 8> reseeded{};
  stream_.fill(*page_, next.data(), next.size());
  RandomStream fork = stream_;
  stream_.fill(*page_, next.data(), next.size());
  page_->seed_generation = 1;
  page_->random_seed[0] = 8;
  fork.fill(*page_, reseeded.data(), reseeded.size());
  EXPECT_NE(next, reseeded);
  std::array<uint8_t, sizeof fork> state{};
  std::memcpy(state.data(), &fork, sizeof fork);
  EXPECT_EQ(std::search(state.begin(), state.end(), next.begin(), next.end()), state.end());
}

TEST_F(Random, TheSameSeedOfAnOldGenerationIsNotTakenTwice) {
  const Bytes first = take(stream_, *page_);
  EXPECT_NE(first, take(stream_, *page_));
}

}  // namespace
}  // namespace mayfly::guest
