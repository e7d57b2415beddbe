// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weakness: one defence taken away, so that a test can show that the attack on it is noticed.
// Only tests set one; create_vm() of an ordinary Host has none.
#pragma once

#include <cstdint>

namespace mayfly::vmm {

enum class Weakness : uint8_t {
  kNone,
  kWritableText,         // text is mapped writable and its slot and host mapping are too
  kWritableHostPages,    // entry code, vectors and tables: user-writable, private copy per VM
  kReadableSystemPages,  // vectors, tables and trap stack readable at CPL 3
  kExecutableData,       // no NX on data and stack
  kAnyExitInstruction,   // the exit's address is not checked
  kAnyExitShape,         // the exit's direction and width are not checked
  kNoStackGuard,         // memory where the guard is
  kNoDeadline,           // deadlines are not armed
  kNoReserveLimit,       // resize() past bytes_reserved
  kStaleShrink,          // shrinking edits the page tables only
  kIoPrivilege,          // IOPL 3 instead of the bitmap
  kDirtyVectorState,     // the entry code clears no vector register
};

}  // namespace mayfly::vmm
