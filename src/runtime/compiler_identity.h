// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which build of a program a file is: its linker's build id, a hash of what was linked; for a file
// without one, its place on disk and its times.
#pragma once

#include <string>

#include "base/result.h"

namespace mayfly::runtime {

// Errors: kHost when the file cannot be read.
Result<std::string> program_identity(const std::string& path);

}  // namespace mayfly::runtime
