// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a component finds in wasi:config, and where its messages go.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cli/options.h"
#include "wasi/config.h"

namespace mayfly::cli {

// trace, ..., critical, or off.
bool is_log_level(std::string_view text);
// Each message becomes one line on stderr: "[info] context: message". Precondition: is_log_level().
wasi::LogConfig log_config(std::string_view level);

// The values of a JSON object: texts, numbers and booleans. `name` is for messages.
// Errors: kInvalid.
Result<std::map<std::string, std::string>> parse_config_file(const std::string& name,
                                                             std::string_view text);

// Of the files, then of the flags; what comes later holds. Errors: kHost; kLimit; kInvalid.
Result<std::map<std::string, std::string>> config_values(const RunOptions& options);

// In memory unless there is a file.
wasi::KeyValueConfig keyvalue_config(const RunOptions& options);

}  // namespace mayfly::cli
