// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whether this user's Mayfly made an image. An image is native code, for which the process driver
// has one wall only.
#pragma once

#include "base/result.h"
#include "image/image.h"
#include "vmm/vm.h"

namespace mayfly::runtime {

// Errors: why it is not this installation's.
Result<void> check_origin(const image::Image& image);

// Whether a driver may run an image that came as a file. Errors: kUnsupported, with the reason.
Result<void> check_may_run(const image::Image& image, vmm::Driver driver);

}  // namespace mayfly::runtime
