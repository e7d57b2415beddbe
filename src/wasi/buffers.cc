// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ranges of the guest become iovecs; the rest is arithmetic on these.
#include "wasi/buffers.h"

#include <string>

namespace mayfly::wasi {

Result<std::vector<iovec>> buffers_of(PortCall& call,
                                      const guest_abi::WasiTransferRequest& request) {
  if (request.buffers_count > guest_abi::kWasiBuffersMax) {
    return invalid("a transfer of " + std::to_string(request.buffers_count) +
                   " buffers, the limit is " + std::to_string(guest_abi::kWasiBuffersMax));
  }
  std::vector<iovec> buffers;
  buffers.reserve(request.buffers_count);
  for (uint32_t i = 0; i < request.buffers_count; ++i) {
    const guest_abi::WasiRange& range = request.buffers[i];
    const auto bytes = MAYFLY_TRY(call.guest().view(range.address, range.bytes));
    buffers.push_back({bytes.data(), bytes.size()});
  }
  return buffers;
}

uint64_t bytes_of(const std::vector<iovec>& buffers) {
  uint64_t bytes = 0;
  for (const iovec& buffer : buffers) bytes += buffer.iov_len;
  return bytes;
}

void limit_to(std::vector<iovec>& buffers, uint64_t bytes_max) {
  for (size_t i = 0; i < buffers.size(); ++i) {
    if (buffers[i].iov_len > bytes_max) {
      buffers[i].iov_len = bytes_max;
      buffers.resize(i + 1);
      return;
    }
    bytes_max -= buffers[i].iov_len;
  }
}

void advance(std::vector<iovec>& buffers, size_t& first, size_t bytes) {
  while (first < buffers.size() && bytes >= buffers[first].iov_len) {
    bytes -= buffers[first].iov_len;
    ++first;
  }
  if (first < buffers.size()) {
    buffers[first].iov_base = static_cast<char*>(buffers[first].iov_base) + bytes;
    buffers[first].iov_len -= bytes;
  }
}

}  // namespace mayfly::wasi
