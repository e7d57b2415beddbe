// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a module and those that are linked to it to an image, by way of the cache.
#pragma once

#include <string>

#include "base/fd.h"
#include "base/result.h"
#include "cli/options.h"
#include "cli/program.h"

namespace mayfly::cli {

// `file` names the module in messages. The image is not yet opened.
// Errors: kInvalid (a broken module), kLink, kUnsupported, kLimit, kTimeout, kHost.
Result<Fd> compile_module(const std::string& file, Fd module, const CompileOptions& options,
                          const CacheUse& cache, Timings& timings);

}  // namespace mayfly::cli
