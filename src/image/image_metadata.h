// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ImageMetadata: what the section .mayfly.image says. The compiler encodes it, the reader decodes
// it. decode() checks the form; what the numbers mean is checked by image_check.h.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "image/image.h"

namespace mayfly::image {

struct ImageMetadata {
  // kMemory and kTable only, in address order: regions 0, 1, ... of the image.
  std::vector<Region> windows;
  std::vector<ImageInstance> instances;
  std::vector<HostFunction> host_functions;
  std::vector<ImportedModuleName> imports;
  std::vector<std::string> module_names;
  std::vector<std::string> cpu_features;
  bool counts_fuel = false;
};

std::vector<uint8_t> encode(const ImageMetadata& metadata);
// Errors: kInvalid with the byte; kUnsupported for another version.
Result<ImageMetadata> decode_image_metadata(std::span<const uint8_t> bytes);

}  // namespace mayfly::image
