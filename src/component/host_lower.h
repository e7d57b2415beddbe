// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From ComponentValue to what a component takes: flat core values, and bytes in the transfer memory
// (CanonicalABI.md #flat-lowering, #storing).
//
// Two walks: lowered_bytes() checks the values and says how much room they need, lower_values()
// writes them there, each byte once.
#pragma once

#include <cstdint>
#include <span>

#include "base/result.h"
#include "component/host_values.h"
#include "component/type_arena.h"
#include "mayfly/component_value.h"
#include "mayfly/transfer.h"

namespace mayfly::component {

// How many bytes of the transfer memory the values need, from an address that is a multiple of
// detail::kTransferAlignment.
// Errors: kInvalid when a value is not of its type, with the path to it: 'argument 2: record field
// "b": expected u32, got string'; kLimit when strings, lists or all together are too long.
Result<uint64_t> lowered_bytes(const TypeArena& types, std::span<const ValType> wanted,
                               std::span<const ComponentValue> values, ValueRole role);

// Writes them to `area`, the transfer memory from address `base` on. With more than flat_max(role)
// flat values the only one is a pointer to them.
// Preconditions: lowered_bytes() has accepted the same values, and area has at least that size.
FlatValues lower_values(const TypeArena& types, std::span<const ValType> wanted,
                        std::span<const ComponentValue> values, ValueRole role, uint32_t base,
                        std::span<uint8_t> area);

}  // namespace mayfly::component
