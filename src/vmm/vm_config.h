// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What every driver checks of a VmConfig before it uses a number of it, and the rounding that
// goes with it.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "guest_abi/layout.h"
#include "vmm/vm.h"

namespace mayfly::vmm {

constexpr uint64_t round_up(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}
constexpr uint64_t pages_of(uint64_t bytes) { return round_up(bytes, guest_abi::kPageBytes); }

// bytes_reserved, which may be left 0 for a region that never grows.
constexpr uint64_t reserved_bytes(const RegionSpec& region) {
  return pages_of(region.bytes_reserved > region.bytes ? region.bytes_reserved : region.bytes);
}

// Errors: kInvalid when a region is outside the ranges of layout.h, overlaps another or the
// stack, is not aligned, or its file is too short; kLimit for a stack past kStackBytesMax.
Result<void> check_config(const VmConfig& config);

}  // namespace mayfly::vmm
