// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// TrapCode: why a guest stopped. Compiled code raises one as `ud1l code(%eax), %eax` (LLVM's
// ubsantrap), so the code is a byte of the instruction that faulted; faults of memory have theirs
// from the address (runtime/trap.h).
#pragma once

#include <cstdint>

namespace mayfly::guest_abi {

enum class TrapCode : uint8_t {
  kUnreachable = 1,
  kMemoryOutOfBounds,
  kTableOutOfBounds,
  kUndefinedElement,      // call_indirect past the table's size
  kUninitializedElement,  // call_indirect through a null entry
  kIndirectCallTypeMismatch,
  kIntegerOverflow,
  kIntegerDivideByZero,
  kInvalidConversionToInteger,
  kStackOverflow,
  kNullReference,
  kHostError,           // a host function or a port refused with an error; the host knows its text
  kGuestAbort,          // the guest library found a broken invariant of its own
  kInvalidInstruction,  // the guest executed what no compiler of ours emits
  kProtection,          // the guest touched what is not its own
  kComponent,           // a rule of the Component Model: CallPage::request says which
  kOutOfFuel,           // CallPage::fuel fell below zero, in code that counts it
};

}  // namespace mayfly::guest_abi
