// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// RFC 3720 #appendix-B.4's CRC-32C. The processor's instruction takes a byte or eight, with a
// latency of three cycles, so whole blocks go four at a time; a table serves processors without it.
#include "runtime/block_checksums_x86_64.h"

#include <nmmintrin.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace mayfly::runtime {
namespace {

constexpr size_t kLanes = 4;

constexpr std::array<uint32_t, 256> make_table() {
  constexpr uint32_t kPolynomial = 0x82F6'3B78;  // reflected
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < table.size(); ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    table[byte] = crc;
  }
  return table;
}
constexpr std::array<uint32_t, 256> kTable = make_table();

uint64_t load(const uint8_t* at) {
  uint64_t value = 0;
  std::memcpy(&value, at, sizeof value);
  return value;
}

__attribute__((target("sse4.2"))) uint32_t extend_by_instruction(uint32_t crc, const uint8_t* at,
                                                                 size_t bytes) {
  uint64_t wide = crc;
  for (; bytes >= 8; at += 8, bytes -= 8) wide = _mm_crc32_u64(wide, load(at));
  crc = static_cast<uint32_t>(wide);
  for (; bytes > 0; ++at, --bytes) crc = _mm_crc32_u8(crc, *at);
  return crc;
}

// Four whole blocks that follow each other.
__attribute__((target("sse4.2"))) std::array<uint32_t, kLanes> four_blocks(const uint8_t* at) {
  std::array<uint64_t, kLanes> crcs{UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX};
  for (size_t i = 0; i < kChecksumBlockBytes; i += 8) {
    for (size_t lane = 0; lane < kLanes; ++lane) {
      crcs[lane] = _mm_crc32_u64(crcs[lane], load(at + lane * kChecksumBlockBytes + i));
    }
  }
  std::array<uint32_t, kLanes> done{};
  for (size_t lane = 0; lane < kLanes; ++lane) done[lane] = ~static_cast<uint32_t>(crcs[lane]);
  return done;
}

uint32_t extend(uint32_t crc, std::span<const uint8_t> bytes) {
  if (__builtin_cpu_supports("sse4.2")) {
    return extend_by_instruction(crc, bytes.data(), bytes.size());
  }
  for (const uint8_t byte : bytes) crc = (crc >> 8) ^ kTable[(crc ^ byte) & 0xFF];
  return crc;
}

}  // namespace

void BlockChecksums::update(std::span<const uint8_t> bytes) {
  const bool has_instruction = __builtin_cpu_supports("sse4.2") != 0;
  while (!bytes.empty()) {
    if (has_instruction && block_bytes_ == 0 && bytes.size() >= kLanes * kChecksumBlockBytes) {
      const auto crcs = four_blocks(bytes.data());
      done_.insert(done_.end(), crcs.begin(), crcs.end());
      bytes = bytes.subspan(kLanes * kChecksumBlockBytes);
      continue;
    }
    const size_t part = std::min<size_t>(bytes.size(), kChecksumBlockBytes - block_bytes_);
    crc_ = extend(crc_, bytes.first(part));
    block_bytes_ += part;
    bytes = bytes.subspan(part);
    if (block_bytes_ < kChecksumBlockBytes) continue;
    done_.push_back(~crc_);
    crc_ = UINT32_MAX;
    block_bytes_ = 0;
  }
}

std::vector<uint32_t> BlockChecksums::finish() {
  if (block_bytes_ > 0) done_.push_back(~crc_);
  return std::move(done_);
}

}  // namespace mayfly::runtime
