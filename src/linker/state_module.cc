// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Two memories and two flags for each instance, all set to what they are before the first call.
#include "linker/state_module.h"

#include <string>

#include "base/check.h"
#include "guest_abi/component.h"
#include "linker/adapter_module.h"

namespace mayfly::linker {
namespace {

constexpr uint32_t kPageBytes = 65536;

}  // namespace

GeneratedModule state_module(uint32_t instances) {
  const uint32_t tables = instances + 1;
  const auto state_bytes = static_cast<uint32_t>(guest_abi::component_state_bytes(tables));
  ModuleWriter writer;
  const uint32_t state = writer.add_memory("state", (state_bytes + kPageBytes - 1) / kPageBytes);
  CHECK(state == kStateMemory, state);
  const uint32_t transfer = writer.add_memory(kTransferExport, 1);
  CHECK(transfer == kTransferMemory, transfer);
  writer.add_data(state, 0, state_bytes);
  writer.add_data(transfer, 0, kTransferFirst);
  for (uint32_t i = 0; i < tables; ++i) {
    writer.add_global("may_enter " + std::to_string(i), 1);
    writer.add_global("may_leave " + std::to_string(i), 1);
  }
  return writer.finish();
}

}  // namespace mayfly::linker
