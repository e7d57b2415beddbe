// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The whole of a build: a request's modules are decoded, validated, compiled once each, and
// linked. It runs in mayfly-compiler only.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "image/build_request.h"

namespace mayfly::compiler {

struct BuiltImage {
  std::vector<uint8_t> bytes;
  uint64_t compile_ns = 0;
  uint64_t link_ns = 0;
};

// Errors: kInvalid and kLimit of the modules, with their name in front; those of compile_module
// and link_image.
Result<BuiltImage> build(const image::BuildRequest& request);

}  // namespace mayfly::compiler
