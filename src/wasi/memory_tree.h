// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A tree of files in memory, for `--tmpfs`: a tmpfs of the kernel's that is mounted nowhere. Only
// its descriptor names it, and its memory is gone with the last descriptor of a file in it.
#pragma once

#include "base/fd.h"
#include "base/result.h"
#include "wasi/config.h"

namespace mayfly::wasi {

// Its root. Needs Linux 5.2, and CAP_SYS_ADMIN or the right to make user namespaces; a child
// process makes the tree where only these are to be had.
// Errors: kInvalid for a bound of 0; kUnsupported with what is missing; kHost.
Result<Fd> create_memory_tree(const MemoryDirectory& directory);

}  // namespace mayfly::wasi
