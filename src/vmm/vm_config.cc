// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every sum is of numbers that were bounded before, so none wraps.
#include "vmm/vm_config.h"

#include <sys/stat.h>

#include <algorithm>
#include <string>
#include <vector>

namespace mayfly::vmm {
namespace {

using namespace guest_abi;

std::string hex(uint64_t value) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  do {
    text.insert(text.begin(), kDigits[value & 15]);
    value >>= 4;
  } while (value != 0);
  return "0x" + text;
}

bool inside(const RegionSpec& region, uint64_t start, uint64_t end) {
  return region.address >= start && region.address < end &&
         reserved_bytes(region) <= end - region.address;
}

std::string name_of(size_t index, const RegionSpec& region) {
  return "region " + std::to_string(index) + " at " + hex(region.address);
}

// Most regions are of one file.
struct FileSize {
  int file = -1;
  uint64_t bytes = 0;
};

Result<void> check_file(size_t index, const RegionSpec& region, FileSize& known) {
  if (region.file_bytes > region.bytes) {
    return invalid(name_of(index, region) + " has " + std::to_string(region.bytes) +
                   " bytes, fewer than its file's " + std::to_string(region.file_bytes));
  }
  if (region.file < 0 || region.file_bytes == 0) {
    if (region.file_bytes == 0) return {};
    return invalid(name_of(index, region) + " has file_bytes and no file");
  }
  if (region.file_offset % kPageBytes != 0) {
    return invalid(name_of(index, region) + " starts inside a page of its file, at " +
                   hex(region.file_offset));
  }
  if (known.file != region.file) {
    struct stat status{};
    if (::fstat(region.file, &status) != 0) return host_error("fstat of a region's file");
    known = {region.file, static_cast<uint64_t>(status.st_size)};
  }
  const uint64_t size = known.bytes;
  if (region.file_offset > size || region.file_bytes > size - region.file_offset) {
    return invalid(name_of(index, region) + " ends past its file of " + std::to_string(size) +
                   " bytes");
  }
  return {};
}

Result<void> check_region(size_t index, const RegionSpec& region, FileSize& known) {
  constexpr uint64_t kBytesMax = kHighWindowsEnd;
  if (region.bytes > kBytesMax || region.bytes_reserved > kBytesMax) {
    return invalid(name_of(index, region) + " is larger than the address space");
  }
  if (region.address % kPageBytes != 0) {
    return invalid(name_of(index, region) + " does not start at a page");
  }
  if (!inside(region, kImage, kImageEnd) &&
      !inside(region, kLowMemory, kLowMemory + kWindowBytes) &&
      !inside(region, kHighWindows, kHighWindowsEnd)) {
    return invalid(name_of(index, region) + " of " + std::to_string(reserved_bytes(region)) +
                   " bytes is outside the image's and the memories' ranges");
  }
  return check_file(index, region, known);
}

}  // namespace

Result<void> check_config(const VmConfig& config) {
  if (config.stack_bytes == 0 || config.stack_bytes > kStackBytesMax) {
    return limit("a stack of " + std::to_string(config.stack_bytes) + " bytes, past the limit of " +
                 std::to_string(kStackBytesMax));
  }
  std::vector<const RegionSpec*> sorted;
  sorted.reserve(config.regions.size());
  FileSize known;
  for (size_t index = 0; index < config.regions.size(); ++index) {
    MAYFLY_TRY(check_region(index, config.regions[index], known));
    sorted.push_back(&config.regions[index]);
  }
  std::sort(sorted.begin(), sorted.end(),
            [](const RegionSpec* a, const RegionSpec* b) { return a->address < b->address; });
  for (size_t i = 1; i < sorted.size(); ++i) {
    const uint64_t end = sorted[i - 1]->address + reserved_bytes(*sorted[i - 1]);
    if (end > sorted[i]->address) {
      return invalid("a region ends at " + hex(end) + ", inside the one at " +
                     hex(sorted[i]->address));
    }
  }
  return {};
}

}  // namespace mayfly::vmm
