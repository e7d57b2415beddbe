// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A trap like any other (port.h), so that the host sees where it happened.
#include "guest/component/trap.h"

#include "guest/component/functions.h"
#include "guest/port.h"

namespace mayfly::guest {

void component_trap(guest_abi::ComponentTrap reason, uint32_t number) {
  request_place<guest_abi::ComponentTrapRequest>() = {static_cast<uint32_t>(reason), number};
  trap<guest_abi::TrapCode::kComponent>();
}

}  // namespace mayfly::guest

extern "C" {

void mayfly_component_trap(uint32_t reason) {
  mayfly::guest::component_trap(static_cast<mayfly::guest_abi::ComponentTrap>(reason));
}

}  // extern "C"
