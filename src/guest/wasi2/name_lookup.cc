// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// wasi:sockets/ip-name-lookup. The host has the addresses, and gives one at a time.
#include "guest/wasi/port_call.h"
#include "guest/wasi2/functions.h"
#include "guest/wasi2/poll.h"
#include "guest/wasi2/socket.h"

namespace mayfly::guest {
namespace {

using guest_abi::WasiLookup;
using guest_abi::WasiPort;
using wasi::Errno;

struct OptionalAddress {
  uint8_t is_some;
  IpAddress address;
};
static_assert(sizeof(OptionalAddress) == 20);

uint32_t resolve(const Call& call, uint32_t name, uint32_t size) {
  call.transfer.at(name, size);
  auto& request = new_request<guest_abi::WasiResolveRequest>();
  request.name = call.transfer.linear().range(name, size);
  Object lookup{};
  lookup.kind = ObjectKind::kLookup;
  Errno error = call_port(WasiPort::kResolve, request);
  if (error == Errno::kSuccess) error = add_fd(request.description, &lookup.below);
  if (error != Errno::kSuccess) return network_failed<uint32_t>(call, network_error(error));
  return call.ok(call.objects.add(lookup));
}

uint32_t next(const Call& call, uint32_t self) {
  Object& lookup = call.objects.get(self, ObjectKind::kLookup);
  if (lookup.is_closed) return call.ok(OptionalAddress{});
  auto& request = new_request<guest_abi::WasiNextAddressRequest>();
  request.handle = handle_of(lookup);
  const Errno error = call_port(WasiPort::kNextAddress, request);
  if (error != Errno::kSuccess) return network_failed<OptionalAddress>(call, network_error(error));
  switch (static_cast<WasiLookup>(request.lookup)) {
    case WasiLookup::kAddress:
      return call.ok(OptionalAddress{1, ip_address(request.address)});
    case WasiLookup::kUnresolvable:
      return network_failed<OptionalAddress>(call, NetworkError::kNameUnresolvable);
    case WasiLookup::kTemporary:
      return network_failed<OptionalAddress>(call, NetworkError::kTemporaryResolverFailure);
    case WasiLookup::kPermanent:
      return network_failed<OptionalAddress>(call, NetworkError::kPermanentResolverFailure);
    case WasiLookup::kEnd:
      break;
  }
  lookup.is_closed = true;
  return call.ok(OptionalAddress{});
}

}  // namespace
}  // namespace mayfly::guest

using namespace mayfly::guest;  // NOLINT: the C functions below are this file's only others

uint32_t mayfly_wasi2_resolve_addresses(MemoryInfo* transfer, MemoryInfo* state, uint32_t network,
                                        uint32_t name, uint32_t size) {
  const Call call(transfer, state);
  call.objects.get(network, ObjectKind::kNetwork);
  return resolve(call, name, size);
}

uint32_t mayfly_wasi2_resolve_next_address(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  return next(Call(transfer, state), self);
}

uint32_t mayfly_wasi2_subscribe_lookup(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  const Call call(transfer, state);
  call.objects.get(self, ObjectKind::kLookup);
  return new_object_pollable(call, self);
}

void mayfly_wasi2_drop_lookup(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  Call(transfer, state).objects.release(self, ObjectKind::kLookup);
}
