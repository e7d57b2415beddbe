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
  kExecutableExitPage,   // no NX on the exit page
  kAnyExitInstruction,   // the exit's address is not checked
  kAnyExitShape,         // no exit but a trap's is checked
  kNoStackGuard,         // memory where the guard is
  kNoDeadline,           // deadlines are not armed
  kNoReserveLimit,       // resize() past bytes_reserved
  kStaleShrink,          // shrinking edits the page tables only
  kMappedAfterShrink,    // shrinking drops the memory and leaves the page tables
  kMemoryEverywhere,     // pages at null, behind each region, in the guard, at a kernel's addresses
  kIoPrivilege,          // IOPL 3 instead of the bitmap
  kDirtyVectorState,     // the entry code clears no vector register
  kDirtyShell,           // a reused vCPU keeps its vector and x87 state; the entry code clears none
  kDirtyFlags,           // a call starts with the flags of the one before
  kKernelMode,           // the guest runs at CPL 0
  kOpenGates,            // `int n` reaches the vectors
  kEmptyVectors,         // of the vectors only #UD, #GP and #PF are there
  kSystemCalls,          // `syscall` is on; in a process, every one is allowed
  kCode32,               // the GDT has a 32-bit code segment
  kBrokenRuns,           // a Vm that is broken can be entered
};

}  // namespace mayfly::vmm
