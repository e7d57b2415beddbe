// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// wasi:logging. There is no way to say that nobody listens, so nothing is said.
#include "guest/wasi/port_call.h"
#include "guest/wasi2/functions.h"
#include "guest/wasi2/transfer.h"
#include "guest_abi/service_ports.h"

using mayfly::guest::Transfer;

void mayfly_wasi2_log(MemoryInfo* memory, MemoryInfo* /*state*/, uint32_t level, uint32_t context,
                      uint32_t context_size, uint32_t message, uint32_t message_size) {
  const Transfer transfer(memory);
  transfer.at(context, context_size);
  transfer.at(message, message_size);
  auto& request = mayfly::guest::new_request<mayfly::guest_abi::WasiLogRequest>();
  request.level = level;
  request.context = transfer.linear().range(context, context_size);
  request.message = transfer.linear().range(message, message_size);
  (void)mayfly::guest::call_port(mayfly::guest_abi::WasiPort::kLog, request);
}
