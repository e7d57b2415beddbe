// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Small writes to files wait in a buffer (guest_abi/write_behind.h) until the host comes by.
#pragma once

#include <cstdint>

#include "guest/wasi/fd_table.h"
#include "guest/wasi/linear_memory.h"
#include "guest/wasi/transfer.h"
#include "guest_abi/wasi.h"
#include "guest_abi/write_behind.h"

namespace mayfly::guest {

// position: where in the file, or kBehindHostPosition. false: nothing was written, the host has to.
bool write_behind(const LinearMemory& memory, const Descriptor& descriptor, const Iovecs& iovecs,
                  uint64_t position, uint64_t* bytes);

}  // namespace mayfly::guest
