// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The guest library (src/guest), carried inside mayfly-compiler: an archive of objects.
#pragma once

#include <cstdint>
#include <span>

namespace mayfly::compiler {

std::span<const uint8_t> guest_archive();

}  // namespace mayfly::compiler
