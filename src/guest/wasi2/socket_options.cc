// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Options of tcp-socket and udp-socket, which the host keeps. Times are nanoseconds here and
// seconds there.
#include "guest/wasi2/functions.h"
#include "guest/wasi2/socket.h"

namespace mayfly::guest {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

// Of either kind.
const Object& socket_of(const Call& call, uint32_t self) { return call.objects.get_with_fd(self); }

uint32_t set(const Call& call, uint32_t self, WasiSocketOption option, uint64_t value) {
  return network_done(call, set_option(socket_of(call, self), option, value));
}

uint32_t get_time(const Call& call, uint32_t self, WasiSocketOption option) {
  uint64_t seconds = 0;
  const NetworkError error = get_option(socket_of(call, self), option, &seconds);
  if (error != NetworkError::kNone) return network_failed<uint64_t>(call, error);
  return call.ok(seconds * kSecond);
}

uint32_t set_time(const Call& call, uint32_t self, WasiSocketOption option, uint64_t time) {
  const uint64_t seconds = time / kSecond + (time % kSecond != 0 ? 1 : 0);
  return set(call, self, option, seconds);
}

}  // namespace
}  // namespace mayfly::guest

using namespace mayfly::guest;  // NOLINT: the C functions below are this file's only others

uint32_t mayfly_wasi2_socket_family(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  return address_family(socket_of(Call(transfer, state), self));
}

uint32_t mayfly_wasi2_keep_alive(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  const Call call(transfer, state);
  return option_result<uint8_t>(call, socket_of(call, self), WasiSocketOption::kKeepAlive);
}

uint32_t mayfly_wasi2_set_keep_alive(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                     uint32_t value) {
  return set(Call(transfer, state), self, WasiSocketOption::kKeepAlive, value);
}

uint32_t mayfly_wasi2_keep_alive_idle(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  return get_time(Call(transfer, state), self, WasiSocketOption::kKeepAliveIdle);
}

uint32_t mayfly_wasi2_set_keep_alive_idle(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                          uint64_t value) {
  return set_time(Call(transfer, state), self, WasiSocketOption::kKeepAliveIdle, value);
}

uint32_t mayfly_wasi2_keep_alive_interval(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  return get_time(Call(transfer, state), self, WasiSocketOption::kKeepAliveInterval);
}

uint32_t mayfly_wasi2_set_keep_alive_interval(MemoryInfo* transfer, MemoryInfo* state,
                                              uint32_t self, uint64_t value) {
  return set_time(Call(transfer, state), self, WasiSocketOption::kKeepAliveInterval, value);
}

uint32_t mayfly_wasi2_keep_alive_count(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  const Call call(transfer, state);
  return option_result<uint32_t>(call, socket_of(call, self), WasiSocketOption::kKeepAliveCount);
}

uint32_t mayfly_wasi2_set_keep_alive_count(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                           uint32_t value) {
  return set(Call(transfer, state), self, WasiSocketOption::kKeepAliveCount, value);
}

uint32_t mayfly_wasi2_hop_limit(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  const Call call(transfer, state);
  return option_result<uint8_t>(call, socket_of(call, self), WasiSocketOption::kHopLimit);
}

uint32_t mayfly_wasi2_set_hop_limit(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                    uint32_t value) {
  return set(Call(transfer, state), self, WasiSocketOption::kHopLimit, value & 0xFF);
}

uint32_t mayfly_wasi2_receive_buffer(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  const Call call(transfer, state);
  return option_result<uint64_t>(call, socket_of(call, self), WasiSocketOption::kReceiveBuffer);
}

uint32_t mayfly_wasi2_set_receive_buffer(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                         uint64_t value) {
  return set(Call(transfer, state), self, WasiSocketOption::kReceiveBuffer, value);
}

uint32_t mayfly_wasi2_send_buffer(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  const Call call(transfer, state);
  return option_result<uint64_t>(call, socket_of(call, self), WasiSocketOption::kSendBuffer);
}

uint32_t mayfly_wasi2_set_send_buffer(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                      uint64_t value) {
  return set(Call(transfer, state), self, WasiSocketOption::kSendBuffer, value);
}
