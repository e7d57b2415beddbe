// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The installation's key: 32 random bytes of one user on one machine, by which Mayfly knows the
// files again that it made itself (image/origin_mark.h).
#pragma once

#include <string>

#include "base/hash.h"
#include "base/result.h"

namespace mayfly::runtime {

inline constexpr const char* kInstallationKeyFile = "installation.key";

// Where this user's key lies: $XDG_DATA_HOME/mayfly, else $HOME/.local/share/mayfly.
// Errors: kHost, when neither variable is an absolute path.
Result<std::string> installation_key_folder();

// The key in the folder. Errors: kHost with errno ENOENT when there is none; kInvalid when it, or
// its folder, is not this user's alone, so that somebody else may know or have chosen it.
Result<SecretKey> load_installation_key(const std::string& folder);

// Likewise, but makes folder and key when there are none. Whoever does so at the same time gets
// the same key. Errors: as above; kHost when they cannot be made.
// Threads and processes: any number at once.
Result<SecretKey> load_or_create_installation_key(const std::string& folder);

}  // namespace mayfly::runtime
