// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// BlockChecksums: one CRC-32C for each block of 16 KiB, at the speed of memory. They find what
// disks and crashes do to a file; they prove nothing about who wrote it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace mayfly::runtime {

inline constexpr uint64_t kChecksumBlockBytes = 16 << 10;

// Takes a file's bytes in order, in pieces of any size.
class BlockChecksums {
 public:
  void update(std::span<const uint8_t> bytes);
  // Of all blocks, the last one perhaps shorter. The last call.
  std::vector<uint32_t> finish();

 private:
  std::vector<uint32_t> done_;
  uint32_t crc_ = UINT32_MAX;  // of the block that is not full yet
  uint64_t block_bytes_ = 0;   // how much of it was taken
};

}  // namespace mayfly::runtime
