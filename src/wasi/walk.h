// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Resolution beneath a directory for kernels without openat2.
#pragma once

#include <string>

#include "wasi/resolve.h"

namespace mayfly::wasi {

Opened open_with_walk(int directory, const std::string& path, const OpenHow& how);

}  // namespace mayfly::wasi
