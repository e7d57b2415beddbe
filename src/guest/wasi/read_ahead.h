// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Small reads of files in their order are served from what an earlier one has read ahead.
//
// Invariants: (1) a byte is given out once: who reads it again asks the host again; (2) none is
// given out later than kAheadTicksMax after it was read, nor in another start, reset or fork;
// (3) none once the program has changed, opened or closed the file, by whatever fd or path.
#pragma once

#include <cstdint>

#include "guest/wasi/fd_table.h"
#include "guest/wasi/linear_memory.h"
#include "guest/wasi/transfer.h"

namespace mayfly::guest {

// 3 to 17 ms, at 1 to 5 GHz.
inline constexpr uint64_t kAheadTicksMax = uint64_t{1} << 24;
inline constexpr uint64_t kAheadBytesMin = uint64_t{16} << 10;
inline constexpr uint64_t kAheadBytesMax = uint64_t{512} << 10;
// Larger reads take what is there, and read no more ahead.
inline constexpr uint64_t kAheadReadMax = uint64_t{64} << 10;

struct AheadBlock;

// All that the iovecs want, if it is there; false: nothing was read.
bool read_ahead(const LinearMemory& memory, Descriptor& descriptor, const Iovecs& iovecs,
                uint64_t position, uint64_t* bytes);

// The way through the host. Fills the first buffers of the request from what is there and takes
// them away; the number of bytes.
uint64_t start_read(const Descriptor& descriptor, uint64_t position,
                    guest_abi::WasiTransferRequest& request);
// Adds a buffer for what follows `wanted` bytes, where reading ahead promises something; or null.
AheadBlock* add_ahead(Descriptor& descriptor, uint64_t position, uint64_t wanted,
                      guest_abi::WasiTransferRequest& request);
// So many bytes from a position on came for the program, `ahead` more for the block.
void end_read(Descriptor& descriptor, AheadBlock* block, uint64_t position, uint64_t bytes,
              uint64_t ahead);

// The file is not what it was.
void forget_ahead(uint64_t file_id);
// The handle names another file from now on, or none.
void drop_ahead(uint32_t handle);

}  // namespace mayfly::guest
