// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// wasi:config, `store` and its older name `runtime`. A value is asked for with some room, and again
// when it needs more.
#include "guest/wasi/port_call.h"
#include "guest/wasi2/functions.h"
#include "guest/wasi2/transfer.h"
#include "guest_abi/service_ports.h"

namespace mayfly::guest {
namespace {

using guest_abi::WasiConfigRequest;
using guest_abi::WasiPort;
using guest_abi::wasi::Errno;

constexpr uint64_t kFirstRoom = 1024;

// result<option<string>, error> and result<list<tuple<string, string>>, error>; the case of error
// that is used is io(string).
struct OptionalText {
  uint8_t is_error;
  struct {
    uint8_t which;  // 1: some; or the case
    TransferBytes text;
  } value;
};
static_assert(sizeof(OptionalText) == 16);
struct Pairs {
  uint8_t is_error;
  TransferBytes list;
  uint32_t rest_of_error;
};
static_assert(sizeof(Pairs) == sizeof(OptionalText));
struct Pair {
  TransferBytes key;
  TransferBytes value;
};
constexpr uint8_t kIo = 1;

uint32_t failed(const Transfer& transfer) {
  return transfer.allocate(OptionalText{1, {kIo, transfer.put("the host failed to answer")}});
}

struct Answer {
  Errno error = Errno::kSuccess;
  uint32_t found = 0;
  TransferBytes bytes;
};

Answer ask(const Transfer& transfer, WasiPort port, TransferBytes key) {
  uint64_t room = kFirstRoom;
  while (true) {
    const uint32_t to = transfer.reserve(room, 1);
    auto& request = new_request<WasiConfigRequest>();
    request.key = transfer.linear().range(key.address, key.size);
    request.to = transfer.linear().range(to, static_cast<uint32_t>(room));
    const Errno error = call_port(port, request);
    if (error != Errno::kSuccess) return {error, 0, {}};
    if (request.bytes <= room) {
      return {error, request.found, {to, static_cast<uint32_t>(request.bytes)}};
    }
    room = request.bytes;
  }
}

uint32_t get(const Transfer& transfer, TransferBytes key) {
  transfer.at(key.address, key.size);
  const Answer answer = ask(transfer, WasiPort::kConfigGet, key);
  if (answer.error != Errno::kSuccess) return failed(transfer);
  OptionalText result{};
  if (answer.found != 0) result.value = {1, answer.bytes};
  return transfer.allocate(result);
}

uint32_t get_all(const Transfer& transfer) {
  const Answer answer = ask(transfer, WasiPort::kConfigAll, {});
  if (answer.error != Errno::kSuccess) return failed(transfer);
  const uint32_t list = transfer.reserve(uint64_t{answer.found} * sizeof(Pair), 4);
  uint32_t at = answer.bytes.address;
  for (uint32_t i = 0; i < answer.found; ++i) {
    const auto sizes = transfer.load<guest_abi::WasiConfigPair>(at);
    at += static_cast<uint32_t>(sizeof sizes);
    Pair pair{{at, sizes.key_bytes}, {at + sizes.key_bytes, sizes.value_bytes}};
    at = pair.value.address + sizes.value_bytes;
    transfer.store(list + i * static_cast<uint32_t>(sizeof pair), pair);
  }
  return transfer.allocate(Pairs{0, {list, answer.found}, 0});
}

}  // namespace
}  // namespace mayfly::guest

using mayfly::guest::Transfer;

uint32_t mayfly_wasi2_config_get(MemoryInfo* transfer, MemoryInfo* /*state*/, uint32_t key,
                                 uint32_t size) {
  return mayfly::guest::get(Transfer(transfer), {key, size});
}

uint32_t mayfly_wasi2_config_get_all(MemoryInfo* transfer, MemoryInfo* /*state*/) {
  return mayfly::guest::get_all(Transfer(transfer));
}
