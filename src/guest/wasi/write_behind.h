// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Small writes to files wait in a buffer (guest_abi/write_behind.h) until the host comes by.
#pragma once

#include <cstdint>

#include "guest/wasi/fd_table.h"
#include "guest/wasi/linear_memory.h"
#include "guest_abi/wasi.h"
#include "guest_abi/write_behind.h"

namespace mayfly::guest {

// The caller's iovec array.
struct Iovecs {
  uint32_t offset;
  uint32_t count;
};

// How many bytes the iovecs name together. false: one is not wholly in memory, or they are more
// than bytes_max.
bool small_total(const LinearMemory& memory, const Iovecs& iovecs, uint64_t bytes_max,
                 uint64_t* bytes);

// position: where in the file, or kBehindHostPosition. false: nothing was written, the host has to.
bool write_behind(const LinearMemory& memory, const Descriptor& descriptor, const Iovecs& iovecs,
                  uint64_t position, uint64_t* bytes);

}  // namespace mayfly::guest
