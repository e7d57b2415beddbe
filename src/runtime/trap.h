// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a CPU fault of the guest means in WebAssembly's words.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "guest_abi/component.h"
#include "guest_abi/layout.h"
#include "guest_abi/trap.h"
#include "image/image.h"
#include "vmm/vm.h"

namespace mayfly::runtime {

// The spec's wording: "integer divide by zero", "out of bounds memory access".
std::string_view trap_text(guest_abi::TrapCode code);

// What the verdict rests on besides the fault: never what lies in guest memory.
struct FaultContext {
  std::span<const image::Region> regions;
  uint64_t stack_bytes = guest_abi::kStackBytesDefault;
  // The byte of the image's own text at an address (Image::text_byte).
  std::function<std::optional<uint8_t>(uint64_t)> text_byte;
};

// What a trap of kComponent means. The request is a claim of the guest: it can choose among these
// texts and numbers, no more.
std::string component_trap_text(const guest_abi::ComponentTrapRequest& request);

guest_abi::TrapCode classify_fault(const vmm::Fault& fault, const FaultContext& context);

// The text of the code; for faults that no code of ours makes also vector, rip and address.
std::string describe_fault(const vmm::Fault& fault, guest_abi::TrapCode code);

}  // namespace mayfly::runtime
