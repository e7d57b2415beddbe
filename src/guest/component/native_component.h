// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// For tests of the functions for components in the tests' own process: a memory, and traps that
// the caller sees.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "guest_abi/component.h"
#include "guest_abi/instance.h"

namespace mayfly::guest {

// What component_trap() throws here.
struct Trapped {
  guest_abi::ComponentTrap trap;
  uint32_t number;
};

// How a call trapped; nullopt: it returned.
template <typename Call>
std::optional<guest_abi::ComponentTrap> trap_of(const Call& call) {
  try {
    call();
  } catch (const Trapped& trapped) {
    return trapped.trap;
  }
  return std::nullopt;
}

// Pages of 64 KiB, the first ones present. mayfly_memory_grow() makes more of them present.
class NativeMemory {
 public:
  static constexpr uint64_t kPageBytes = 65536;
  NativeMemory(uint64_t pages, uint64_t pages_max)
      : words_(pages_max * kPageBytes / sizeof(uint64_t)) {
    // SAFETY: the address as a number, as the linker writes it down.
    info_.address = reinterpret_cast<uint64_t>(words_.data());
    info_.bytes = pages * kPageBytes;
    info_.bytes_max = pages_max * kPageBytes;
    info_.page_size_log2 = 16;
  }
  guest_abi::MemoryInfo* info() { return &info_; }
  std::span<uint8_t> bytes() {
    // SAFETY: bytes of words.
    return {reinterpret_cast<uint8_t*>(words_.data()), words_.size() * sizeof(uint64_t)};
  }

 private:
  std::vector<uint64_t> words_;
  guest_abi::MemoryInfo info_{};
};

}  // namespace mayfly::guest
