// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The buffers of a transfer as the host's own views of guest memory, each checked.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "wasi/port_call.h"

namespace mayfly::wasi {

// Valid until the guest runs again. Errors: a range that is not the guest's.
Result<std::vector<iovec>> buffers_of(PortCall& call,
                                      const guest_abi::WasiTransferRequest& request);

uint64_t bytes_of(const std::vector<iovec>& buffers);

// Cuts the buffers so that they have at most bytes_max together.
void limit_to(std::vector<iovec>& buffers, uint64_t bytes_max);

// Takes away the first bytes of the buffers; those before `first` are gone already.
void advance(std::vector<iovec>& buffers, size_t& first, size_t bytes);

}  // namespace mayfly::wasi
