// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whether a file's bytes stay what they are while they are in use, and copies that do.
#pragma once

#include <sys/stat.h>

#include <cstdint>

#include "base/fd.h"
#include "base/result.h"

namespace mayfly::image {

// kNobody: a sealed memfd. kOwner: this user or root alone, as far as owner and mode say.
enum class WhoChanges : uint8_t { kNobody, kOwner, kOthers };
WhoChanges who_changes(int file, const struct stat& status);

// A sealed memfd with the bytes [offset, offset + bytes) of a file, of any size or none.
// Errors: kInvalid when the file ends before; kHost.
Result<Fd> sealed_copy(const char* name, int file, uint64_t offset, uint64_t bytes);

}  // namespace mayfly::image
