// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The host's errno values in the words of WASI.
#pragma once

#include "guest_abi/wasi.h"

namespace mayfly::wasi {

using guest_abi::wasi::Errno;

// kIo for what WASI has no name for.
Errno from_errno(int errno_value);

}  // namespace mayfly::wasi
