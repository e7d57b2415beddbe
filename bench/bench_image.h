// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// bench_image: compiles a module for a benchmark, as `mayfly compile` does.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "image/image.h"

namespace mayfly::bench {

// () -> (), exported as "f".
std::vector<uint8_t> empty_module();
// "f": writes one byte to each 4 KiB page of the first `touched` Wasm pages of its memory.
std::vector<uint8_t> touching_module(uint32_t pages, uint32_t touched);
inline std::vector<uint8_t> touching_module(uint32_t pages) {
  return touching_module(pages, pages);
}

// Errors: whatever the compiler or the image's reader says.
Result<std::unique_ptr<image::Image>> bench_image(std::vector<uint8_t> module);

}  // namespace mayfly::bench
