// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// WIT packages on disk (WIT.md #filesystem-structure): a file, or a folder of files with the
// packages that it needs in `deps`.
#pragma once

#include <string>

#include "base/result.h"
#include "component/wit_resolver.h"

namespace mayfly::component::wit {

// Reads and resolves. Errors: kInvalid with the place in a file, kHost when a file cannot be read.
Result<Resolved> load(const std::string& path, const WitLimits& limits = {});

}  // namespace mayfly::component::wit
