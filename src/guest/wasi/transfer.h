// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Transfer: the caller's iovec array, checked and turned into the buffers of a port's request.
// Files, streams and sockets share it.
#pragma once

#include <cstdint>

#include "guest/wasi/fd_table.h"
#include "guest/wasi/linear_memory.h"
#include "guest_abi/wasi_ports.h"

namespace mayfly::guest {

// What the host's kernel moves in one call at most; a longer one is short, as POSIX allows.
inline constexpr uint32_t kTransferBytesMax = 0x7FFF'F000;

// The caller's iovec array.
struct Iovecs {
  uint32_t offset;
  uint32_t count;
};

// How many bytes the iovecs name together. false: one is not wholly in memory, or they are none or
// more than bytes_max.
bool small_total(const LinearMemory& memory, const Iovecs& iovecs, uint64_t bytes_max,
                 uint64_t* bytes);

// Fills request.buffers from the iovec array. Empty buffers are left out, and so is what does not
// fit. Errors: kFault when the array or any buffer is not wholly in memory.
wasi::Errno gather(const LinearMemory& memory, uint32_t iovecs, uint32_t count,
                   guest_abi::WasiTransferRequest& request);

// What reads and writes share. position: where in the file, and then descriptor stays as it is;
// null: where the descriptor is. Stores how many bytes went (4 bytes at bytes_to). Returns an
// Errno. Precondition: the right was checked.
uint32_t read_buffers(const LinearMemory& memory, Descriptor& descriptor, const Iovecs& iovecs,
                      const uint64_t* position, uint32_t bytes_to);
uint32_t write_buffers(const LinearMemory& memory, Descriptor& descriptor, const Iovecs& iovecs,
                       const uint64_t* position, uint32_t bytes_to);

}  // namespace mayfly::guest
