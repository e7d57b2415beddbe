// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// sock_accept, sock_recv, sock_send, sock_shutdown, on the listeners that the host preopened and
// the connections that they accepted.
#include "guest/wasi/functions.h"
#include "guest/wasi/port_call.h"
#include "guest/wasi/transfer.h"

using namespace mayfly::guest;  // NOLINT: this file defines the C functions only

namespace {

namespace guest_abi = mayfly::guest_abi;
using guest_abi::WasiPort;

// The kind comes before the rights: a file is no socket, whatever it may do.
wasi::Errno find_socket(uint32_t fd, wasi::Rights rights, Descriptor** descriptor) {
  *descriptor = fd_table().find(fd);
  if (*descriptor == nullptr) return wasi::Errno::kBadF;
  if (!(*descriptor)->is(wasi::FileType::kSocketStream) &&
      !(*descriptor)->is(wasi::FileType::kSocketDgram)) {
    return wasi::Errno::kNotSock;
  }
  return find_fd(fd, rights, descriptor);
}

}  // namespace

uint32_t mayfly_wasi_p1_sock_accept(MemoryInfo* memory, uint32_t fd, uint32_t flags,
                                    uint32_t fd_to) {
  const LinearMemory linear(memory);
  Descriptor* listener = nullptr;
  MAYFLY_WASI_TRY(find_socket(fd, wasi::kSockAccept, &listener));
  if ((flags & ~uint32_t{wasi::kFdNonblock}) != 0) return answer(wasi::Errno::kInval);
  if (!linear.contains(fd_to, 4)) return answer(wasi::Errno::kFault);
  const uint32_t fd_new = fd_table().lowest_free();
  if (fd_new == FdTable::kFdsMax) return answer(wasi::Errno::kMFile);
  const wasi::Rights inheriting = listener->rights_inheriting;
  auto& request = new_request<guest_abi::WasiAcceptRequest>();
  request.handle = listener->handle();
  request.fd_flags = listener->fd_flags;
  MAYFLY_WASI_TRY(call_port(WasiPort::kAccept, request));
  Descriptor descriptor = make_descriptor(request.description);
  descriptor.rights_base &= inheriting;
  descriptor.fd_flags = static_cast<uint16_t>(flags);
  fd_table().set(fd_new, descriptor);
  linear.store(fd_to, fd_new);
  return answer(wasi::Errno::kSuccess);
}

uint32_t mayfly_wasi_p1_sock_recv(MemoryInfo* memory, uint32_t fd, uint32_t iovecs, uint32_t count,
                                  uint32_t flags, uint32_t bytes_to, uint32_t flags_to) {
  const LinearMemory linear(memory);
  Descriptor* descriptor = nullptr;
  MAYFLY_WASI_TRY(find_socket(fd, wasi::kFdRead, &descriptor));
  if ((flags & ~uint32_t{wasi::kRecvPeek | wasi::kRecvWaitall}) != 0) {
    return answer(wasi::Errno::kInval);
  }
  if (!linear.contains(bytes_to, 4) || !linear.contains(flags_to, 2)) {
    return answer(wasi::Errno::kFault);
  }
  auto& request = new_request<guest_abi::WasiTransferRequest>();
  MAYFLY_WASI_TRY(gather(linear, iovecs, count, request));
  request.handle = descriptor->handle();
  request.fd_flags = descriptor->fd_flags;
  request.detail = static_cast<uint16_t>(flags);
  MAYFLY_WASI_TRY(call_port(WasiPort::kReceive, request));
  linear.store(bytes_to, static_cast<uint32_t>(request.bytes));
  linear.store(flags_to, static_cast<uint16_t>(request.flags_out));
  return answer(wasi::Errno::kSuccess);
}

uint32_t mayfly_wasi_p1_sock_send(MemoryInfo* memory, uint32_t fd, uint32_t iovecs, uint32_t count,
                                  uint32_t flags, uint32_t bytes_to) {
  const LinearMemory linear(memory);
  Descriptor* descriptor = nullptr;
  MAYFLY_WASI_TRY(find_socket(fd, wasi::kFdWrite, &descriptor));
  if (flags != 0) return answer(wasi::Errno::kInval);
  if (!linear.contains(bytes_to, 4)) return answer(wasi::Errno::kFault);
  auto& request = new_request<guest_abi::WasiTransferRequest>();
  MAYFLY_WASI_TRY(gather(linear, iovecs, count, request));
  request.handle = descriptor->handle();
  request.fd_flags = descriptor->fd_flags;
  MAYFLY_WASI_TRY(call_port(WasiPort::kSend, request));
  linear.store(bytes_to, static_cast<uint32_t>(request.bytes));
  return answer(wasi::Errno::kSuccess);
}

uint32_t mayfly_wasi_p1_sock_shutdown(MemoryInfo* /*memory*/, uint32_t fd, uint32_t how) {
  Descriptor* descriptor = nullptr;
  MAYFLY_WASI_TRY(find_socket(fd, wasi::kSockShutdown, &descriptor));
  constexpr uint32_t kBoth = wasi::kShutdownRead | wasi::kShutdownWrite;
  if (how == 0 || (how & ~kBoth) != 0) return answer(wasi::Errno::kInval);
  auto& request = new_request<guest_abi::WasiHandleRequest>();
  request.handle = descriptor->handle();
  request.detail = how;
  return answer(call_port(WasiPort::kShutdown, request));
}
