// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Datagrams, many with one call. Each one's address is checked: whom it goes to, and whom it came
// from. What came from elsewhere is dropped, as if it had been lost.
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "wasi/own_socket.h"

namespace mayfly::wasi {

namespace {

using guest_abi::kWasiDatagramBytesMax;
using guest_abi::kWasiDatagramsMax;
using guest_abi::WasiDatagram;

// Of a server, so many may be answered at a time.
constexpr size_t kSendersMax = 256;
// So many are dropped in one call; whoever sends faster than that does not hold it up.
constexpr int kDroppedMax = 256;

bool has_peer(const OwnSocket& socket) { return family_of(socket.peer) != WasiFamily::kNone; }

bool has_sent(const OwnSocket& socket, const WasiAddress& address) {
  return std::ranges::any_of(socket.senders,
                             [&](const WasiAddress& sender) { return is_same(sender, address); });
}

// The one that has sent last comes last, and the first one is forgotten.
void remember_sender(OwnSocket& socket, const WasiAddress& address) {
  std::vector<WasiAddress>& senders = socket.senders;
  const auto known = std::ranges::find_if(
      senders, [&](const WasiAddress& sender) { return is_same(sender, address); });
  if (known != senders.end()) {
    std::rotate(known, known + 1, senders.end());
    return;
  }
  if (senders.size() == kSendersMax) senders.erase(senders.begin());
  senders.push_back(address);
}

// The address as it was checked; kNone: the peer that the socket is connected with.
Errno check_destination(PortCall& call, const OwnSocket& socket, WasiAddress* address) {
  const bool is_named = family_of(*address) != WasiFamily::kNone;
  if (!is_named && !has_peer(socket)) return Errno::kDestAddrReq;
  if (!is_named) return Errno::kSuccess;
  MAYFLY_ERRNO_TRY(check_remote(socket, *address));
  if (has_peer(socket)) {
    if (!is_same(socket.peer, *address)) return Errno::kIsConn;
    *address = {};
    return Errno::kSuccess;
  }
  const bool may_answer = socket.may_listen && has_sent(socket, *address);
  if (may_answer || call.program.network.allows(NetworkUse::kUdpSend, *address)) {
    return Errno::kSuccess;
  }
  return Errno::kAcces;
}

PortAnswer read_datagrams(PortCall& call, const guest_abi::WasiDatagramsRequest& request,
                          std::vector<WasiDatagram>* datagrams) {
  if (request.count > kWasiDatagramsMax) return Errno::kInval;
  datagrams->resize(request.count);
  for (uint32_t i = 0; i < request.count; ++i) {
    std::array<uint8_t, sizeof(WasiDatagram)> bytes{};
    MAYFLY_TRY(call.guest().read(request.datagrams + i * sizeof bytes, bytes));
    std::memcpy(&(*datagrams)[i], bytes.data(), sizeof bytes);
  }
  return Errno::kSuccess;
}

PortAnswer send_one(PortCall& call, Handle& handle, const WasiDatagram& datagram) {
  WasiAddress address = datagram.address;
  MAYFLY_ERRNO_TRY(check_destination(call, handle.socket, &address));
  if (datagram.data.bytes > kWasiDatagramBytesMax) return Errno::kMsgSize;
  const auto data = MAYFLY_TRY(call.guest().view(datagram.data.address, datagram.data.bytes));
  MAYFLY_TRY(check_output(call, data.size()));
  KernelAddress kernel;
  const bool is_named = family_of(address) != WasiFamily::kNone;
  if (is_named) kernel = to_kernel(address);
  int64_t sent = 0;
  do {
    sent = ::sendto(handle.fd.get(), data.data(), data.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                    is_named ? kernel.get() : nullptr, is_named ? kernel.bytes : 0);
  } while (sent < 0 && errno == EINTR);
  MAYFLY_ERRNO_TRY(errno_of(sent));
  count_output(call, data.size());
  return Errno::kSuccess;
}

// Whether a program may know of what this address sent.
bool may_hear(PortCall& call, OwnSocket& socket, const WasiAddress& from) {
  if (has_peer(socket)) return is_same(socket.peer, from);
  if (socket.may_listen) {
    remember_sender(socket, from);
    return true;
  }
  return call.program.network.allows(NetworkUse::kUdpSend, from);
}

// The next datagram that the program may know of. Errors: kAgain.
Errno receive_one(PortCall& call, Handle& handle, std::span<uint8_t> room, WasiDatagram* datagram) {
  for (int dropped = 0; dropped < kDroppedMax;) {
    KernelAddress from;
    const ssize_t bytes = ::recvfrom(handle.fd.get(), room.data(), room.size(), MSG_DONTWAIT,
                                     from.get(), &from.bytes);
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) return from_errno(errno);
    datagram->address = from_kernel(from);
    datagram->bytes = static_cast<uint32_t>(bytes);
    if (may_hear(call, handle.socket, datagram->address)) return Errno::kSuccess;
    // Nothing of it stays in the guest's memory.
    std::memset(room.data(), 0, static_cast<size_t>(bytes));
    ++dropped;
  }
  return Errno::kAgain;
}

Errno find_datagram_socket(PortCall& call, uint32_t number, Handle** handle) {
  MAYFLY_ERRNO_TRY(find_own_socket(call, number, handle));
  return is_datagram(**handle) ? Errno::kSuccess : Errno::kNotSock;
}

}  // namespace

PortAnswer send_datagrams(PortCall& call, guest_abi::WasiDatagramsRequest& request) {
  Handle* handle = nullptr;
  MAYFLY_ERRNO_TRY(find_datagram_socket(call, request.handle, &handle));
  std::vector<WasiDatagram> datagrams;
  MAYFLY_ERRNO_TRY(MAYFLY_TRY(read_datagrams(call, request, &datagrams)));
  request.done = 0;
  for (const WasiDatagram& datagram : datagrams) {
    const Errno error = MAYFLY_TRY(send_one(call, *handle, datagram));
    if (error == Errno::kAgain) break;
    // What was sent counts; the error comes back with the next call.
    if (error != Errno::kSuccess && request.done != 0) break;
    MAYFLY_ERRNO_TRY(error);
    ++request.done;
  }
  return Errno::kSuccess;
}

PortAnswer receive_datagrams(PortCall& call, guest_abi::WasiDatagramsRequest& request) {
  Handle* handle = nullptr;
  MAYFLY_ERRNO_TRY(find_datagram_socket(call, request.handle, &handle));
  if (request.count > kWasiDatagramsMax) return Errno::kInval;
  std::span<uint8_t> room = MAYFLY_TRY(call.guest().view(request.room.address, request.room.bytes));
  request.done = 0;
  while (request.done < request.count && room.size() >= kWasiDatagramBytesMax) {
    WasiDatagram datagram{};
    const Errno error = receive_one(call, *handle, room.first(kWasiDatagramBytesMax), &datagram);
    if (error == Errno::kAgain || (error != Errno::kSuccess && request.done != 0)) break;
    MAYFLY_ERRNO_TRY(error);
    std::array<uint8_t, sizeof datagram> bytes{};
    std::memcpy(bytes.data(), &datagram, sizeof datagram);
    MAYFLY_TRY(call.guest().write(request.datagrams + request.done * sizeof datagram, bytes));
    count_input(call, datagram.bytes);
    room = room.subspan(datagram.bytes);
    ++request.done;
  }
  return Errno::kSuccess;
}

}  // namespace mayfly::wasi
