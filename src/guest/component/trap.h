// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How the functions for components trap: the host has the words, the guest says which.
#pragma once

#include <cstdint>

#include "guest_abi/component.h"

namespace mayfly::guest {

// Ends the call. `number`: ComponentTrapRequest's.
[[noreturn]] void component_trap(guest_abi::ComponentTrap trap, uint32_t number = 0);

}  // namespace mayfly::guest
