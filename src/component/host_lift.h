// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From what a component gives, flat core values and bytes in the transfer memory, to ComponentValue
// (CanonicalABI.md #flat-lifting, #loading).
//
// The guest is hostile, and may change the memory meanwhile: TransferReader reads each word once.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "component/host_values.h"
#include "component/type_arena.h"
#include "mayfly/component_value.h"
#include "mayfly/transfer.h"

namespace mayfly::component {

// With more than flat_max(role) flat values there is one slot, a pointer to them.
// Of slots of i32 and f32 only the low half counts.
// Precondition: there is a slot for each flat value.
// Errors: what the guest did wrong, the message of a trap: kInvalid; kLimit past lifted_bytes_max;
// kUnsupported for streams, futures and error contexts.
Result<std::vector<ComponentValue>> lift_values(
    const TypeArena& types, std::span<const ValType> given, ValueRole role,
    std::span<const uint64_t> slots, std::span<const uint8_t> memory,
    uint64_t lifted_bytes_max = detail::kLiftedBytesMax);

}  // namespace mayfly::component
