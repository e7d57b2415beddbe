// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Marking what is compiled as this user's Mayfly's own; runtime/image_origin.h checks it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"

namespace mayfly::cli {

// What to append to a compiled image. Where no key can be had (no home, a read-only one) nothing,
// and a line on stderr says so: the image is as good for the kvm driver.
// Errors: kInvalid, of a key that others may know.
Result<std::vector<uint8_t>> origin_mark_of(std::span<const uint8_t> image);

}  // namespace mayfly::cli
