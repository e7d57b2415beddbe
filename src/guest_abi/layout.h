// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where everything lies in a guest's address space. Host, compiler and guest library share it.
//
//   0x0000_0000  absent: null references and null pointers fault here
//   0x0020_0000  host-owned: entry code, trap vectors, descriptor tables, call page
//   0x0040_0000  the image: text, read-only data, data
//   0x2000_0000  end of the image's range; absent
//   0x3FE0_0000  top of the stack, which grows down; all below it to 0x2000_0000 is its guard
//   0x4000_0000  the low memory window: one linear memory, 4 GiB + 4 GiB + guard
//  0x10_0000_0000 high windows: further linear memories, and tables that can grow
#pragma once

#include <cstdint>

namespace mayfly::guest_abi {

inline constexpr uint64_t kPageBytes = 4096;
inline constexpr uint64_t kLargePageBytes = uint64_t{2} << 20;

// The first absent range. A fault below it is a null reference.
inline constexpr uint64_t kNullEnd = 0x0020'0000;

// Host-owned pages. Only the call page is writable by the guest.
inline constexpr uint64_t kHostOwned = 0x0020'0000;
inline constexpr uint64_t kEntryPage = kHostOwned;                 // code, CPL 3
inline constexpr uint64_t kVectorPage = kHostOwned + 0x1000;       // code, CPL 0
inline constexpr uint64_t kDescriptorPages = kHostOwned + 0x2000;  // IDT, GDT, TSS; CPL 0
inline constexpr uint64_t kExitPage = kHostOwned + 0x8000;         // no memory behind it
inline constexpr uint64_t kTrapStackPage = kHostOwned + 0x9000;    // CPL 0
inline constexpr uint64_t kCallPage = kHostOwned + 0x1'0000;       // shared with the host, CPL 3
inline constexpr uint64_t kCallPageBytes = 0x1'0000;
inline constexpr uint64_t kHostOwnedEnd = kHostOwned + kLargePageBytes;

// Entry points in the entry page.
//   enter(rdi: thunk, rsi: function, rdx: argument slots): calls thunk(function, slots), then
//   leaves with kPortReturn.
//   hypercall(edi: port): leaves with that port, and returns when the host resumes.
inline constexpr uint64_t kEnter = kEntryPage;
inline constexpr uint64_t kHypercall = kEntryPage + 0x800;

inline constexpr uint64_t kImage = 0x0040'0000;
inline constexpr uint64_t kImageEnd = 0x2000'0000;

// A frame is never larger than the guard, so no function probes its stack: a call writes its
// return address within one frame of the stack's end, and that faults.
inline constexpr uint64_t kStackGuard = kImageEnd;
inline constexpr uint64_t kStackTop = 0x3FE0'0000;
inline constexpr uint64_t kStackBytesMax = uint64_t{256} << 20;
inline constexpr uint64_t kStackBytesDefault = uint64_t{8} << 20;
inline constexpr uint64_t kFrameBytesMax = kStackTop - kStackBytesMax - kStackGuard;

// Linear memories with 32-bit addresses: index + offset < 8 GiB, and 16 bytes of access.
inline constexpr uint64_t kWindowBytes = (uint64_t{8} << 30) + kLargePageBytes;
inline constexpr uint64_t kLowMemory = 0x4000'0000;
inline constexpr uint64_t kHighWindows = 0x10'0000'0000;
inline constexpr uint64_t kHighWindowsEnd = 0x7000'0000'0000;

inline constexpr uint64_t kWasmPageBytes = 65536;

static_assert(kCallPage + kCallPageBytes <= kHostOwnedEnd);
static_assert(kLowMemory + kWindowBytes <= kHighWindows);
static_assert(kFrameBytesMax >= uint64_t{200} << 20);

}  // namespace mayfly::guest_abi
