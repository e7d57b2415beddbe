// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the ports of sockets share: finding one, and the system calls whose answers are addresses
// or room.
#pragma once

#include <cstdint>

#include "wasi/port_call.h"
#include "wasi/socket_address.h"

namespace mayfly::wasi {

// A socket that the program made. Errors: kBadF, kNotSock.
Errno find_own_socket(PortCall& call, uint32_t number, Handle** handle);

inline bool is_datagram(const Handle& handle) { return handle.filetype == FileType::kSocketDgram; }

// Whether it can be somebody's address to connect with or to send to, of a socket of this family.
// Errors: kAfNoSupport, kInval.
Errno check_remote(const OwnSocket& socket, const WasiAddress& address);

// No program is told of room for more than that (guest/wasi2/stream_io.h).
inline constexpr uint64_t kPermittedBytesMax = uint64_t{256} << 10;

// How many bytes a stream socket takes now without waiting; more when it is idle than when it is
// half full. 0: none.
uint64_t send_room(int fd);

// Makes the kernel take more of a stream socket's bytes than its buffer has room for, by widening
// the buffer for one call. Answers as sendmsg().
int64_t send_past_buffer(int fd, const struct msghdr& message);

}  // namespace mayfly::wasi
