// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Directory entry streams. Entries come from the host many at a time; what was not given out yet
// waits here for the stream that was read last.
#pragma once

#include <cstdint>

namespace mayfly::guest {

// The stream is gone.
void forget_directory(uint32_t stream);

}  // namespace mayfly::guest
